"""The cluster's clock, which need not be this machine's."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LASTS = 30.0  # seconds: clocks drift, and are set


class Clock:
    """What an API server's answers tell of its time.

    Each has its date, without the fraction of a second: so the time is at least that. Of many answers the best is kept.
    """

    def __init__(self) -> None:
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
        """Return the cluster's time: never ahead of it, and less than a second behind.

        Args:
            moment: Which moment, in monotonic seconds.
        """
        if self._offset is None:  # nobody has answered yet
            return datetime.fromtimestamp(time.time() - time.monotonic() + moment, UTC)
        return datetime.fromtimestamp(self._offset + moment, UTC)
