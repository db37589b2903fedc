"""Following systems by watches: looks cost no request, and come when something has changed.

    first look: lists -> not ready? -> watches of this system -> a look at each change -> ready? -> lists confirm it

Readiness depends on time as well: a container counts once it has run for a while. So a look follows after `INTERVAL`
even where nothing changes; as long as all is watched it reads what watches have told, and asks the API server nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Self

from msgspec.structs import replace

from tycho import kinds
from tycho.errors import NotFound, StartFailed
from tycho.kinds import Kind
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject, get_labels
from tycho.kube.query import ObjectQuery
from tycho.orchestrators import NO_LABELS, Target, WaitOptions
from tycho.orchestrators.helm import lease, systems, waiting
from tycho.orchestrators.helm.object_queries import QUERIES, SYSTEMS
from tycho.orchestrators.helm.observer import Observer
from tycho.orchestrators.helm.system_looks import SystemLooks
from tycho.orchestrators.helm.view import ClusterView
from tycho.orchestrators.helm.view_lists import ClusterLists, Source
from tycho.orchestrators.helm.waiting import Deadline, wait_for_change
from tycho.orchestrators.helm.workloads import INSTANCE
from tycho.orchestrators.waiting import choose_services
from tycho.release import Identity, Release

REMOVED = frozenset({"uninstalling", "lost", "kept"})  # states of a system that somebody else removes, or has removed
TICK = 1.0  # seconds between looks at all systems while nothing changes
BREATH = 0.2  # seconds between looks at all systems while much changes
UNASKED = (kinds.CLAIM, kinds.NAMESPACE, kinds.NODE)  # kinds that a look at a system with a release does not need


class Changes:
    """Tells when something of a system may have changed.

    Args:
        identity: Which system.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._event = asyncio.Event()

    def notify(self, kind: Kind, obj: KubeObject | None) -> None:
        """Take a change of an object; None: of any."""
        if obj is None or self._concerns(obj, self._identity):
            self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the next change, at most for some seconds."""
        await wait_for_change(self._event, seconds)

    @staticmethod
    def _concerns(obj: KubeObject, identity: Identity) -> bool:
        metadata = obj["metadata"]
        near = metadata.get("namespace", metadata["name"]) == identity.namespace
        return near and get_labels(obj).get(INSTANCE, identity.release) == identity.release


class Tracker:
    """Looks at one system again and again; watches begin with the first pause, for many need no second look.

    Args:
        source: Where the first look comes from; where it is a view already, all of them.
        identity: Which system.
        observer: What looks tell together.
    """

    def __init__(self, source: Source, identity: Identity, observer: Observer) -> None:
        self._source, self._identity, self._observer = source, identity, observer
        self._changes = Changes(identity)
        self._entered = AsyncExitStack()
        self._begun = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._entered.aclose()

    async def look(self) -> Release:
        """Look at the system.

        Raises:
            NotFound: Nothing of it is there any more.
        """
        return await systems.read_system(self._source, self._identity, self._observer)

    async def confirm(self) -> Release:
        """Look at it; the last word is not taken from a watch that may have fallen silent.

        Raises:
            OperationInProgress: Somebody else removes it, or has removed it.
        """
        release = await self._look_unless_removed(self._source)
        decides = release.ready or any(service.fatal for service in release.services)
        if isinstance(self._source, ClusterView) and decides:
            return await self._look_unless_removed(ClusterLists(self._source.api))
        return release

    async def _look_unless_removed(self, source: Source) -> Release:
        try:
            release = await systems.read_system(source, self._identity, self._observer)
        except NotFound:
            raise lease.removed(self._identity) from None
        if release.state in REMOVED:
            raise lease.removed(self._identity)
        return release

    async def pause(self, seconds: float) -> None:
        """Wait until something of the system has changed, at most for some seconds."""
        if self._begun:
            return await self._changes.wait(seconds)
        self._begun = True
        view = self._source
        if not isinstance(view, ClusterView):
            view = ClusterView(view.api, (self._identity.namespace,), list_queries(self._identity))
            await self._entered.enter_async_context(view)
        self._entered.enter_context(view.listen(self._changes.notify))
        self._source = view
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await view.begun()


class TrackVerbs:
    """The verbs of an orchestrator that follow what runs."""

    api: KubeClient
    source: Source
    target: Target

    async def wait(self, identity: Identity, services: tuple[str, ...], wait_options: WaitOptions) -> Release:
        """Wait until services of a system are ready; all of them where none is named.

        Raises:
            NotFound: No such service.
            OperationInProgress: Somebody removes the system meanwhile.
            StartFailed: One of them cannot become ready.
            WaitTimeout: They did not become ready in time.
        """
        deadline, looks = Deadline(wait_options), list[Release]()
        async with Tracker(self.source, identity, Observer()) as tracker:

            async def look() -> Release:
                release = await tracker.confirm()
                looks[:] = [release]
                if release.state == "failed":
                    raise StartFailed(f"{identity.name} is failed", hint="`tycho up` makes it again")
                return choose_services(release, services)

            await waiting.wait_until_ready(look, deadline, tracker.pause)
        return looks[0]

    async def follow(
        self, identity: Identity | None = None, *, labels: Mapping[str, str] = NO_LABELS
    ) -> AsyncIterator[Sequence[Release]]:
        """Yield looks at one system, or at all of the target, when something may have changed; the first at once."""
        if identity is not None:
            async with Tracker(self.source, identity, Observer()) as tracker:
                while True:
                    yield [await tracker.look()]
                    await tracker.pause(TICK)
        async with AsyncExitStack() as stack:
            view = self.source
            if not isinstance(view, ClusterView):
                view = ClusterView(self.api, (self.target.namespace,))
                await stack.enter_async_context(view)
            looks = SystemLooks(view, self.target.namespace, labels)
            stack.enter_context(view.listen(looks.notify))
            await view.begun()
            while True:
                began = time.monotonic()
                releases = await looks.look()
                took = time.monotonic() - began
                yield releases
                await asyncio.sleep(max(BREATH, took))
                await looks.wait(TICK)

    async def _settle(
        self, identity: Identity, deadline: Deadline, notes: tuple[str, ...], observer: Observer
    ) -> Release:
        """Wait until what a verb has changed is ready."""
        await self.source.reach(identity)
        async with Tracker(self.source, identity, observer) as tracker:
            release = await waiting.wait_until_ready(tracker.confirm, deadline, tracker.pause)
        return release.model_copy(update={"notes": notes})


def list_queries(identity: Identity) -> list[ObjectQuery]:
    """List what is to be watched of one system: its objects alone, where a label tells them."""
    queries = []
    for query in QUERIES.values():
        if query.kind in UNASKED:
            continue
        if query.kind is kinds.SECRET:
            query = replace(query, labels=f"{query.labels},tycho-guid={identity.guid}")  # noqa: PLW2901
        elif query.labels == SYSTEMS:
            query = replace(query, labels=f"{INSTANCE}={identity.release},{SYSTEMS}")  # noqa: PLW2901
        queries.append(query)
    return queries
