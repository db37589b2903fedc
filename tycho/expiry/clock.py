"""When a system's time is over: from its terms, its start, what is known of its use, and the moment it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from msgspec import Struct

from tycho.expiry.terms import Action, Question
from tycho.model.durations import describe_seconds
from tycho.model.node import Node


class Verdict(StrEnum):
    """What is to be done with a system whose time is looked at."""

    keep = "keep"  # nothing yet
    warn = "warn"  # its end is near, and nobody was told
    expire = "expire"  # its time is over, and that was said long enough ago


class ExpiryEnd(Struct, frozen=True):
    """A moment at which a system's time is over.

    Args:
        at: That moment.
        since: What it is counted from.
        reason: Why, once it has come.
        place: Where it is from what it is counted from: `8 h after its start`.
        idle: Whether use would move it.
    """

    at: datetime
    since: datetime
    reason: str
    place: str
    idle: bool

    def notice(self, warn: int) -> timedelta:
        """Return how long before the end it is said: `warn` seconds, or half of the whole time where that is less."""
        return min(timedelta(seconds=warn), (self.at - self.since) / 2)


class Expiry(Node):
    """How long a system still runs.

    Args:
        ttl: Seconds that it runs after its start; 0 for no end.
        idle: Seconds that it runs without being used; 0 for no end.
        expire: What happens then.
        started: When its last start was: of its newest revision, or of an `up` that changed nothing.
        active: When it was last used, as far as that is known; None for not since its start.
        warned: When it was last said that its end is near.
        question: Who is asked when it was used; known of one that was looked at with its services.
    """

    ttl: int = 0
    idle: int = 0
    expire: Action = "pause"
    started: datetime
    active: datetime | None = None
    warned: datetime | None = None
    question: Question | None = None

    @property
    def expires(self) -> datetime | None:
        """The moment that no use moves; None where there is none."""
        return self.started + timedelta(seconds=self.ttl) if self.ttl else None

    @property
    def idle_since(self) -> datetime | None:
        """When it was last used, or started; None where that is of no importance."""
        return max(self.started, self.active or self.started) if self.idle else None

    @property
    def end(self) -> ExpiryEnd | None:
        """The first moment at which its time is over, as far as is known."""
        ends = []
        if self.expires:
            span = describe_seconds(self.ttl)
            reason, place = f"its time of {span} is over", f"{span} after its start"
            ends.append(ExpiryEnd(self.expires, self.started, reason, place, idle=False))
        if self.idle_since:
            span, at = describe_seconds(self.idle), self.idle_since + timedelta(seconds=self.idle)
            reason, place = f"it was not used for {span}", f"{span} after its last use"
            ends.append(ExpiryEnd(at, self.idle_since, reason, place, idle=True))
        return min(ends, key=lambda end: end.at, default=None)

    @property
    def fate(self) -> str:
        """What happens then, in words that follow "then it is"."""
        return "paused" if self.expire == "pause" else "removed, and its volumes are kept"

    def used(self, moment: datetime) -> Expiry:
        """Return the same of a system that was used at a moment."""
        return self.model_copy(update={"active": max(moment, self.active or moment)})

    def find_left(self, now: datetime) -> float | None:
        """Return the seconds that are left to the end that no use moves; whole minutes where there are many."""
        return _round_left(self.expires - now) if self.expires else None

    def announce(self, now: datetime) -> str:
        """Announce the end as a start does: `expires in 8 h, or when it was not used for 2 h; then it is paused`."""
        left = self.find_left(now)
        words = [] if left is None else [f"in {describe_seconds(left)}"]
        words += [f"when it was not used for {describe_seconds(self.idle)}"] if self.idle else []
        return f"expires {', or '.join(words)}; then it is {self.fate}"


def decide(expiry: Expiry, now: datetime, warn: int) -> Verdict:
    """Decide what is to be done with a system.

    Nothing ends that was not announced before: at least `warn` seconds, or half of the time that a system has where
    that is less. A warning of before its last start or use is of another end.

    Args:
        expiry: How long it runs.
        now: The moment, by the clock of what runs it.
        warn: Seconds between the warning and the end.
    """
    end = expiry.end
    if end is None:
        return Verdict.keep
    notice = end.notice(warn)
    if now < end.at - notice:
        return Verdict.keep
    if expiry.warned is None or expiry.warned < end.since:
        return Verdict.warn
    return Verdict.expire if now >= max(end.at, expiry.warned + notice) else Verdict.keep


def _round_left(left: timedelta) -> float:
    """Return the seconds that are left; of more than ten minutes the seconds are of no importance."""
    seconds = left.total_seconds()
    return ceil(seconds / 60) * 60 if seconds > 600 else seconds
