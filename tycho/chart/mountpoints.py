"""Make mountpoints inside read-only mounts before they are mounted: no runtime can make them there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from tycho.chart.mounts import PodVolume, ServiceMount, VolumeStep
from tycho.chart.names import label, short_hash

COPIED_KINDS = ("configMap", "secret", "secretFiles", "projected")


def make_mountpoints(name: str, mountings: Iterable[ServiceMount]) -> Iterator[ServiceMount]:
    """Yield the mounts of a service, with the mountpoints that the read-only ones among them need.

    A ConfigMap or Secret cannot have any: a copy of it is mounted in its place.

    Args:
        name: The service.
        mountings: Its mounts.
    """
    listed = list(mountings)
    within: dict[str, list[ServiceMount]] = {}
    paths = {mounting.mounted.path for mounting in listed}
    for mounting in listed:
        if around := _find_outer(mounting.mounted.path, paths):
            within.setdefault(around, []).append(mounting)
    for mounting in listed:
        inner = within.get(mounting.mounted.path, ())
        yield _with_mountpoints(name, mounting, inner) if inner and mounting.mounted.read_only else mounting


def _find_outer(path: str, paths: set[str]) -> str:
    """Find the mount that another one lies in."""
    above = posixpath.dirname(path)
    while above not in paths:
        if above in ("/", ""):
            return ""
        above = posixpath.dirname(above)
    return above


def _with_mountpoints(name: str, outer: ServiceMount, inner: Iterable[ServiceMount]) -> ServiceMount:
    points = tuple(
        VolumeStep(
            "file" if mounting.mounted.single else "folder",
            posixpath.relpath(mounting.mounted.path, outer.mounted.path),
            claim=outer.mounted.claim,
        )
        for mounting in inner
    )
    if outer.volume.kind in COPIED_KINDS:
        secret = outer.volume.kind != "configMap"
        volume = PodVolume(f"{label(name, 40)}-{short_hash(outer.mounted.path)}", "emptyDir", memory=secret)
        mounted = replace(outer.mounted, volume=volume.name)
        return ServiceMount(mounted, volume, (VolumeStep("copy"), *points), outer.volume)
    if outer.volume.kind in ("claim", "emptyDir"):
        return replace(outer, steps=(*outer.steps, *points))
    return outer
