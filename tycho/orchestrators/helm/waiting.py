"""Waiting for a system to become ready, no longer than it makes sense."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tycho.errors import Deadline, StartFailed
from tycho.orchestrators import Patience
from tycho.release import Release

INTERVAL = 0.4  # seconds between looks: quick enough to seem at once, seven small requests each


async def ready(look: Callable[[], Awaitable[Release]], patience: Patience) -> Release:
    """The release once all its services are ready.

    Args:
        look: Looks at the release.
        patience: How long, and who is told; without `wait` the first look is the last.

    Raises:
        StartFailed: A service cannot become ready; says which, and why.
        Deadline: The time is over; says what is not ready.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + patience.timeout
    while True:
        release = await look()
        patience.watch(release)
        if not patience.wait or release.ready:
            return release
        if failed := [one for one in release.services if one.fatal]:
            lines = "; ".join(f"{one.name}: {one.why}" for one in failed)
            name = release.identity.name
            raise StartFailed(
                f"{name} cannot start: {lines}",
                hint=f"mend it and run `tycho up` again; `tycho status --services {name}` shows all,"
                f" `tycho down {name}` removes it",
            )
        if loop.time() >= end:
            late = ", ".join(f"{one.name} ({one.why})" for one in release.services if not one.done)
            raise Deadline(
                f"{release.identity.name} is not ready after {patience.timeout:g} s: {late or release.state}",
                hint="it is left as it is; --timeout gives it longer",
            )
        await asyncio.sleep(INTERVAL)
