"""What is read of each kind for a status: which objects, and which of their fields; all else is let go at once.

Pure functions over what the API server returned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tycho import kinds
from tycho.kinds import Kind
from tycho.orchestrators.helm.api import Cut, Object
from tycho.release import WORKSPACE

SYSTEMS = "executor=tycho"
KEPT = "tycho.dev/kept"
RELEASES = f"owner=helm,{SYSTEMS},status!=superseded"
WARNINGS = "type=Warning,reason!=FailedScheduling"  # that one is told by the pod itself, and is stale afterwards
NOISE = ("kubectl.kubernetes.io/last-applied-configuration",)  # annotations that repeat the whole object


@dataclass(frozen=True, slots=True)
class Read:
    """How a kind is read.

    Args:
        kind: Which.
        cut: Leaves of an object what is read.
        labels: Selector of the objects; "" for a kind that has no labels of ours.
        fields: Selector by fields.
        metadata: Whether the metadata is all that is asked for.
        page: How many objects are asked for at once.
    """

    kind: Kind
    cut: Cut
    labels: str = SYSTEMS
    fields: str = ""
    metadata: bool = False
    page: int = 500


def cut_metadata(item: Object) -> Object:
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


def cut_workload(item: Object) -> Object:
    """Leave what tells of a workload's replicas, and what its containers ask for and belong to."""
    spec = item.get("spec", {})
    found = _take(spec, "replicas", "minReadySeconds", "completions")
    template = spec.get("template", {})
    if containers := template.get("spec", {}).get("containers"):
        found["template"] = {
            "metadata": {"labels": _take(template.get("metadata", {}).get("labels") or {}, WORKSPACE)},
            "spec": {"containers": [_take(each, "name", "image", "resources") for each in containers]},
        }
    return {**cut_metadata(item), "spec": found, "status": item.get("status", {})}


def cut_pod(item: Object) -> Object:
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
    return {**cut_metadata(item), "spec": found, "status": _take(status, *kept)}


def cut_service(item: Object) -> Object:
    """Leave a Service's addresses and ports, and which pods answer."""
    spec = _take(item["spec"], "type", "ports", "selector", "clusterIP")
    return {**cut_metadata(item), "spec": spec, "status": item.get("status", {})}


def cut_slice(item: Object) -> Object:
    """Leave which pods an EndpointSlice calls."""
    endpoints = [_take(each, "conditions", "targetRef") for each in item.get("endpoints") or ()]
    return {**cut_metadata(item), "endpoints": endpoints}


def cut_node(item: Object) -> Object:
    """Leave a node's addresses, and whether it only pretends to be one."""
    return {**cut_metadata(item), "status": _take(item.get("status", {}), "addresses")}


def cut_event(item: Object) -> Object:
    """Leave what an Event tells, and of what."""
    kept = ("message", "reason", "type", "count", "series", "firstTimestamp", "lastTimestamp", "eventTime")
    about = _take(item["involvedObject"], "kind", "name")
    return {**cut_metadata(item), "involvedObject": about, **_take(item, *kept)}


READS: Mapping[str, Read] = {
    read.kind.name: read
    for read in (
        Read(kinds.SECRET, cut_metadata, RELEASES, metadata=True, page=2000),
        *(Read(kind, cut_workload) for kind in kinds.WORKLOADS.values()),
        Read(kinds.POD, cut_pod),
        Read(kinds.SERVICE, cut_service),
        Read(kinds.REPLICA_SET, cut_metadata, metadata=True, page=2000),
        Read(kinds.ENDPOINT_SLICE, cut_slice),  # they carry the labels of their Services
        Read(kinds.CLAIM, cut_metadata, f"{SYSTEMS},{KEPT}=true", metadata=True, page=2000),
        Read(kinds.NAMESPACE, cut_metadata, metadata=True, page=2000),
        Read(kinds.EVENT, cut_event, "", fields=WARNINGS),
        Read(kinds.NODE, cut_node, ""),
    )
}
"""By the name of the kind."""


def parse_selector(selector: str) -> list[tuple[str, bool, str]]:
    """Parse a selector of labels into its terms: the label, whether it is to have the value, and the value."""
    terms = [re.fullmatch(r"([^!=]+)(!?)=(.*)", term) for term in selector.split(",") if term]
    return [(term[1], not term[2], term[3]) for term in terms if term]


def fits(item: Object, terms: list[tuple[str, bool, str]]) -> bool:
    """Tell whether an object's labels are as a selector asks for."""
    labels = item["metadata"].get("labels") or {}
    return all((labels.get(label) == value) is equal for label, equal, value in terms)


def _take(item: Object, *keys: str) -> Object:
    return {key: item[key] for key in keys if key in item}
