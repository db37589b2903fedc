"""One writer at a time: a Lease per release, held while a verb changes it.

Whether a holder still lives is judged by one's own clock: a Lease that was seen unchanged for its whole duration is
nobody's. No time that another machine wrote is read. Of a holder that ran on this machine its folder tells at once.

A removal goes before all else: it writes its wish into the Lease, and the holder, who finds it there when he renews,
ends what he does and gives the Lease back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, field

from tycho import kinds, workspace
from tycho.errors import Conflict, NotFound, OperationInProgress, OrchestratorError
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject, get_annotations
from tycho.release import Identity
from tycho.time_limit import time_left

DURATION = 30  # seconds without a renewal after which others take a Lease over
RENEW = 5.0  # seconds between renewals: so long may others have to look until they see that its holder lives
YIELD = 20.0  # seconds without a renewal after which its holder stops, before anybody else may begin
HURRY = 3.0  # seconds that a verb whose Lease is lost has to stop by itself
LOOK = 1.0  # seconds between two looks at somebody else's Lease
WISH = "tycho.dev/removal-asked-by"  # annotation of a Lease whose holder is to end, for the system shall go
REMOVES = "tycho.dev/removes"  # annotation of a Lease whose holder removes the system
TRIES = 3  # to give a Lease back that others write to


@asynccontextmanager
async def hold_lease(
    api: KubeClient, identity: Identity, tell: Callable[[str], None] = lambda line: None, *, removes: bool = False
) -> AsyncIterator[Held]:
    """Hold a release's Lease; what is done in the meantime is stopped when it is lost.

    Args:
        api: The cluster.
        identity: The release.
        tell: Told when somebody else's Lease has to be watched for a while.
        removes: Whether the release is removed: whoever holds the Lease for anything else is asked to end.

    Raises:
        OperationInProgress: Somebody else holds it, or has taken it over, or removes the release.
    """
    path = kinds.LEASE.path(identity.namespace, f"tycho-{identity.release}")
    holder = api.lease_holder
    while path in holder.held:
        if not removes or holder.held[path] or not time_left():
            raise _busy(identity, "another request")
        with contextlib.suppress(Conflict, NotFound):
            await _ask_to_end(api, path, await api.get(path))
        await holder.pause(LOOK)
    holder.held[path] = removes
    try:
        body, free = await _take(api, identity, path, tell, removes=removes)
        lease = Held(api, path, body, asyncio.current_task(), removes, free)
        keeping = asyncio.create_task(lease.keep())
        try:
            yield lease
        except asyncio.CancelledError:
            if lease.forgive():
                raise (_taken_over(identity) if lease.lost else removed(identity)) from None
            raise
        finally:
            lease.ended.set()
            await asyncio.shield(lease.give_back(keeping))
            lease.forgive()
    finally:
        holder.held.pop(path, None)


def removed(identity: Identity) -> OperationInProgress:
    """Make the error for a verb on what somebody else removes."""
    return OperationInProgress(
        f"{identity.release} is being removed by somebody else, and what was done to it meanwhile has ended",
        hint="`tycho up` starts it again, once it is gone",
    )


class Held(Struct):
    """A Lease that is held.

    Args:
        api: The cluster.
        path: Where it lies.
        body: As it was last written.
        task: What is stopped when it is lost.
        removes: Whether the task removes the release.
        free: Whether it was nobody's when it was asked for.
    """

    api: KubeClient
    path: str
    body: KubeObject
    task: asyncio.Task[Any] | None
    removes: bool
    free: bool
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False
    overruled: bool = False  # by a removal: the verb ends, and this is still its Lease until it has
    cancels: int = 0

    @property
    def ends(self) -> bool:
        """Whether its verb ends because of somebody else."""
        return self.lost or self.overruled

    async def keep(self) -> None:
        """Renew it until the verb has ended; when it is lost, stop the verb."""
        holder = self.api.lease_holder
        renewed = holder.now()
        while await self._waited(RENEW):
            began = holder.now()
            try:
                async with asyncio.timeout(RENEW):
                    self.lost = not await self._renew()
                renewed = began
            except NotFound:
                self.lost = True
            except (OrchestratorError, TimeoutError):  # nobody answers: as long as others wait, it is still ours
                self.lost = holder.now() - renewed >= YIELD
            if self.lost:
                return await self._stop()
            if self.overruled and self.task and not self.cancels:
                # Once alone: a helm that writes may then come to its end, and nobody else begins before.
                self.cancels += 1
                self.task.cancel()

    def forgive(self) -> bool:
        """Tell whether it was this Lease alone that has cancelled the verb, and take that back."""
        if self.task is None or not self.ends:
            return False
        while self.cancels:
            self.cancels -= 1
            self.task.uncancel()
        return not self.task.cancelling()

    async def give_back(self, keeping: asyncio.Task[None]) -> None:
        """Delete it, unless somebody else has taken it over since."""
        await keeping
        with contextlib.suppress(OrchestratorError):
            tries = 0
            while not self.lost and tries < TRIES:
                try:
                    return await self.api.delete(self.path, version=self.body["metadata"]["resourceVersion"])
                except Conflict:  # somebody has written a wish into it
                    tries += 1
                    self.body = await self.api.get(self.path)
                    self.lost = not self._is_ours(self.body)

    async def _renew(self) -> bool:
        """Say that we are still there; false when it is somebody else's."""
        self.body["spec"]["renewTime"] = _now()
        with contextlib.suppress(Conflict):
            self.body = await self.api.replace(self.path, self.body)
            return True
        current = await self.api.get(self.path)
        if not self._is_ours(current):
            return False
        # Somebody has touched it, or an answer was lost.
        self.overruled = not self.removes and WISH in get_annotations(current)
        self.body = await self.api.replace(
            self.path, {**current, "spec": {**current["spec"], "renewTime": self.body["spec"]["renewTime"]}}
        )
        return True

    def _is_ours(self, body: KubeObject) -> bool:
        return bool(body["spec"].get("holderIdentity") == self.api.lease_holder.name)

    async def _stop(self) -> None:
        """Cancel the verb; a helm that it waits for is given a moment, and then ended."""
        while not self.ended.is_set() and self.task:
            self.cancels += 1
            self.task.cancel()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), HURRY)

    async def _waited(self, seconds: float) -> bool:
        """Wait; false when the verb has ended."""
        both = [asyncio.ensure_future(self.ended.wait()), asyncio.ensure_future(self.api.lease_holder.pause(seconds))]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for future in both:
            future.cancel()
        return not self.ended.is_set()


