"""What a system's containers have written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC

from tycho import kinds
from tycho.errors import NotFound
from tycho.kube.client import KubeClient
from tycho.kube.log_reader import LogReader
from tycho.orchestrators import LogRequest
from tycho.orchestrators.helm.restart import list_workloads
from tycho.orchestrators.helm.services import check_services, list_containers, select_containers
from tycho.orchestrators.helm.workloads import INSTANCE
from tycho.orchestrators.requests import BAR
from tycho.release import Identity

READ_AHEAD = 1000  # lines that wait for a slow reader


async def read_lines(api: KubeClient, identity: Identity, query: LogRequest) -> AsyncIterator[str]:
    """Lines of the pods' logs, as they come, each with its pod's name before it.

    Args:
        api: The cluster.
        identity: Which system.
        query: Which lines of which services.

    Raises:
        NotFound: No such service, or none of these services has a pod.
    """
    pods = await api.list(kinds.POD.path(identity.namespace), labelSelector=f"{INSTANCE}={identity.release}")
    selected = {
        (pod["metadata"]["name"], container): len(list_containers(pod)) > 1
        for pod, container in select_containers(pods, query.services)
    }
    if query.services and (not selected or len(query.services) > 1):
        check_services(identity, await list_workloads(api, identity), query.services)
    if not selected:
        raise NotFound(
            f"{identity.name} has no pod" + (f" of {', '.join(query.services)}" if query.services else ""),
            hint=f"`tycho status --services {identity.name}` says why",
        )
    options = {
        "tailLines": "" if query.tail is None else str(query.tail),
        "follow": "true" if query.follow else "",
        "sinceTime": query.since.astimezone(UTC).isoformat(timespec="seconds") if query.since else "",
        "timestamps": "true" if query.timestamps else "",
    }
    parameters = {key: value for key, value in options.items() if value}
    names = {key: "/".join(key) if several else key[0] for key, several in selected.items()}
    width = max(map(len, names.values())) if query.aligned else 0
    bar = BAR if query.aligned else "  "
    queue: asyncio.Queue[str | None] = asyncio.Queue(READ_AHEAD)
    readers = [
        LogReader(api, kinds.POD.path(identity.namespace, pod) + "/log", {**parameters, "container": container},
                  names[pod, container].ljust(width) + bar, queue)
        for pod, container in selected
    ]  # fmt: skip
    try:
        running = len(readers)
        while running:
            line = await queue.get()
            if line is None:
                running -= 1
            else:
                yield line
    finally:
        for reader in readers:
            reader.end()
