"""Objects as the API server returns them, and what any of them tells of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

KubeObject = dict[str, Any]
Reduce = Callable[[KubeObject], KubeObject]
"""Keeps of an object what is needed."""
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


def get_labels(obj: KubeObject) -> Mapping[str, str]:
    """Return an object's labels."""
    return obj["metadata"].get("labels") or {}


def get_annotations(obj: KubeObject) -> Mapping[str, str]:
    """Return an object's annotations."""
    return obj["metadata"].get("annotations") or {}


def owner_uids(obj: KubeObject) -> set[str | None]:
    """Return the uids of the objects that an object belongs to."""
    return {reference.get("uid") for reference in obj["metadata"].get("ownerReferences") or ()}


def node_address(nodes: Iterable[KubeObject]) -> str | None:
    """Return an address of a node: an outer one rather than an inner one."""
    addresses: dict[str, str] = {}
    for node in nodes:
        for address in node.get("status", {}).get("addresses") or ():
            addresses.setdefault(address["type"], address["address"])
    return addresses.get("ExternalIP") or addresses.get("InternalIP")