async def _take(
    api: KubeClient, identity: Identity, path: str, tell: Callable[[str], None], *, removes: bool
) -> tuple[KubeObject, bool]:
    """Make the Lease, or take it over from somebody who is gone; that takes as long as it lasts.

    Returns:
        The Lease, and whether it was nobody's at once.
    """
    body = _body(api, identity, removes=removes)
    seen, since, lives, free = "", 0.0, None, True
    while True:
        try:
            return await api.create(kinds.LEASE.path(identity.namespace), body), free
        except Conflict:
            free = False
        try:
            current = await api.get(path)
            yields = removes and REMOVES not in get_annotations(current)
            if yields:
                current = await _ask_to_end(api, path, current)
        except (Conflict, NotFound):
            continue
        version, spec = current["metadata"]["resourceVersion"], current["spec"]
        lasts = int(spec.get("leaseDurationSeconds") or DURATION)
        first, changed = not seen, version != seen
        if first:
            whose = str(spec.get("holderIdentity", ""))
            # Our own is one that we could not give back, for nobody answered.
            lives = False if whose == api.lease_holder.name else workspace.lives(whose.partition(".")[0])
            if yields and lives is not False:
                tell(f"{identity.release} is being changed by somebody else, who is asked to end that")
            elif lives is None:
                tell(f"{identity.release} is held by somebody else; looking whether he lives, up to {lasts} s")
        if not yields and (lives or (changed and not first)):
            raise _busy(identity, "another process of this machine" if lives else "somebody else")
        if changed:
            seen, since = version, api.lease_holder.now()
        if lives is False or api.lease_holder.now() - since > lasts:
            body["metadata"]["resourceVersion"] = version
            try:
                return await api.replace(path, body), free
            except Conflict:
                raise _busy(identity, "somebody else") from None
        if not time_left():
            raise _busy(identity, "somebody else")
        await api.lease_holder.pause(LOOK)


async def _ask_to_end(api: KubeClient, path: str, current: KubeObject) -> KubeObject:
    """Write into somebody's Lease that its release shall go; return the Lease as it is then."""
    annotations = get_annotations(current)
    if WISH in annotations or REMOVES in annotations:
        return current
    metadata = {**current["metadata"], "annotations": {**annotations, WISH: api.lease_holder.name}}
    return await api.replace(path, {**current, "metadata": metadata})


def _taken_over(identity: Identity) -> OperationInProgress:
    return OperationInProgress(
        f"{identity.release} was taken over by somebody else while it was being changed",
        hint="`tycho status` shows what became of it; try again when that is done",
    )


def _busy(identity: Identity, who: str) -> OperationInProgress:
    return OperationInProgress(
        f"{identity.release} is being changed by {who}", hint="wait until it is done, and try again"
    )


def _body(api: KubeClient, identity: Identity, *, removes: bool) -> KubeObject:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": f"tycho-{identity.release}",
            "namespace": identity.namespace,
            "labels": {"executor": "tycho", "tycho-guid": identity.guid},
            "annotations": {REMOVES: "true"} if removes else {},
        },
        "spec": {
            "holderIdentity": api.lease_holder.name,
            "leaseDurationSeconds": DURATION,
            "acquireTime": _now(),
            "renewTime": _now(),
        },
    }


def _now() -> str:
    """The time for whoever looks at it; no program of ours reads it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
