"""Looks at systems: all of them, one, and those that an id names; none of them changes anything."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from tycho.choices import is_exact
from tycho.errors import Forbidden, NotFound
from tycho.orchestrators import NO_LABELS
from tycho.orchestrators.helm import namespaces, releases, snapshots, volumes
from tycho.orchestrators.helm.observer import Observer
from tycho.orchestrators.helm.view_lists import Source
from tycho.orchestrators.helm.workloads import ClusterSnapshot, has_labels
from tycho.release import Identity, Release

WHOLE = re.compile(r"(?:.+-)?([0-9a-f]{32})", re.DOTALL)  # a GUID, or `<name>-<guid>`
NAMED = re.compile(r"[a-z0-9][a-z0-9-]*-[0-9a-f]{8}")  # a release, as Tycho names it


async def list_systems(
    source: Source, namespace: str, *, services: bool, labels: Mapping[str, str] = NO_LABELS
) -> list[Release]:
    """List every system, oldest first.

    Args:
        source: What tells of the cluster.
        namespace: In this one alone, or "" for all.
        services: Whether to look at the services, too.
        labels: Those alone of which a service has these labels.
    """
    if not services and not labels:
        return await list_known(source, namespace)
    known, parts = await look_at_all(source, namespace)
    return [
        snapshots.with_services(release, seen)
        for release, seen in zip(known, parts, strict=True)
        if not labels or has_labels(seen, labels)
    ]


async def look_at_all(source: Source, namespace: str) -> tuple[list[Release], list[ClusterSnapshot]]:
    """List every system, oldest first, without its services; with each what is seen of it.

    Args:
        source: What tells of the cluster.
        namespace: In this one alone, or "" for all.
    """
    known, seen = await asyncio.gather(list_known(source, namespace), _look(source, namespace))
    seen = seen or await snapshots.snapshot_each(source, sorted({release.identity.namespace for release in known}))
    parts, nothing = seen.divide(), ClusterSnapshot(nodes=seen.nodes)
    return known, [parts.get((each.identity.release, each.identity.namespace), nothing) for each in known]


async def read_system(source: Source, identity: Identity, observer: Observer) -> Release:
    """Look at one system, with its services.

    Raises:
        NotFound: Nothing of it is there.
    """
    matches, seen = await asyncio.gather(
        releases.list_releases(source, identity.namespace, guid=identity.guid), snapshots.snapshot_one(source, identity)
    )
    if not matches:
        matches = await volumes.find_kept(source, (), namespace=identity.namespace, guid=identity.guid)
    if not matches and identity.own_namespace:
        matches = await namespaces.list_orphaned(source, (), guid=identity.guid)
    for release in matches:
        return observer.judge(release, seen)
    raise NotFound(f'no system "{identity.release}" runs here', hint="`tycho status` lists what runs")


async def find_systems(source: Source, namespace: str, id: str) -> list[Release]:
    """Find the systems that an id names wholly, each asked for by label: none where it is a prefix, or a project.

    Args:
        source: What tells of the cluster.
        namespace: In this one alone, or "" for all.
        id: A GUID, `<name>-<guid>`, or a release's name.
    """
    guid = match[1] if (match := WHOLE.fullmatch(id)) else ""
    release = id if not guid and NAMED.fullmatch(id) and len(id) <= releases.LONGEST else ""
    if not guid and not release:
        return []
    matches = await releases.list_releases(source, namespace, guid=guid, release=release)
    if not matches:
        matches = await volumes.find_kept(source, (), namespace=namespace, guid=guid, release=release)
    if not matches and not namespace:
        matches = await namespaces.list_orphaned(source, (), guid=guid, release=release)
    return [match for match in matches if is_exact(match.identity, id)]


async def list_known(source: Source, namespace: str) -> list[Release]:
    """List every system, without its services: those that run, and those of which something is left."""
    listed = await releases.list_releases(source, namespace)
    known = {release.identity.guid for release in listed}
    listed += await volumes.find_kept(source, known, namespace=namespace)
    return listed if namespace else [*listed, *await namespaces.list_orphaned(source, listed)]


async def _look(source: Source, namespace: str) -> ClusterSnapshot | None:
    """What runs in the target; None for who may not look at all of it at once."""
    try:
        return await snapshots.snapshot_all(source, namespace)
    except Forbidden:
        if namespace:
            raise
        return None
