"""The verbs that follow what runs, for back ends whose looks cost little: they look again and again."""

from __future__ import annotations

import asyncio
import builtins
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence

from tycho.orchestrators.instance import NO_LABELS, WaitOptions
from tycho.orchestrators.waiting import Deadline, choose_services, wait_until_ready
from tycho.release import Identity, Release

PAUSE = 1.0  # seconds between looks that are followed


class PollingVerbs(ABC):
    """Waiting and following, over looks."""

    @abstractmethod
    async def list(
        self, *, name: str = "", username: str = "", labels: Mapping[str, str] = NO_LABELS, services: bool = True
    ) -> Sequence[Release]:
        """Every system, oldest first."""

    @abstractmethod
    async def status(self, identity: Identity) -> Release:
        """One system, with its services."""

    async def wait(self, identity: Identity, services: tuple[str, ...], wait_options: WaitOptions) -> Release:
        """Wait until services of a system are ready; all of them where none is named."""
        looks = builtins.list[Release]()

        async def look() -> Release:
            looks[:] = [await self.status(identity)]
            return choose_services(looks[0], services)

        await wait_until_ready(look, Deadline(wait_options))
        return looks[0]

    async def follow(
        self, identity: Identity | None = None, *, labels: Mapping[str, str] = NO_LABELS
    ) -> AsyncIterator[Sequence[Release]]:
        """Yield looks at one system, or at all of the target, again and again."""
        while True:
            yield [await self.status(identity)] if identity else await self.list(labels=labels)
            await asyncio.sleep(PAUSE)
