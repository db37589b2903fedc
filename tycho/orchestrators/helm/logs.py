"""What a system's containers have written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tycho.errors import NotFound, OrchestratorError
from tycho.orchestrators.helm.api import Api, at
from tycho.orchestrators.helm.workloads import name
from tycho.release import Identity


async def lines(
    api: Api, identity: Identity, services: tuple[str, ...], *, follow: bool, tail: int
) -> AsyncIterator[str]:
    """Lines of the pods' logs, as they come, each with its pod's name before it.

    Args:
        api: The cluster.
        identity: Which system.
        services: Of these services alone; of all when empty.
        follow: Go on as long as the pods live.
        tail: How many lines to begin with.

    Raises:
        NotFound: None of these services has a pod.
    """
    selector = f"app.kubernetes.io/instance={identity.release}"
    pods = await api.list(at("pods", identity.namespace), labelSelector=selector)
    wanted = [pod["metadata"]["name"] for pod in pods if not services or name(pod) in services]
    if not wanted:
        raise NotFound(f"{identity.name} has no pod" + (f" of {', '.join(services)}" if services else ""))
    queue: asyncio.Queue[str | None] = asyncio.Queue(1000)
    loop = asyncio.get_running_loop()

    def read(pod: str) -> None:
        query = {"tailLines": str(tail), **({"follow": "true"} if follow else {})}
        try:
            for line in api.stream(at("pods", identity.namespace, pod) + "/log", **query):
                asyncio.run_coroutine_threadsafe(queue.put(f"{pod}  {line.decode(errors='replace')}"), loop).result()
        except OrchestratorError as error:
            asyncio.run_coroutine_threadsafe(queue.put(f"{pod}  ({error.message})"), loop).result()
        finally:
            asyncio.run_coroutine_threadsafe(queue.put(None), loop).result()

    for pod in wanted:
        loop.run_in_executor(None, read, pod)
    open_ = len(wanted)
    while open_:
        line = await queue.get()
        if line is None:
            open_ -= 1
        else:
            yield line
