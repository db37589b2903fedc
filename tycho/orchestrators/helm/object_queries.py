"""What is read of each kind for a status: which objects, and which of their fields; all else is let go at once.

Pure functions over what the API server returned.
"""

from __future__ import annotations

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
NOISE = ("kubectl.kubernetes.io/last-applied-configuration",)  # annotations that repeat the whole object


def keep_metadata(item: KubeObject) -> KubeObject:
    """Leave an object's metadata, without who has written which field; of a status, when that was written last."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in ("managedFields", "selfLink")}
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = {key: value for key, value in annotations.items() if key not in NOISE}
    written = [
        entry["time"]
        for entry in item["metadata"].get("managedFields") or ()
        if entry.get("subresource") == "status" and "time" in entry
    ]
    if written:
        metadata["managedFields"] = [{"subresource": "status", "time": max(written)}]
    return {"metadata": metadata}


def keep_workload(item: KubeObject) -> KubeObject:
    """Leave what tells of a workload's replicas, and what its containers ask for and belong to."""
    spec = item.get("spec", {})
    found = _take(spec, "replicas", "minReadySeconds", "completions")
    template = spec.get("template", {})
    if containers := template.get("spec", {}).get("containers"):
        found["template"] = {
            "metadata": {"labels": _take(template.get("metadata", {}).get("labels") or {}, WORKSPACE)},
            "spec": {"containers": [_take(each, "name", "image", "resources") for each in containers]},
        }
    return {**keep_metadata(item), "spec": found, "status": item.get("status", {})}


def keep_pod(item: KubeObject) -> KubeObject:
    """Leave a pod's status, and of its specification what that is judged by."""
    spec, status = item.get("spec", {}), item.get("status", {})
    found = _take(spec, "restartPolicy")
    for group in ("initContainers", "containers"):
        if group in spec:
            found[group] = [
                _take(each, "name", "restartPolicy", "readinessProbe", "volumeMounts") for each in spec[group]
            ]
    claims = [_take(each, "name", "persistentVolumeClaim") for each in spec.get("volumes") or ()]
    found["volumes"] = [each for each in claims if "persistentVolumeClaim" in each]
    kept = ("phase", "reason", "message", "conditions", "initContainerStatuses", "containerStatuses")
    return {**keep_metadata(item), "spec": found, "status": _take(status, *kept)}


def keep_service(item: KubeObject) -> KubeObject:
    """Leave a Service's addresses and ports, and which pods answer."""
    spec = _take(item["spec"], "type", "ports", "selector", "clusterIP")
    return {**keep_metadata(item), "spec": spec, "status": item.get("status", {})}


def keep_slice(item: KubeObject) -> KubeObject:
    """Leave which pods an EndpointSlice calls."""
    endpoints = [_take(each, "conditions", "targetRef") for each in item.get("endpoints") or ()]
    return {**keep_metadata(item), "endpoints": endpoints}


def keep_node(item: KubeObject) -> KubeObject:
    """Leave a node's addresses, and whether it only pretends to be one."""
    return {**keep_metadata(item), "status": _take(item.get("status", {}), "addresses")}


def keep_event(item: KubeObject) -> KubeObject:
    """Leave what an Event tells, and of what."""
    kept = ("message", "reason", "type", "count", "series", "firstTimestamp", "lastTimestamp", "eventTime")
    about = _take(item["involvedObject"], "kind", "name")
    return {**keep_metadata(item), "involvedObject": about, **_take(item, *kept)}


QUERIES: Mapping[str, ObjectQuery] = {
    query.kind.name: query
    for query in (
        ObjectQuery(kinds.SECRET, keep_metadata, RELEASES, metadata=True, page=2000),
        *(ObjectQuery(kind, keep_workload, SYSTEMS) for kind in kinds.WORKLOADS.values()),
        ObjectQuery(kinds.POD, keep_pod, SYSTEMS),
        ObjectQuery(kinds.SERVICE, keep_service, SYSTEMS),
        ObjectQuery(kinds.REPLICA_SET, keep_metadata, SYSTEMS, metadata=True, page=2000),
        ObjectQuery(kinds.ENDPOINT_SLICE, keep_slice, SYSTEMS),  # they carry the labels of their Services
        ObjectQuery(kinds.CLAIM, keep_metadata, f"{SYSTEMS},{KEPT}=true", metadata=True, page=2000),
        ObjectQuery(kinds.NAMESPACE, keep_metadata, SYSTEMS, metadata=True, page=2000),
        ObjectQuery(kinds.EVENT, keep_event, fields=WARNINGS),
        ObjectQuery(kinds.NODE, keep_node),
    )
}
"""By the name of the kind."""


def _take(item: KubeObject, *keys: str) -> KubeObject:
    return {key: item[key] for key in keys if key in item}
