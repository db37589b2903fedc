"""Looks at systems as server-sent events: at first all of them, then what is another than at the look before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing

from tycho.model import Node
from tycho.release import Release
from tycho.wire import CurrentData, GoneData, to_system

EventPart = tuple[str, Node]
"""The name of an event, and its data."""


class SystemEvents:
    """Tells of systems look by look; `current` comes last of each look that brings anything."""

    def __init__(self) -> None:
        self._known: dict[str, Release] | None = None

    def tell(self, releases: Sequence[Release]) -> Iterator[EventPart]:
        """Tell what is new at a look."""
        before, now = self._known, {release.identity.guid: release for release in releases}
        self._known = now
        earlier = before or {}
        changed = [release for guid, release in now.items() if _is_changed(earlier.get(guid), release)]
        gone = [guid for guid in earlier if guid not in now]
        for release in changed:
            yield "system", to_system(release)
        for guid in gone:
            yield "gone", GoneData(sid=guid)
        if changed or gone or before is None:
            yield "current", CurrentData(count=len(now))


def _is_changed(before: Release | None, release: Release) -> bool:
    """Tell whether a system is another than it was; the same object, as most are, needs no comparison."""
    return before is not release and before != release


async def look_until(looks: AsyncIterator[Sequence[Release]], end: float) -> AsyncGenerator[Sequence[Release]]:
    """Yield looks until a moment, and close what yields them.

    Args:
        looks: An asynchronous generator.
        end: The moment, of the event loop's clock.
    """
    async with aclosing(looks):  # type: ignore[type-var]
        while True:
            try:
                async with asyncio.timeout_at(end):
                    releases = await anext(looks)
            except (TimeoutError, StopAsyncIteration):
                return
            yield releases
