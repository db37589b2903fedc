"""What a system's containers have written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC
from threading import Event, Thread
from typing import Any

from tycho import kinds
from tycho.errors import NotFound, OrchestratorError
from tycho.orchestrators import LogQuery
from tycho.orchestrators.helm.api import Api, at
from tycho.orchestrators.helm.restart import list_workloads
from tycho.orchestrators.helm.services import check_services, list_containers, select_containers
from tycho.orchestrators.helm.workloads import INSTANCE
from tycho.release import Identity

READ_AHEAD = 1000  # lines that wait for a slow reader


async def lines(api: Api, identity: Identity, query: LogQuery) -> AsyncIterator[str]:
    """Lines of the pods' logs, as they come, each with its pod's name before it.

    Args:
        api: The cluster.
        identity: Which system.
        query: Which lines of which services.

    Raises:
        NotFound: No such service, or none of these services has a pod.
    """
    pods = await api.list(at(kinds.POD, identity.namespace), labelSelector=f"{INSTANCE}={identity.release}")
    wanted = {
        (pod["metadata"]["name"], container): len(list_containers(pod)) > 1
        for pod, container in select_containers(pods, query.services)
    }
    if query.services and (not wanted or len(query.services) > 1):
        check_services(identity, await list_workloads(api, identity), query.services)
    if not wanted:
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
    queue: asyncio.Queue[str | None] = asyncio.Queue(READ_AHEAD)
    readers = [
        Reader(api, at(kinds.POD, identity.namespace, pod) + "/log", {**parameters, "container": container},
               f"{pod}/{container}" if several else pod, queue)
        for (pod, container), several in wanted.items()
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


class Reader:
    """Reads one container's log in a thread of its own: reading blocks for as long as the container is silent.

    Args:
        api: The cluster.
        path: Of the log.
        query: What of it.
        prefix: What to write before each line.
        queue: Where lines go; None at the end.
    """

    def __init__(
        self, api: Api, path: str, query: dict[str, Any], prefix: str, queue: asyncio.Queue[str | None]
    ) -> None:
        self._open: Callable[[], Any] = lambda: api.stream(path, **query)
        self._prefix, self._queue = prefix, queue
        self._loop = asyncio.get_running_loop()
        self._ended = Event()
        self._response: Any = None
        Thread(target=self._run, name=f"tycho-log-{prefix}", daemon=True).start()

    def end(self) -> None:
        """Read no more, even where nothing comes."""
        self._ended.set()
        if self._response is not None:
            with contextlib.suppress(Exception):  # it may be at its end already
                self._response.shutdown()

    def _run(self) -> None:
        try:
            for line in self._lines():
                self._put(f"{self._prefix}  {line}")
        except OrchestratorError as error:
            self._put(f"{self._prefix}  ({error.message})")
        finally:
            self._put(None)

    def _lines(self) -> Iterator[str]:
        from urllib3.exceptions import HTTPError

        self._response = self._open()
        rest = b""
        with contextlib.closing(self._response), contextlib.suppress(HTTPError, OSError):  # the connection has ended
            while not self._ended.is_set() and (chunk := self._response.read1(65536)):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)
        if rest:
            yield rest.decode(errors="replace")

    def _put(self, line: str | None) -> None:
        if self._ended.is_set():
            return
        with contextlib.suppress(RuntimeError):  # whoever asked is gone, and its loop with it
            future = asyncio.run_coroutine_threadsafe(self._queue.put(line), self._loop)
            while not self._ended.is_set():
                with contextlib.suppress(TimeoutError):
                    future.result(1)
                    return
            future.cancel()
