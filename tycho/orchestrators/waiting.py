"""Waiting for a system to become ready, no longer than it makes sense."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tycho.errors import ClusterUnreachable, NotFound, StartFailed, WaitTimeout
from tycho.orchestrators.instance import WaitOptions
from tycho.progress import describe_failure
from tycho.release import Release, ServiceStatus
from tycho.time_limit import time_left

INTERVAL = 0.4  # seconds between looks: quick enough to seem at once, a dozen small requests each
UNANSWERED = 60.0  # seconds for which an API server may give no answer while it is replaced or overloaded


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
        return min(time_left(), max(0.0, self._end - asyncio.get_running_loop().time()))

    async def until(self, done: Callable[[], Awaitable[bool]]) -> bool:
        """Whether something came true before the time was over."""
        while not await done():
            if not self.left:
                return False
            await asyncio.sleep(INTERVAL)
        return True


def choose_services(release: Release, services: Sequence[str]) -> Release:
    """Return a release with some of its services alone; with all where none is named.

    Raises:
        NotFound: It has no such service.
    """
    known = [service.name for service in release.services]
    if unknown := [name for name in services if name not in known]:
        noun, listed = "service" if len(unknown) == 1 else "services", ", ".join(known) or "none"
        raise NotFound(f"{release.identity.name} has no {noun} {', '.join(unknown)}", hint=f"it has: {listed}")
    chosen = tuple(service for service in release.services if not services or service.name in services)
    return release.model_copy(update={"services": chosen})


async def wait_until_ready(
    look: Callable[[], Awaitable[Release]],
    deadline: Deadline,
    list_hints: Callable[[Sequence[ServiceStatus]], Sequence[str]] = lambda late: (),
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Release:
    """Return the release once all its services are ready.

    Args:
        look: Looks at the release.
        deadline: How long, and who is told; without `wait` the first look is the last.
        list_hints: Lists what could be wrong with services that are not ready in time.
        pause: Waits for what a look could see, at most for some seconds.

    Raises:
        StartFailed: A service cannot become ready; says which, and why.
        WaitTimeout: The time is over; says what is not ready.
    """
    wait_options, loop = deadline.wait_options, asyncio.get_running_loop()
    answered = loop.time()
    while True:
        try:
            release = await look()
        except ClusterUnreachable:
            if loop.time() - answered > UNANSWERED or not wait_options.wait or not deadline.left:
                raise
            await asyncio.sleep(INTERVAL)
            continue
        answered = loop.time()
        wait_options.watch(release)
        if not wait_options.wait or release.ready:
            return release
        if failed := [service for service in release.services if service.fatal]:
            logged = [service for service in failed if len(service.log) > 1]
            logs = "".join(f"\n  {service.name}  {line}" for service in logged for line in service.log)
            name = release.identity.name
            raise StartFailed(
                describe_failure(release) + logs,
                hint=f"fix it and run `tycho up` again; `tycho status --services {name}` shows all,"
                f" `tycho down {name}` removes it",
            )
        if not deadline.left:
            raise _explain_delay(release, wait_options.timeout, list_hints)
        await pause(min(INTERVAL, deadline.left))


def _explain_delay(
    release: Release, seconds: float, list_hints: Callable[[Sequence[ServiceStatus]], Sequence[str]]
) -> WaitTimeout:
    """Make the error for a system that is not ready in time, with what could be wrong where it may never be."""
    name, late = release.identity.name, [service for service in release.services if not service.done]
    hints = [f"still starting; see `tycho logs {name}`, or wait longer with --timeout", *list_hints(late)]
    reasons = ", ".join(f"{service.name} ({service.why})" for service in late)
    return WaitTimeout(f"{name} is not ready after {seconds:g} s: {reasons or release.state}", hint="\n".join(hints))
