"""One writer at a time: a Lease per release, held while a verb changes it.

Whether a holder still lives is judged by one's own clock: a Lease that was seen unchanged for its whole duration is
nobody's. No time that another machine wrote is read. Of a holder that ran on this machine its folder tells at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tycho import kinds, workspace
from tycho.errors import Conflict, NotFound, OperationInProgress, OrchestratorError
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.release import Identity

DURATION = 30  # seconds without a renewal after which others take a Lease over
RENEW = 5.0  # seconds between renewals: so long may others have to look until they see that its holder lives
YIELD = 20.0  # seconds without a renewal after which its holder stops, before anybody else may begin
HURRY = 3.0  # seconds that a verb whose Lease is lost has to stop by itself
LOOK = 1.0  # seconds between two looks at somebody else's Lease


@asynccontextmanager
async def hold_lease(
    api: KubeClient, identity: Identity, tell: Callable[[str], None] = lambda line: None
) -> AsyncIterator[None]:
    """Hold a release's Lease; what is done in the meantime is stopped when it is lost.

    Args:
        api: The cluster.
        identity: The release.
        tell: Told when somebody else's Lease has to be watched for a while.

    Raises:
        OperationInProgress: Somebody else holds it, or has taken it over.
    """
    path = kinds.LEASE.path(identity.namespace, f"tycho-{identity.release}")
    holder = api.lease_holder
    if path in holder.held:
        raise _busy(identity, "another request")
    holder.held.add(path)
    try:
        lease = _Lease(api, path, await _take(api, identity, path, tell), asyncio.current_task())
        keeping = asyncio.create_task(lease.keep())
        try:
            yield
        except asyncio.CancelledError:
            if lease.forgive():
                raise OperationInProgress(
                    f"{identity.release} was taken over by somebody else while it was being changed",
                    hint="`tycho status` shows what became of it; try again when that is done",
                ) from None
            raise
        finally:
            lease.ended.set()
            await asyncio.shield(lease.give_back(keeping))
            lease.forgive()
    finally:
        holder.held.discard(path)


@dataclass(slots=True)
class _Lease:
    """A Lease that is held.

    Args:
        api: The cluster.
        path: Where it lies.
        body: As it was last written.
        task: What is stopped when it is lost.
    """

    api: KubeClient
    path: str
    body: KubeObject
    task: asyncio.Task[Any] | None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False
    cancels: int = 0

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

    def forgive(self) -> bool:
        """Tell whether it was this Lease alone that has cancelled the verb, and take that back."""
        if self.task is None or not self.lost:
            return False
        while self.cancels:
            self.cancels -= 1
            self.task.uncancel()
        return not self.task.cancelling()

    async def give_back(self, keeping: asyncio.Task[None]) -> None:
        """Delete it, unless somebody else has taken it over since."""
        await keeping
        if not self.lost:
            with contextlib.suppress(OrchestratorError):
                await self.api.delete(self.path, version=self.body["metadata"]["resourceVersion"])

    async def _renew(self) -> bool:
        """Say that we are still there; false when it is somebody else's."""
        self.body["spec"]["renewTime"] = _now()
        with contextlib.suppress(Conflict):
            self.body = await self.api.replace(self.path, self.body)
            return True
        current = await self.api.get(self.path)
        if current["spec"].get("holderIdentity") != self.api.lease_holder.name:
            return False
        # Somebody has touched it, or an answer was lost.
        self.body["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"]
        self.body = await self.api.replace(self.path, self.body)
        return True

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


async def _take(api: KubeClient, identity: Identity, path: str, tell: Callable[[str], None]) -> KubeObject:
    """Make the Lease, or take it over from somebody who is gone; that takes as long as it lasts."""
    body = _body(api, identity)
    seen, since, lives = "", 0.0, None
    while True:
        try:
            return await api.create(kinds.LEASE.path(identity.namespace), body)
        except Conflict:
            pass
        try:
            current = await api.get(path)
        except NotFound:
            continue
        version, spec = current["metadata"]["resourceVersion"], current["spec"]
        lasts = int(spec.get("leaseDurationSeconds") or DURATION)
        if not seen:
            seen, since = version, api.lease_holder.now()
            lives = workspace.lives(str(spec.get("holderIdentity", "")).partition(".")[0])
            if lives is None:
                tell(f"{identity.release} is held by somebody else; looking whether he lives, up to {lasts} s")
        if lives or version != seen:
            raise _busy(identity, "another process of this machine" if lives else "somebody else")
        if lives is False or api.lease_holder.now() - since > lasts:
            body["metadata"]["resourceVersion"] = version
            try:
                return await api.replace(path, body)
            except Conflict:
                raise _busy(identity, "somebody else") from None
        await api.lease_holder.pause(LOOK)


def _busy(identity: Identity, who: str) -> OperationInProgress:
    return OperationInProgress(
        f"{identity.release} is being changed by {who}", hint="wait until it is done, and try again"
    )


def _body(api: KubeClient, identity: Identity) -> KubeObject:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": f"tycho-{identity.release}",
            "namespace": identity.namespace,
            "labels": {"executor": "tycho", "tycho-guid": identity.guid},
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
