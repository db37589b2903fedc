"""A side that holds Leases on another machine, with a clock that the test turns."""

from __future__ import annotations

import asyncio

from tycho.kube.lease_holder import LeaseHolder
from tycho.orchestrators.helm import lease


class Elsewhere(LeaseHolder):
    """A side on another machine, whose clock the test turns; it turns by itself only while the side looks at another's.

    Args:
        name: What it is known by.
    """

    def __init__(self, name: str) -> None:
        super().__init__(now=lambda: self.time, pause=self.wait)
        self.name = name
        self.time = 0.0
        self.waiting = False
        self.changed = asyncio.Condition()

    async def wait(self, seconds: float) -> None:
        if seconds == lease.LOOK:
            await self.meanwhile()
            self.time += seconds
            return
        async with self.changed:
            end = self.time + seconds
            self.waiting = True
            self.changed.notify_all()
            await self.changed.wait_for(lambda: self.time >= end)
            self.waiting = False

    async def meanwhile(self) -> None:
        """What happens on other machines between two looks."""

    async def turn(self, seconds: float) -> None:
        """Let time pass for one who waits to renew."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.waiting)
            self.time += seconds
            self.changed.notify_all()
