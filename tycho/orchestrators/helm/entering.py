"""A start in a namespace: it is made when it has to be, and of a start that came to nothing, nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tycho.errors import OrchestratorError
from tycho.kube.client import KubeClient
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import lease, namespaces, releases
from tycho.orchestrators.helm.waiting import Deadline
from tycho.release import Identity


@asynccontextmanager
async def enter_namespace(api: KubeClient, identity: Identity, deadline: Deadline) -> AsyncIterator[bool]:
    """Have a namespace, with nobody else at work in there; undo a start that failed.

    Yields:
        Whether it was made here, and its Lease was nobody's when it was asked for at once: no revision need be looked
        for. Helm refuses to install where another start did all of its work in between.

    Raises:
        OperationInProgress: Somebody else is changing this release.
    """
    made = await namespaces.ensure_namespace(api, identity, deadline)
    async with lease.hold_lease(api, identity, deadline.wait_options.tell) as held:
        try:
            yield made and held.free
        except BaseException:
            if made and not held.ends:  # else somebody else is at work in there
                await asyncio.shield(_undo(api, identity))
            raise


async def _undo(api: KubeClient, identity: Identity) -> None:
    with contextlib.suppress(OrchestratorError):
        if not await releases.list_revisions(api, identity):
            await namespaces.delete_namespace(api, identity, Deadline(WaitOptions(wait=False)))
