"""The cluster's clock, which need not be this machine's."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LASTS = 30.0  # seconds: clocks drift, and are set
ANSWER = 0.1  # seconds that an answer takes to come


def measure_offset() -> float:
    """Return how many seconds this machine's time is ahead of its monotonic clock."""
    return time.time() - time.monotonic()


class Clock:
    """What an API server's answers tell of its time.

    Each has its date, without the fraction of a second: so the time is at least that, and less than a second more. Of
    many answers the best is kept. Where this machine's time is within that second, the two are taken for the same: most
    machines are set by a time server, and a verb that follows another may then not see less than the one before it,
    which had had more answers.

    Args:
        measure: Returns how many seconds this machine's time is ahead of its monotonic clock.
    """

    def __init__(self, measure: Callable[[], float] = measure_offset) -> None:
        self._measure = measure
        self._offset: float | None = None  # of the cluster's time from our monotonic one
        self._learned = 0.0

    def learn(self, date: str, moment: float) -> None:
        """Take note of an answer.

        Args:
            date: Its `Date` header; "" where there is none.
            moment: When it came, in monotonic seconds.
        """
        try:
            offset = parsedate_to_datetime(date).timestamp() - moment
        except ValueError:
            return
        if self._offset is None or offset >= self._offset or moment - self._learned > LASTS:
            self._offset, self._learned = offset, moment

    def tell(self, moment: float) -> datetime:
        """Return the cluster's time: less than a second behind, and not ahead where this machine's time is its time.

        Args:
            moment: Which moment, in monotonic seconds.
        """
        ours, least = self._measure(), self._offset
        same = least is None or 0 <= ours - least <= 1 + ANSWER  # with None nobody has answered yet
        return datetime.fromtimestamp(moment + (ours if least is None or same else least), UTC)
