"""The objects of a kind, listed once and then followed by watches; after a gap it goes on, or lists again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection

from tycho.errors import ClusterUnreachable, Forbidden, NotFound, OrchestratorError, Unauthorized, UsageError
from tycho.kinds import Kind
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.kube.query import ObjectQuery
from tycho.kube.store import Store
from tycho.kube.watch import Watch

PAUSES = (0.2, 30.0)  # seconds between attempts, the first and the longest
DENIED = 300.0  # seconds until what may not be watched is tried again
Listener = Callable[[Kind, KubeObject | None], None]
"""Called with each object that changes, and its kind; with None where any of that kind may have."""


class Feed:
    """Follows the objects of a kind in one namespace, or in all.

    Args:
        api: The cluster.
        query: Which objects, and what is kept of them.
        namespace: "" for all.
        most: How many objects are kept; 0 is any number.
        indexed: Labels that objects are asked for by.
    """

    def __init__(
        self, api: KubeClient, query: ObjectQuery, namespace: str, most: int = 0, indexed: Collection[str] = ()
    ) -> None:
        self.query, self.namespace = query, namespace
        self.store = Store(most, indexed)
        self.version = 0  # of the last change that was read
        self.listings = 0  # how often all was listed
        self.begun = asyncio.Event()  # whether it has been in sync once, or may not be
        self.synced = asyncio.Event()  # whether all changes are read as they happen
        self.listeners: set[Listener] = set()
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

    def relist(self) -> None:
        """List anew."""
        self._lose()
        self.cut()

    async def reach(self, namespace: str, selector: str) -> None:
        """Wait until all that is written by now has arrived, of the objects that a selector selects.

        A change is recognised by the object's version; that an object was deleted, by its absence.
        """
        items, version = await self._api.list_versioned(
            self.query.kind.path(namespace),
            metadata=True,
            reduce=lambda obj: {"metadata": obj["metadata"]},
            labelSelector=selector,
        )
        written = {obj["metadata"]["uid"]: _version(obj) for obj in items}
        async with self._changed:
            await self._changed.wait_for(lambda: self._has(written, selector, int(version or 0)))

    def _has(self, written: dict[str, int], selector: str, version: int) -> bool:
        if self.version >= version:
            return True
        stored = {obj["metadata"]["uid"]: _version(obj) for obj in self.store.select("", selector)}
        arrived = all(stored.get(uid, 0) >= since for uid, since in written.items())
        gone = all(uid in written or since > version for uid, since in stored.items())
        return arrived and gone

    async def _fill(self) -> None:
        query = self.query
        items, version = await self._api.list_versioned(
            query.kind.path(self.namespace),
            metadata=query.metadata,
            reduce=query.reduce,
            labelSelector=query.labels,
            fieldSelector=query.fields,
            limit=str(query.page),
        )
        self.listings += 1
        self.store.fill(items)
        self.version = int(version)
        self._notify(None)

    async def _follow(self) -> float:
        """Watch until the watch ends; return for how many seconds that was."""
        began = time.monotonic()
        self._watch = watch = Watch(self._api, self.query, self.namespace, self.version)
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
            self._notify(None)
        return time.monotonic() - began

    def _apply(self, change: KubeObject) -> None:
        kind, obj = change["type"], change["object"]
        if kind == "ERROR":
            raise OrchestratorError(str(obj.get("message") or "a watch has ended"))
        if not self.version:  # it was lost a moment ago: what was still on its way is listed anew
            return
        self.version = max(self.version, _version(obj))
        if kind == "DELETED":
            self.store.drop(obj)
        elif kind != "BOOKMARK":
            self.store.put(obj)
        if kind != "BOOKMARK":
            self._notify(obj)

    def _notify(self, obj: KubeObject | None) -> None:
        for listener in tuple(self.listeners):
            listener(self.query.kind, obj)

    def _lose(self) -> None:
        self.synced.clear()
        self.version = 0


def _version(obj: KubeObject) -> int:
    return int(obj["metadata"].get("resourceVersion") or 0)
