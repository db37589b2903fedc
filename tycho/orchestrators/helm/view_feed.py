"""One watch: the objects of a kind, listed once and then followed; after a gap it goes on, or lists again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from threading import Event, Thread
from typing import Any

from tycho.errors import ClusterUnreachable, Forbidden, NotFound, OrchestratorError, Unauthorized, UsageError
from tycho.orchestrators.helm.api import Api, Object, at
from tycho.orchestrators.helm.view_objects import Read
from tycho.orchestrators.helm.view_store import Store

WATCHED = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
LASTS = 600  # seconds after which the API server ends a watch
SILENCE = 90.0  # seconds; a bookmark comes every minute, even where nothing happens
PAUSES = (0.2, 30.0)  # seconds between attempts, the first and the longest
DENIED = 300.0  # seconds until what may not be watched is tried again


class Feed:
    """Follows the objects of a kind in one namespace, or in all.

    Args:
        api: The cluster.
        read: What is read, and of which objects.
        namespace: "" for all.
        most: How many objects are held; 0 is any number.
    """

    def __init__(self, api: Api, read: Read, namespace: str, most: int = 0) -> None:
        self.read, self.namespace = read, namespace
        self.store = Store(most)
        self.version = 0  # of the last change that was told
        self.listings = 0  # how often all was listed
        self.begun = asyncio.Event()  # whether it has been in sync once, or may not be
        self.synced = asyncio.Event()  # whether all changes are told as they happen
        self._api = api
        self._changed = asyncio.Condition()
        self._watch: Watch | None = None

    async def run(self) -> None:
        """List, then watch, until cancelled; what goes wrong is tried again, later each time."""
        pause = PAUSES[0]
        try:
            while True:
                try:
                    if not self.version:
                        await self._fill()
                    if await self._follow() > PAUSES[0]:
                        pause = PAUSES[0]
                        continue
                except (Forbidden, NotFound):
                    self._lose()
                    self.begun.set()
                    await asyncio.sleep(DENIED)
                except (ClusterUnreachable, Unauthorized, UsageError):  # it may know what changed meanwhile
                    pass
                except OrchestratorError:  # it remembers no changes since ours, or has trouble of its own
                    self._lose()
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads load, hides nothing
                pause = min(pause * 2, PAUSES[1])
        finally:
            self._lose()

    def cut(self) -> None:
        """End the watch that is open: another one goes on from where it was."""
        if self._watch:
            self._watch.end()

    def again(self) -> None:
        """List anew."""
        self._lose()
        self.cut()

    async def reach(self, namespace: str, selector: str) -> None:
        """Wait until all that is written by now is told, of the objects that a selector selects.

        A change is told by the object's version; that one was deleted, by its absence.
        """
        path = at(self.read.kind, namespace)
        items, version = await self._api.list_versioned(
            path, metadata=True, cut=lambda item: {"metadata": item["metadata"]}, labelSelector=selector
        )
        wanted = {item["metadata"]["uid"]: _version(item) for item in items}
        async with self._changed:
            await self._changed.wait_for(lambda: self._has(wanted, selector, int(version or 0)))

    def _has(self, wanted: dict[str, int], selector: str, version: int) -> bool:
        if self.version >= version:
            return True
        held = {item["metadata"]["uid"]: _version(item) for item in self.store.select("", selector)}
        arrived = all(held.get(uid, 0) >= since for uid, since in wanted.items())
        gone = all(uid in wanted or since > version for uid, since in held.items())
        return arrived and gone

    async def _fill(self) -> None:
        query = {"labelSelector": self.read.labels, "fieldSelector": self.read.fields, "limit": str(self.read.page)}
        items, version = await self._api.list_versioned(
            at(self.read.kind, self.namespace), metadata=self.read.metadata, cut=self.read.cut, **query
        )
        self.listings += 1
        self.store.fill(items)
        self.version = int(version)

    async def _follow(self) -> float:
        """Watch, until the watch ends; for how many seconds is returned."""
        began = time.monotonic()
        self._watch = watch = Watch(self._api, self.read, self.namespace, self.version)
        try:
            async for changes in watch.read_changes():
                if self.version:
                    self.synced.set()
                    self.begun.set()
                for change in changes:
                    self._apply(change)
                async with self._changed:
                    self._changed.notify_all()
        finally:
            self.synced.clear()
            watch.end()
        return time.monotonic() - began

    def _apply(self, change: Object) -> None:
        kind, item = change["type"], change["object"]
        if kind == "ERROR":
            raise OrchestratorError(str(item.get("message") or "a watch has ended"))
        if not self.version:  # it was lost a moment ago: what was still on its way is listed anew
            return
        self.version = max(self.version, _version(item))
        if kind == "DELETED":
            self.store.drop(item)
        elif kind != "BOOKMARK":
            self.store.put(item)

    def _lose(self) -> None:
        self.synced.clear()
        self.version = 0


class Watch:
    """Reads one watch in a thread of its own: reading blocks for as long as nothing happens.

    Args:
        api: The cluster.
        read: What is read, and of which objects.
        namespace: "" for all.
        version: After which change it begins.
    """

    def __init__(self, api: Api, read: Read, namespace: str, version: int) -> None:
        self._api, self._read = api, read
        self._path = at(read.kind, namespace)
        query = {"labelSelector": read.labels, "fieldSelector": read.fields, "resourceVersion": str(version)}
        self._query = {key: value for key, value in query.items() if value} | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(LASTS),
        }
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Sequence[Object] | OrchestratorError | None] = asyncio.Queue()
        self._ended = Event()
        self._response: Any = None
        Thread(target=self._run, name=f"tycho-watch-{read.kind.plural}", daemon=True).start()

    async def read_changes(self) -> AsyncIterator[Sequence[Object]]:
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

        try:
            self._response = self._api.stream(
                self._path,
                accept=WATCHED if self._read.metadata else "application/json",
                silence=SILENCE,
                **self._query,
            )
            with contextlib.closing(self._response):
                self._put(())
                for changes in self._read_lines():
                    self._put(changes)
            self._put(None)
        except OrchestratorError as error:
            self._put(error)
        except (HTTPError, OSError, ValueError):
            self._put(ClusterUnreachable("a watch was cut"))

    def _read_lines(self) -> Iterator[list[Object]]:
        rest = b""
        while not self._ended.is_set() and (chunk := self._response.read1(1 << 18)):
            *lines, rest = (rest + chunk).split(b"\n")
            if lines:
                yield [self._parse(line) for line in lines]

    def _parse(self, line: bytes) -> Object:
        change: Object = json.loads(line)
        if change["type"] in ("ADDED", "MODIFIED"):
            change["object"] = self._read.cut(change["object"])
        return change

    def _put(self, changes: Sequence[Object] | OrchestratorError | None) -> None:
        with contextlib.suppress(RuntimeError):  # whoever asked is gone, and its loop with it
            self._loop.call_soon_threadsafe(self._queue.put_nowait, changes)


def _version(item: Object) -> int:
    return int(item["metadata"].get("resourceVersion") or 0)
