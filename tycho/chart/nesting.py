"""Mounts inside of read-only mounts: no runtime can make their mountpoints, so they are made before."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tycho.chart.mounted import Mounting, Step, Volume
from tycho.chart.names import label, short

CARRIED = ("configMap", "secret", "secretFiles", "projected")


def make_mountpoints(name: str, mountings: Iterable[Mounting]) -> Iterator[Mounting]:
    """Yield the mounts of a service, with the mountpoints that the read-only ones among them need.

    A ConfigMap or Secret cannot have any: a copy of it is mounted in its place.

    Args:
        name: The service.
        mountings: Its mounts.
    """
    listed = list(mountings)
    within: dict[str, list[Mounting]] = {}
    paths = {mounting.mounted.path for mounting in listed}
    for mounting in listed:
        if around := _nearest(mounting.mounted.path, paths):
            within.setdefault(around, []).append(mounting)
    for mounting in listed:
        inner = within.get(mounting.mounted.path, ())
        yield _with_mountpoints(name, mounting, inner) if inner and mounting.mounted.read_only else mounting


def _nearest(path: str, paths: set[str]) -> str:
    """Find the mount that another one lies in."""
    above = posixpath.dirname(path)
    while above not in paths:
        if above in ("/", ""):
            return ""
        above = posixpath.dirname(above)
    return above


def _with_mountpoints(name: str, outer: Mounting, inner: Iterable[Mounting]) -> Mounting:
    points = tuple(
        Step(
            "file" if mounting.mounted.single else "folder",
            posixpath.relpath(mounting.mounted.path, outer.mounted.path),
            claim=outer.mounted.claim,
        )
        for mounting in inner
    )
    if outer.volume.kind in CARRIED:
        secret = outer.volume.kind != "configMap"
        volume = Volume(f"{label(name, 40)}-{short(outer.mounted.path)}", "emptyDir", memory=secret)
        mounted = replace(outer.mounted, volume=volume.name)
        return Mounting(mounted, volume, (Step("copy"), *points), outer.volume)
    if outer.volume.kind in ("claim", "emptyDir"):
        return replace(outer, steps=(*outer.steps, *points))
    return outer
