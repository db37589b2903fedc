"""Waiting for a system to become ready, or to be gone, no longer than it makes sense."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tycho.errors import ClusterUnreachable, StartFailed, WaitTimeout
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm.pods import UNREADY
from tycho.progress import describe_failure
from tycho.release import Release

INTERVAL = 0.4  # seconds between looks: quick enough to seem at once, a dozen small requests each
UNANSWERED = 10  # looks that an API server may miss while it is replaced or overloaded


class Deadline:
    """What is left of a verb's time, from its beginning on.

    Args:
        wait_options: Of the whole verb.
    """

    def __init__(self, wait_options: WaitOptions) -> None:
        self.wait_options = wait_options
        self._end = asyncio.get_running_loop().time() + wait_options.timeout

    @property
    def left(self) -> float:
        """Seconds; 0 when the time is over."""
        return max(0.0, self._end - asyncio.get_running_loop().time())

    async def until(self, done: Callable[[], Awaitable[bool]]) -> bool:
        """Whether something came true before the time was over."""
        while not await done():
            if not self.left:
                return False
            await asyncio.sleep(INTERVAL)
        return True


async def wait_until_deleted(
    name: str, list_left: Callable[[], Awaitable[Sequence[str] | None]], deadline: Deadline
) -> bool:
    """Wait until something is deleted, and tell how far that is.

    Args:
        name: The system's name.
        list_left: Lists the objects that are still there; None once all is gone.
        deadline: How long, and who is told.

    Returns:
        Whether it was gone in time.
    """
    told = 0

    async def is_gone() -> bool:
        nonlocal told
        left = await list_left()
        if left is None:
            return True
        if left and len(left) != told:
            deadline.wait_options.tell(f"{name}: still deleting {len(left)} of its objects")
        told = len(left)
        return False

    return await deadline.until(is_gone)


async def wait_until_ready(look: Callable[[], Awaitable[Release]], deadline: Deadline) -> Release:
    """The release once all its services are ready.

    Args:
        look: Looks at the release.
        deadline: How long, and who is told; without `wait` the first look is the last.

    Raises:
        StartFailed: A service cannot become ready; says which, and why.
        WaitTimeout: The time is over; says what is not ready.
    """
    wait_options, missed = deadline.wait_options, 0
    while True:
        try:
            release = await look()
        except ClusterUnreachable:
            missed += 1
            if missed > UNANSWERED or not wait_options.wait or not deadline.left:
                raise
            await asyncio.sleep(INTERVAL)
            continue
        missed = 0
        wait_options.watch(release)
        if not wait_options.wait or release.ready:
            return release
        if failed := [one for one in release.services if one.fatal]:
            logs = "".join(f"\n  {one.name}  {line}" for one in failed if len(one.log) > 1 for line in one.log)
            name = release.identity.name
            raise StartFailed(
                describe_failure(release) + logs,
                hint=f"mend it and run `tycho up` again; `tycho status --services {name}` shows all,"
                f" `tycho down {name}` removes it",
            )
        if not deadline.left:
            raise _explain_delay(release, wait_options.timeout)
        await asyncio.sleep(INTERVAL)


def _explain_delay(release: Release, seconds: float) -> WaitTimeout:
    """Make the error for a system that is not ready in time, with what could be wrong where it may never be."""
    name, late = release.identity.name, [service for service in release.services if not service.done]
    hints = [f"still starting; see `tycho logs {name}`, or wait longer with --timeout"]
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
    reasons = ", ".join(f"{service.name} ({service.why})" for service in late)
    return WaitTimeout(f"{name} is not ready after {seconds:g} s: {reasons or release.state}", hint="\n".join(hints))
