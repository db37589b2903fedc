"""The moment from which tables count: by the clock of what runs the systems, which need not be this machine's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime


class TableClock:
    """Tells the time of the back end that this command asks; this machine's before it asks any."""

    def __init__(self) -> None:
        self.read: Callable[[], datetime] = lambda: datetime.now(UTC)

    def now(self) -> datetime:
        """Return the moment."""
        return self.read()


CLOCK = TableClock()
