"""What is read of each kind for a status: which objects, and which of their fields; all else is let go at once.

Pure functions over what the API server returned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tycho import kinds
from tycho.kube.objects import KubeObject
from tycho.kube.query import ObjectQuery
from tycho.release import WORKSPACE

SYSTEMS = "executor=tycho"
KEPT = "tycho.dev/kept"
RELEASES = f"owner=helm,{SYSTEMS},status!=superseded"
WARNINGS = "type=Warning,reason!=FailedScheduling"  # that one is told by the pod itself, and is stale afterwards
INDEXED = ("app.kubernetes.io/instance", "tycho-guid", "name")  # labels that a system's objects are asked for by
OTHERS = re.compile(
    r"(?:[\w.-]+\.)?(?:kubernetes\.io|k8s\.io|helm\.sh|tycho\.dev)/|checksum/|executor$|tycho-guid$|username$"
)
"""Labels and annotations of pods that no caller has written."""
NOISE = ("kubectl.kubernetes.io/last-applied-configuration",)  # annotations that repeat the whole object


def keep_metadata(obj: KubeObject) -> KubeObject:
    """Leave an object's metadata, without who has written which field; of a status, when that was written last."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in ("managedFields", "selfLink")}
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = {key: value for key, value in annotations.items() if key not in NOISE}
    written = [
        entry["time"]
        for entry in obj["metadata"].get("managedFields") or ()
        if entry.get("subresource") == "status" and "time" in entry
    ]
    if written:
        metadata["managedFields"] = [{"subresource": "status", "time": max(written)}]
    return {"metadata": metadata}


def keep_workload(obj: KubeObject) -> KubeObject:
    """Leave what tells of a workload's replicas, and what its containers ask for and belong to."""
    spec = obj.get("spec", {})
    kept_spec = _take(spec, "replicas", "minReadySeconds", "completions")
    template = spec.get("template", {})
    if containers := template.get("spec", {}).get("containers"):
        kept_spec["template"] = {
            "metadata": _keep_written(template.get("metadata", {})),
            "spec": {"containers": [_take(each, "name", "image", "resources") for each in containers]},
        }
    return {**keep_metadata(obj), "spec": kept_spec, "status": obj.get("status", {})}


def keep_pod(obj: KubeObject) -> KubeObject:
    """Leave a pod's status, and of its specification what that is judged by."""
    spec, status = obj.get("spec", {}), obj.get("status", {})
    kept_spec = _take(spec, "restartPolicy", "nodeName")
    for group in ("initContainers", "containers"):
        if group in spec:
            kept_spec[group] = [
                _take(each, "name", "restartPolicy", "readinessProbe", "volumeMounts") for each in spec[group]
            ]
    claims = [_take(each, "name", "persistentVolumeClaim") for each in spec.get("volumes") or ()]
    kept_spec["volumes"] = [each for each in claims if "persistentVolumeClaim" in each]
    kept = ("phase", "reason", "message", "conditions", "initContainerStatuses", "containerStatuses")
    return {**keep_metadata(obj), "spec": kept_spec, "status": _take(status, *kept)}


def keep_service(obj: KubeObject) -> KubeObject:
    """Leave a Service's addresses and ports, and which pods answer."""
    spec = _take(obj["spec"], "type", "ports", "selector", "clusterIP")
    return {**keep_metadata(obj), "spec": spec, "status": obj.get("status", {})}


def keep_slice(obj: KubeObject) -> KubeObject:
    """Leave which pods an EndpointSlice calls."""
    endpoints = [_take(each, "conditions", "targetRef") for each in obj.get("endpoints") or ()]
    return {**keep_metadata(obj), "endpoints": endpoints}


def keep_node(obj: KubeObject) -> KubeObject:
    """Leave a node's addresses, and whether it only pretends to be one."""
    return {**keep_metadata(obj), "status": _take(obj.get("status", {}), "addresses")}


def keep_event(obj: KubeObject) -> KubeObject:
    """Leave what an Event tells, and of what."""
    kept = ("message", "reason", "type", "count", "series", "firstTimestamp", "lastTimestamp", "eventTime")
    involved = _take(obj["involvedObject"], "kind", "name")
    return {**keep_metadata(obj), "involvedObject": involved, **_take(obj, *kept)}


QUERIES: Mapping[str, ObjectQuery] = {
    query.kind.name: query
    for query in (
        ObjectQuery(kinds.SECRET, keep_metadata, RELEASES, metadata=True, page=2000),
        *(ObjectQuery(kind, keep_workload, SYSTEMS) for kind in kinds.WORKLOADS.values()),
        ObjectQuery(kinds.POD, keep_pod, SYSTEMS),
        ObjectQuery(kinds.SERVICE, keep_service, SYSTEMS),
        ObjectQuery(kinds.REPLICA_SET, keep_metadata, SYSTEMS, metadata=True, page=2000),
        ObjectQuery(kinds.ENDPOINT_SLICE, keep_slice, SYSTEMS),  # they carry the labels of their Services
        ObjectQuery(kinds.CLAIM, keep_metadata, f"{SYSTEMS},{KEPT}", metadata=True, page=2000),
        ObjectQuery(kinds.NAMESPACE, keep_metadata, SYSTEMS, metadata=True, page=2000),
        ObjectQuery(kinds.EVENT, keep_event, fields=WARNINGS),
        ObjectQuery(kinds.NODE, keep_node),
    )
}
"""By the name of the kind."""


def _keep_written(metadata: KubeObject) -> KubeObject:
    """Leave the labels and annotations that a compose file or a caller has written: those of others have a domain."""
    return {
        section: {key: text for key, text in entries.items() if key == WORKSPACE or not OTHERS.match(key)}
        for section in ("labels", "annotations")
        if (entries := metadata.get(section) or {})
    }


def _take(obj: KubeObject, *keys: str) -> KubeObject:
    return {key: obj[key] for key in keys if key in obj}
