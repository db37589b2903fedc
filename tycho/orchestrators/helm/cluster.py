"""Looking at a cluster: a fixed number of requests, however many systems there are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tycho.errors import Forbidden, NotFound
from tycho.orchestrators.helm.api import Api, Object, at
from tycho.orchestrators.helm.releases import SYSTEMS
from tycho.orchestrators.helm.workloads import Seen, statuses
from tycho.release import Release

WORKLOADS = {
    "Deployment": "apps/v1/deployments",
    "StatefulSet": "apps/v1/statefulsets",
    "DaemonSet": "apps/v1/daemonsets",
    "Job": "batch/v1/jobs",
    "CronJob": "batch/v1/cronjobs",
}


async def look(api: Api, namespace: str = "", selector: str = SYSTEMS) -> Seen:
    """Workloads, pods, services and nodes of Tycho's systems.

    Args:
        api: The cluster.
        namespace: One namespace, or "" for all.
        selector: Which objects; all of Tycho's by default.
    """
    lists = [_list(api, path, namespace, selector) for path in (*WORKLOADS.values(), "pods", "services")]
    *workloads, pods, services, nodes = await asyncio.gather(*lists, _nodes(api))
    return Seen(
        workloads=tuple(
            {**one, "kind": kind} for kind, found in zip(WORKLOADS, workloads, strict=True) for one in found
        ),
        pods=tuple(pods),
        services=tuple(services),
        nodes=tuple(nodes),
    )


def with_services(release: Release, seen: Seen) -> Release:
    """A release as the look shows it."""
    identity = release.identity
    found = statuses(seen, identity.release, identity.namespace)
    return release.model_copy(update={"services": found, "simulated": seen.simulated})


async def _list(api: Api, path: str, namespace: str, selector: str) -> Sequence[Object]:
    return await api.list(at(path, namespace), labelSelector=selector)


async def _nodes(api: Api) -> Sequence[Object]:
    """Nodes belong to the cluster's owner: who may not see them gets no node address."""
    try:
        return await api.list(at("nodes"))
    except (Forbidden, NotFound):
        return ()
