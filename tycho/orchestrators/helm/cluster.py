"""Looking at a cluster: a fixed number of requests, however many systems there are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tycho import kinds
from tycho.errors import Forbidden, NotFound
from tycho.orchestrators.helm.api import Api, Object, at
from tycho.orchestrators.helm.releases import SYSTEMS
from tycho.orchestrators.helm.workloads import INSTANCE, Seen, labels, name, notes, statuses
from tycho.release import ORIGIN, Identity, Origin, Release, parse_origin
from tycho.settings import settings

WARNINGS = "type=Warning,reason!=FailedScheduling"  # that one is told by the pod itself, and is stale afterwards
EVENTS = "500"
NODES = "50"  # enough to find an address among them, and to see whether they are simulated


async def look(api: Api, namespace: str = "") -> Seen:
    """Workloads, pods, services and nodes of all systems, in one namespace or in the cluster."""
    return await _look(api, namespace, SYSTEMS)


async def look_at(api: Api, identity: Identity) -> Seen:
    """The same of one system, and what the cluster warns of in its namespace."""
    seen, warnings = await asyncio.gather(
        _look(api, identity.namespace, f"{INSTANCE}={identity.release}"),
        _if_allowed(api, at(kinds.EVENT, identity.namespace), fieldSelector=WARNINGS, limit=EVENTS),
    )
    return replace(seen, warnings=tuple(warnings))


async def look_in_each(api: Api, namespaces: Sequence[str]) -> Seen:
    """For who may look at single namespaces alone."""
    seen = await asyncio.gather(*(_look(api, namespace, SYSTEMS) for namespace in namespaces))
    return Seen(
        workloads=tuple(one for part in seen for one in part.workloads),
        replicasets=tuple(one for part in seen for one in part.replicasets),
        pods=tuple(one for part in seen for one in part.pods),
        services=tuple(one for part in seen for one in part.services),
        slices=tuple(one for part in seen for one in part.slices),
        nodes=seen[0].nodes if seen else (),
        quiet=settings().quiet_time,
        now=min((part.now for part in seen), default=api.clock.tell(time.monotonic())),
    )


async def list_pods(api: Api, identity: Identity) -> Mapping[str, str]:
    """List the pods of a system: the service of each, by its uid."""
    selector = f"{INSTANCE}={identity.release}"
    pods = await api.list(at(kinds.POD, identity.namespace), metadata=True, labelSelector=selector)
    return {pod["metadata"]["uid"]: name(pod) for pod in pods}


def with_services(release: Release, seen: Seen) -> Release:
    """A release as the look shows it."""
    identity = release.identity
    found = statuses(seen, identity.release, identity.namespace)
    origin = read_origin(seen, identity)
    return release.model_copy(update={"services": found, "simulated": seen.simulated, "origin": origin})


def read_origin(seen: Seen, identity: Identity) -> Origin | None:
    """Read off a system's workloads where it was started from; those of a finished job may be of an earlier start."""
    texts = [
        (workload["kind"] != "Job", workload["metadata"]["creationTimestamp"], text)
        for workload in seen.workloads
        if labels(workload).get(INSTANCE) == identity.release
        and workload["metadata"]["namespace"] == identity.namespace
        and (text := notes(workload).get(ORIGIN))
    ]
    return parse_origin(max(texts)[-1]) if texts else None


async def nodes(api: Api) -> Sequence[Object]:
    """Some nodes; they belong to the cluster's owner, and who may not see them gets no node address."""
    return await _if_allowed(api, at(kinds.NODE), limit=NODES)


async def _if_allowed(api: Api, path: str, **query: str) -> Sequence[Object]:
    try:
        found: Sequence[Object] = (await api.get(path, **query)).get("items") or ()
    except (Forbidden, NotFound):
        return ()
    return found


async def _list_if_allowed(api: Api, path: str, selector: str) -> Sequence[Object]:
    try:
        return await api.list(path, labelSelector=selector)
    except (Forbidden, NotFound):
        return ()


async def _look(api: Api, namespace: str, selector: str) -> Seen:
    began = time.monotonic()
    paths = [at(kind, namespace) for kind in (*kinds.WORKLOADS.values(), kinds.POD, kinds.SERVICE)]
    *workloads, pods, services, replicasets, slices, some_nodes = await asyncio.gather(
        *(api.list(path, labelSelector=selector) for path in paths),
        api.list(at(kinds.REPLICA_SET, namespace), metadata=True, labelSelector=selector),
        # They carry the labels of their Services.
        _list_if_allowed(api, at(kinds.ENDPOINT_SLICE, namespace), selector),
        nodes(api),
    )
    return Seen(
        workloads=tuple(
            {**workload, "kind": kind}
            for kind, listed in zip(kinds.WORKLOADS, workloads, strict=True)
            for workload in listed
        ),
        replicasets=tuple(replicasets),
        pods=tuple(pods),
        services=tuple(services),
        slices=tuple(slices),
        nodes=tuple(some_nodes),
        now=api.clock.tell(began),
        began=began,
        ended=time.monotonic(),
        quiet=settings().quiet_time,
    )
