"""The time of systems, for back ends whose clock is this machine's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from msgspec import Struct, field

from tycho.expiry import Expiry, find_terms
from tycho.release import Event, Identity, Release
from tycho.suspension import is_paused


class Moments(Struct):
    """What happened to a system that is kept in memory, beside its revisions.

    Args:
        restarted: When an `up` changed nothing.
        active: When it was last used.
        warned: When it was last said that its end is near.
        events: What was said of it.
    """

    restarted: datetime | None = None
    active: datetime | None = None
    warned: datetime | None = None
    events: list[Event] = field(default_factory=list)

    def make_expiry(self, values: Mapping[str, Any], started: datetime | None) -> Expiry | None:
        """Return how long a system with these values, started then, still runs."""
        terms = find_terms(values)
        if not terms or started is None or is_paused(values):
            return None
        return Expiry(
            **vars(terms), started=max(started, self.restarted or started), active=self.active, warned=self.warned
        )


class OwnClock:
    """Tells this machine's time."""

    def now(self) -> datetime:
        """Return the moment."""
        return datetime.now(UTC)


class Timed(Protocol):
    """A system that is kept in memory."""

    moments: Moments

    def release(self, *notes: str) -> Release:
        """Return it as it is."""


class TimedSystems(OwnClock, ABC):
    """The verbs about the time of systems that are kept in memory."""

    @abstractmethod
    def _system(self, identity: Identity) -> Timed:
        """Return a system that runs."""

    async def touch(self, identity: Identity, moment: datetime | None = None) -> None:
        """Note that a system is used, or was at a moment."""
        system = self._system(identity)
        if system.release().expiry:
            used = min(moment or self.now(), self.now())
            system.moments.active = max(used, system.moments.active or used)

    async def warn(self, identity: Identity, message: str, moment: datetime) -> bool:
        """Keep an event which says that a system's end is near."""
        moments = self._system(identity).moments
        moments.warned = moment
        event = Event(
            time=moment, service="", object=f"Release/{identity.release}", type="Warning", reason="ExpiresSoon",
            message=message,
        )  # fmt: skip
        moments.events.append(event)
        return True
