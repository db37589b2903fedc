"""What the cluster tells of a system's objects: its Events, by compose service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from tycho import kinds
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.orchestrators.helm.restart import list_workloads
from tycho.orchestrators.helm.services import check_services
from tycho.orchestrators.helm.workloads import INSTANCE, name
from tycho.release import Event, Identity

INTERVAL = 1.0  # seconds between looks while following; a watch would have to be begun anew whenever it expires
MADE = (kinds.REPLICA_SET.name, kinds.JOB.name, kinds.POD.name)
"""Kinds whose objects are named for their workload; they may be gone while their events are still there."""
LABELLED = (kinds.POD, kinds.SERVICE, kinds.CLAIM)


async def list_events(
    api: KubeClient, identity: Identity, services: Sequence[str], *, follow: bool
) -> AsyncIterator[Event]:
    """Yield a system's events, oldest first.

    Args:
        api: The cluster.
        identity: Which system.
        services: Of these alone; of all, and of the system as a whole, when empty.
        follow: Go on until nobody asks any more.

    Raises:
        NotFound: No such service.
    """
    yielded: dict[str, str] = {}  # uid -> version: an event that happens again is the same object in a new version
    workloads = await list_workloads(api, identity)
    check_services(identity, workloads, services)
    while True:
        items, owners = await asyncio.gather(
            api.list(kinds.EVENT.path(identity.namespace)), _name_owners(api, identity, workloads)
        )
        events = []
        for obj in items:
            meta = obj["metadata"]
            service = _find_service(obj["involvedObject"], owners, workloads, identity)
            if yielded.get(meta["uid"]) == meta["resourceVersion"] or service is None:
                continue
            yielded[meta["uid"]] = meta["resourceVersion"]
            if not services or service in services:
                events.append(_event(obj, service))
        for event in sorted(events, key=lambda event: event.time):
            yield event
        if not follow:
            return
        await asyncio.sleep(INTERVAL)
        workloads = await list_workloads(api, identity) or workloads


async def _name_owners(
    api: KubeClient, identity: Identity, workloads: Sequence[KubeObject]
) -> Mapping[tuple[str, str], str]:
    """Map the kind and name of each object of a system to its service."""
    selector = f"{INSTANCE}={identity.release}"
    lists = await asyncio.gather(
        *(api.list(kind.path(identity.namespace), metadata=True, labelSelector=selector) for kind in LABELLED)
    )
    owners = {
        (kind.name, obj["metadata"]["name"]): name(obj)
        for kind, items in zip(LABELLED, lists, strict=True)
        for obj in items
    }
    return owners | {(workload["kind"], workload["metadata"]["name"]): name(workload) for workload in workloads}


def _find_service(
    involved: KubeObject, owners: Mapping[tuple[str, str], str], workloads: Sequence[KubeObject], identity: Identity
) -> str | None:
    """Find the service that an event is about; "" for the whole system, None for what is none of its business."""
    kind, object_name = involved.get("kind", ""), involved.get("name", "")
    if kind == kinds.SECRET.name and object_name.startswith(f"sh.helm.release.v1.{identity.release}.v"):
        return ""
    if (kind, object_name) in owners:
        return owners[kind, object_name]
    makers = [
        workload
        for workload in workloads
        if kind in MADE and object_name.startswith(f"{workload['metadata']['name']}-")
    ]
    if makers:
        return name(max(makers, key=lambda workload: len(workload["metadata"]["name"])))
    # In a namespace of its own all that happens is the system's; a shared one has other owners, too.
    return "" if identity.own_namespace else None


def _event(obj: KubeObject, service: str) -> Event:
    involved, series = obj["involvedObject"], obj.get("series") or {}
    return Event(
        time=read_time(obj),
        service=service,
        object=f"{involved.get('kind', '')}/{involved.get('name', '')}",
        type="Warning" if obj.get("type") == "Warning" else "Normal",
        reason=obj.get("reason") or "",
        message=obj.get("message") or "",
        count=series.get("count") or obj.get("count") or 1,
    )


def read_time(obj: KubeObject) -> datetime:
    """Read when an event happened last: recorders write it in one of several fields."""
    series = obj.get("series") or {}
    stamp = (
        series.get("lastObservedTime")
        or obj.get("lastTimestamp")
        or obj.get("eventTime")
        or obj.get("firstTimestamp")
        or obj["metadata"]["creationTimestamp"]
    )
    return datetime.fromisoformat(stamp)
