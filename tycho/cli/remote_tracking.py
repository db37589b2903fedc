"""The verbs that follow what runs, asked of a service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from tycho.client import AsyncTychoClient
from tycho.errors import StartFailed, UsageError, WaitTimeout
from tycho.orchestrators import NO_LABELS, WaitOptions
from tycho.orchestrators.requests import BAR
from tycho.orchestrators.waiting import choose_services
from tycho.release import Release
from tycho.wire import to_release

if TYPE_CHECKING:
    from datetime import datetime

    from tycho.client import Progress
    from tycho.wire import System

LINES = 10_000  # of each container that a service sends at most
LONGEST = 10.0  # seconds that one request waits, so that what is shown meanwhile is no older


class RemoteTracking:
    """Waiting for systems of a service, and following them."""

    client: AsyncTychoClient

    async def wait(self, id: str, services: Sequence[str] = (), *, wait_options: WaitOptions) -> Release:
        """Wait until a system is ready, or some of its services are."""
        if not services:
            return await self.finish(to_release(await self.client.system(id)), wait_options)
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_options.timeout
        while True:
            wait_options.watch(choose_services(to_release(await self.client.system(id)), services))
            seconds = min(max(0.001, end - loop.time()), LONGEST)
            try:
                release = to_release(await self.client.wait(id, services, timeout=seconds))
            except WaitTimeout:
                if loop.time() >= end:
                    raise
                continue
            wait_options.watch(choose_services(release, services))
            return release

    async def follow(
        self, ids: Sequence[str] = (), *, name: str = "", username: str = "", labels: Mapping[str, str] = NO_LABELS
    ) -> AsyncIterator[Sequence[Release]]:
        """Yield looks at systems, when something has changed; the first at once."""
        known: dict[str, tuple[System, Release]] = {}
        # One connection: whoever looks is to know when there is none, and begins again with all that there is.
        looks = self.client.follow(ids, name=name, username=username, labels=labels, tries=1)
        async with aclosing(looks):  # type: ignore[type-var]
            async for systems in looks:
                for system in systems:
                    if system.sid not in known or known[system.sid][0] is not system:
                        known[system.sid] = system, to_release(system)
                yield [known[system.sid][1] for system in systems]

    async def logs(
        self,
        id: str,
        services: Sequence[str] = (),
        *,
        follow: bool = False,
        tail: int | None = 100,
        since: datetime | None = None,
        timestamps: bool = False,
        aligned: bool = False,
    ) -> AsyncIterator[str]:
        """Yield what a system's containers have written.

        Raises:
            UsageError: They are to be followed.
        """
        if follow:
            raise UsageError("a service does not follow logs", hint="leave out -f; --since 1m has the newest lines")
        moment = since.isoformat() if since else ""
        lines = LINES if tail is None else min(tail, LINES)
        written = await self.client.logs(id, services, since=moment, tail=lines, timestamps=timestamps)
        for line in align_lines(written) if aligned else written:
            yield line

    async def finish(self, release: Release, wait_options: WaitOptions) -> Release:
        """Wait until a system is ready, as the service tells of it.

        Args:
            release: The first look, with what the verb had to say.
            wait_options: Whether and how long to wait, and who is told.

        Raises:
            StartFailed: It cannot become ready.
            WaitTimeout: It did not become ready in time.
        """
        if not wait_options.wait:
            return release
        wait_options.watch(release)
        last: Progress | None = None
        name, guid = release.identity.name, release.identity.guid
        hint = f"`tycho status --services {name}` shows more"
        try:
            async with asyncio.timeout(wait_options.timeout):
                async for event in self.client.watch(guid):
                    last = event
                    looked = to_release(await self.client.system(guid))
                    wait_options.watch(looked)
                    release = looked.model_copy(update={"notes": release.notes})
        except TimeoutError:
            raise WaitTimeout(f"{name} is not ready after {wait_options.timeout:g} s", hint=hint) from None
        if last and last.kind == "failed":
            raise StartFailed(last.why or last.message, hint=hint)
        return release


def align_lines(lines: Sequence[str]) -> list[str]:
    """Pad the names before lines to one width, with a bar behind them."""
    parts = [line.partition("  ") for line in lines]
    width = max((len(name) for name, _, _ in parts), default=0)
    return [name.ljust(width) + BAR + text for name, _, text in parts]
