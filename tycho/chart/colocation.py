"""Find the pods that share volumes and so must share a node, and the claims that belong to one workload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tycho.chart.names import label
from tycho.chart.objects import PersistentVolumeClaim
from tycho.chart.workload import Workload


def pods_by_claim(pods: Sequence[Workload]) -> dict[str, list[Workload]]:
    """Return the pods that mount each claim."""
    pods_of: dict[str, list[Workload]] = {}
    for pod in pods:
        for source in dict.fromkeys(volume.source for volume in pod.volumes if volume.kind == "claim"):
            pods_of.setdefault(source, []).append(pod)
    return pods_of


def claim_template(claim: PersistentVolumeClaim, by: Sequence[Workload]) -> PersistentVolumeClaim:
    """Turn a claim that only one StatefulSet uses into a claim template: each of its pods gets its own."""
    if len(by) == 1 and by[0].kind == "StatefulSet" and not claim.existing:
        return replace(claim, owner=by[0].name)
    return claim


def colocate(pods: Sequence[Workload], used: Mapping[str, Sequence[Workload]]) -> tuple[Workload, ...]:
    """Group pods that share volumes, directly or through others: each group runs on one node."""
    group = {pod.name: pod.name for pod in pods}

    def head(name: str) -> str:
        while group[name] != name:
            name = group[name] = group[group[name]]
        return name

    for by in used.values():
        for pod in by[1:]:
            first, second = sorted((head(by[0].name), head(pod.name)))
            group[second] = first
    volumes: dict[str, set[str]] = {}
    sizes: dict[str, int] = {}
    for source, by in used.items():
        volumes.setdefault(head(by[0].name), set()).add(source)
    for pod in pods:
        sizes[head(pod.name)] = sizes.get(head(pod.name), 0) + 1
    return tuple(_join_group(pod, head(pod.name), volumes, sizes) for pod in pods)


def _join_group(pod: Workload, head: str, volumes: Mapping[str, set[str]], sizes: Mapping[str, int]) -> Workload:
    if head not in volumes or pod.kind == "StatefulSet" or (sizes[head] == 1 and not pod.may_scale):
        return pod
    labels = (*pod.labels, ("tycho.dev/volumes", label(head)))
    return replace(pod, group=label(head), claims=tuple(sorted(volumes[head])), labels=labels)
