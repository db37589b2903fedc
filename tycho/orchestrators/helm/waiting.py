"""Waiting for a system to become ready, or to be gone, no longer than it makes sense."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from tycho.orchestrators import waiting
from tycho.orchestrators.helm.pods import UNREADY
from tycho.orchestrators.waiting import Deadline
from tycho.release import Release, ServiceStatus

__all__ = ["Deadline", "wait_for_change", "wait_until_deleted", "wait_until_ready"]


async def wait_for_change(event: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, at most for some seconds; it is cleared then, for the next change."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()


async def wait_until_deleted(
    name: str, list_left: Callable[[], Awaitable[Sequence[str] | None]], deadline: Deadline
) -> bool:
    """Wait until something is deleted, and tell how far that is.

    Args:
        name: The system's name.
        list_left: Lists the objects that are still there; None once all is gone.
        deadline: How long, and who is reported.

    Returns:
        Whether it was gone in time.
    """
    reported = 0

    async def is_gone() -> bool:
        nonlocal reported
        left = await list_left()
        if left is None:
            return True
        if left and len(left) != reported:
            deadline.wait_options.tell(f"{name}: still deleting {len(left)} of its objects")
        reported = len(left)
        return False

    return await deadline.until(is_gone)


async def wait_until_ready(
    look: Callable[[], Awaitable[Release]],
    deadline: Deadline,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Release:
    """Return the release once all its services are ready; see `tycho.orchestrators.waiting`."""
    return await waiting.wait_until_ready(look, deadline, _list_hints, pause)


def _list_hints(late: Sequence[ServiceStatus]) -> list[str]:
    """List what could be wrong with services that are not ready in time, where they may never be."""
    hints = []
    unhealthy = [service.name for service in late if service.why == UNREADY and service.kind != "Job"]
    if len(unhealthy) > 1 or (unhealthy and any(service.why == f"waiting for {unhealthy[0]}" for service in late)):
        hints.append(
            f"others reach {', '.join(unhealthy)} only once healthy; if that is what they wait for, write"
            " x-tycho: {headless: true} below each, and their names lead to them at once, as in Compose"
        )
    running = [service.name for service in late if service.kind == "Job" and service.why == UNREADY]
    if running:
        ends = f"`up` waits until {', '.join(running)} ends"
        hints.append(f"{ends}; what never ends is no job: write x-tycho: {{kind: Deployment}} below it")
    return hints
