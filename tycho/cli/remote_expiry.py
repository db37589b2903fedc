"""The verbs about the time that systems run, asked of a service."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tycho.client import AsyncTychoClient
from tycho.lifecycle import Lifecycle
from tycho.wire import to_release

if TYPE_CHECKING:
    from tycho.ownership import Caller
    from tycho.release import Release


class RemoteExpiry(Lifecycle):
    """Systems of a service, whose time ends."""

    client: AsyncTychoClient

    async def touch(
        self, id: str, moment: datetime | None = None, *, force: bool = False, caller: Caller | None = None
    ) -> Release:
        """Note that a system is used."""
        guid = (await self.find(id, caller=caller)).identity.guid
        return to_release(await self.client.touch(guid, moment.isoformat() if moment else "", force=force))
