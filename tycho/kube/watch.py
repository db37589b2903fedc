"""One watch request: the changes of the objects of a kind, as the API server sends them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from threading import Event, Thread
from typing import Any

from tycho.errors import ClusterUnreachable, OrchestratorError
from tycho.kube.client import KubeClient
from tycho.kube.objects import METADATA, KubeObject
from tycho.kube.query import ObjectQuery

WATCH_SECONDS = 600  # after which the API server ends a watch
SILENCE = 90.0  # seconds; a bookmark comes every minute, even where nothing happens
CHUNK = 1 << 18  # bytes


class Watch:
    """Reads one watch in a thread of its own: reading blocks for as long as nothing happens.

    Args:
        api: The cluster.
        query: Which objects, and what is kept of them.
        namespace: "" for all.
        version: After which change it begins.
    """

    def __init__(self, api: KubeClient, query: ObjectQuery, namespace: str, version: int) -> None:
        self._api, self._query = api, query
        self._path = query.kind.path(namespace)
        selectors = {"labelSelector": query.labels, "fieldSelector": query.fields, "resourceVersion": str(version)}
        self._parameters = {key: value for key, value in selectors.items() if value} | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Sequence[KubeObject] | OrchestratorError | None] = asyncio.Queue()
        self._ended = Event()
        self._response: Any = None
        Thread(target=self._run, name=f"tycho-watch-{query.kind.plural}", daemon=True).start()

    async def read_changes(self) -> AsyncIterator[Sequence[KubeObject]]:
        """Yield the changes as they come: none at first, as soon as the watch is there.

        Raises:
            OrchestratorError: It could not be begun, or was cut.
        """
        while (changes := await self._queue.get()) is not None:
            if isinstance(changes, OrchestratorError):
                raise changes
            yield changes

    def end(self) -> None:
        """Read no more, even where nothing comes."""
        self._ended.set()
        if self._response is not None:
            with contextlib.suppress(Exception):  # it may be at its end already
                self._response.shutdown()

    def _run(self) -> None:
        from urllib3.exceptions import HTTPError

        accept = METADATA if self._query.metadata else "application/json"
        try:
            self._response = self._api.stream(self._path, accept=accept, silence=SILENCE, **self._parameters)
            with contextlib.closing(self._response):
                self._put(())
                for changes in self._read_lines():
                    self._put(changes)
            self._put(None)
        except OrchestratorError as error:
            self._put(error)
        except (HTTPError, OSError, ValueError):
            self._put(ClusterUnreachable("a watch was cut"))

    def _read_lines(self) -> Iterator[list[KubeObject]]:
        buffer = b""
        while not self._ended.is_set() and (chunk := self._response.read1(CHUNK)):
            *lines, buffer = (buffer + chunk).split(b"\n")
            if lines:
                yield [self._parse(line) for line in lines]

    def _parse(self, line: bytes) -> KubeObject:
        change: KubeObject = json.loads(line)
        if change["type"] in ("ADDED", "MODIFIED"):
            change["object"] = self._query.reduce(change["object"])
        return change

    def _put(self, changes: Sequence[KubeObject] | OrchestratorError | None) -> None:
        with contextlib.suppress(RuntimeError):  # whoever asked is gone, and its loop with it
            self._loop.call_soon_threadsafe(self._queue.put_nowait, changes)
