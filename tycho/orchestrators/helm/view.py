"""One look at a cluster, kept: what `view_lists` asks for each time is listed once, and followed by watches.

    list -> watch -> store <- list, status, readiness, find
                       ^ reach: whoever has written waits until it shows

As long as a kind's list is not complete, its watch is cut, or it may not be watched, it is listed at each look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from tycho import kinds
from tycho.errors import Forbidden, NotFound, OrchestratorError
from tycho.kinds import Kind
from tycho.kube.client import KubeClient
from tycho.kube.feed import Feed, Listener
from tycho.kube.objects import KubeObject
from tycho.kube.query import ObjectQuery
from tycho.orchestrators.helm.object_queries import INDEXED, KEPT, QUERIES, SYSTEMS
from tycho.orchestrators.helm.view_lists import EVENTS, ClusterLists
from tycho.release import Identity

MOST_EVENTS = 20_000  # of all namespaces: most are nobody's that runs here
NODES_LAST = 60.0  # seconds for which what is known of nodes is good
REACH = 5.0  # seconds for a watch to tell of what is written; it takes milliseconds
EVERYWHERE = (kinds.NAMESPACE,)  # kinds whose objects are in no namespace
INSTANCE = "app.kubernetes.io/instance"


class ClusterView:
    """Tells of the objects of Tycho's systems what watches have told; entered, it begins to watch.

    Args:
        api: The cluster.
        namespaces: In these alone; "" for all.
        queries: Which objects; those of all systems by default.
    """

    def __init__(
        self,
        api: KubeClient,
        namespaces: Sequence[str] = ("",),
        queries: Iterable[ObjectQuery] = tuple(QUERIES.values()),
    ) -> None:
        self.api = api
        self._lists = ClusterLists(api)
        self.feeds: Mapping[tuple[str, str], Feed] = {
            (query.kind.name, namespace): Feed(
                api, query, namespace, most=MOST_EVENTS if query.kind is kinds.EVENT else 0, indexed=INDEXED
            )
            for query in queries
            if query.kind is not kinds.NODE
            for namespace in (("",) if query.kind in EVERYWHERE else namespaces)
        }
        self._namespaces = tuple(namespaces)
        self._tasks: list[asyncio.Task[None]] = []
        self._nodes: Sequence[KubeObject] | None = None
        self._nodes_begun = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(feed.run()) for feed in self.feeds.values()]
        self._tasks.append(asyncio.create_task(self._keep_nodes()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def begun(self) -> None:
        """Wait until all is watched that may be, and nodes are known."""
        await asyncio.gather(self._nodes_begun.wait(), *(feed.begun.wait() for feed in self.feeds.values()))

    @property
    def nodes(self) -> Sequence[KubeObject] | None:
        """Some nodes, as they were a while ago; None where that is not known."""
        return self._nodes

    def count_listings(self) -> int:
        """Count how often anything was listed anew: what was missed before is known since then."""
        return sum(feed.listings for feed in self.feeds.values())

    async def resume(self, seconds: float) -> bool:
        """Wait until watches that were cut go on; return whether all that systems are made of is watched then.

        Args:
            seconds: How long at most.
        """
        feeds = [feed for feed in self.feeds.values() if feed.query.kind is not kinds.EVENT]
        cut = [feed.synced.wait() for feed in feeds if feed.version and not feed.synced.is_set()]
        if cut:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await asyncio.gather(*cut)
        return all(feed.synced.is_set() for feed in feeds)

    @contextmanager
    def listen(self, listener: Listener) -> Iterator[None]:
        """Have a function called with each object that changes, and its kind; with None where any may have."""
        for feed in self.feeds.values():
            feed.listeners.add(listener)
        try:
            yield
        finally:
            for feed in self.feeds.values():
                feed.listeners.discard(listener)

    async def list(self, kind: Kind, namespace: str = "", selector: str = "") -> Sequence[KubeObject]:
        """List objects of a kind, as `ClusterLists` does."""
        if kind is kinds.NODE and self._nodes is not None:
            return self._nodes
        if not namespace and "" not in self._namespaces and kind not in (*EVERYWHERE, kinds.NODE):
            lists = await asyncio.gather(*(self.list(kind, each, selector) for each in self._namespaces))
            return [obj for part in lists for obj in part]
        feed = self._find_feed(kind, namespace)
        if feed is None or not feed.synced.is_set():
            return await self._lists.list(kind, namespace, selector)
        held = feed.store.select(namespace, selector)
        return held[:EVENTS] if kind is kinds.EVENT else held

    async def reach(self, identity: Identity) -> None:
        """Wait until what is written by now of a system is what is told of it; what is late is listed anew."""
        release, guid = f"{INSTANCE}={identity.release},{SYSTEMS}", f",tycho-guid={identity.guid}"
        selectors = {kind.name: release for kind in (*kinds.WORKLOADS.values(), kinds.SERVICE)}
        selectors |= {kinds.SECRET.name: QUERIES[kinds.SECRET.name].labels + guid, kinds.NAMESPACE.name: SYSTEMS + guid}
        selectors[kinds.CLAIM.name] = f"{SYSTEMS},{KEPT}{guid}"
        feeds = [
            (feed, selector)
            for name, selector in selectors.items()
            if (feed := self._find_feed(kinds.KINDS[name], identity.namespace)) and feed.synced.is_set()
        ]
        await asyncio.gather(
            *(
                self._reach(feed, "" if feed.query.kind in EVERYWHERE else identity.namespace, selector)
                for feed, selector in feeds
            )
        )

    async def _reach(self, feed: Feed, namespace: str, selector: str) -> None:
        try:
            async with asyncio.timeout(REACH):
                await feed.reach(namespace, selector)
        except (TimeoutError, OrchestratorError):
            feed.relist()

    def _find_feed(self, kind: Kind, namespace: str) -> Feed | None:
        return self.feeds.get((kind.name, "")) or self.feeds.get((kind.name, namespace))

    async def _keep_nodes(self) -> None:
        """Read nodes now and then: their addresses do not change, and a heartbeat of each would fill a watch."""
        while True:
            try:
                self._nodes = await self._lists.list(kinds.NODE)
            except (Forbidden, NotFound):
                self._nodes = ()
            except OrchestratorError:
                self._nodes = None
            self._nodes_begun.set()
            await asyncio.sleep(NODES_LAST)
