"""A system's progress as server-sent events, and how it is followed over broken connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tycho.client.progress import Progress, read_progress
from tycho.client.requests import Lost, Reply, Request, address, read_delay, succeed
from tycho.errors import TychoError

if TYPE_CHECKING:
    from httpx2 import ServerSentEvent

NOTHING_MORE = 204  # what the caller has seen was the last event
HEARTBEAT = 45.0  # seconds without a byte after which a stream is dead: the service sends one every 15 s
MOST = 5  # connections in a row that bring nothing new
SLOWEST = 10.0  # seconds between two of them


class Watching:
    """The state of a watch: where it is, and what to do when a connection ends before its time.

    Args:
        id: The system.
        after: Where to go on; "" for the beginning.
    """

    def __init__(self, id: str, after: str = "") -> None:
        self.id = id
        self.ended = False
        self._after = after
        self._misses = 0
        self._pause = 1.0

    def request(self) -> Request:
        """Return the request for what comes next."""
        resume = {"Last-Event-ID": self._after} if self._after else {}
        return Request("GET", f"{address('system', self.id)}/events", headers={"Accept": "text/event-stream", **resume})

    def take(self, event: ServerSentEvent) -> Progress | None:
        """Read an event; None where it holds nothing, or comes behind the last one.

        Raises:
            TychoError: It is none of a Tycho's.
        """
        if event.retry is not None:
            self._pause = min(event.retry / 1000, SLOWEST)
        if not event.data or self.ended:
            return None
        self._after = event.id or self._after
        progress = read_progress(event.event, event.data, self._after)
        self.ended, self._misses = progress.last, 0
        return progress

    def _lose(self, error: TychoError | None = None) -> float:
        """Count a connection that ended; returns the seconds until the next one.

        Raises:
            TychoError: There have been too many that brought nothing.
        """
        self._misses += 1
        if self._misses >= MOST:
            raise error or TychoError(f"the events of {self.id} break off", hint="`tycho status` says how it is")
        return min(self._pause * self._misses, SLOWEST)

    def judge(self, reply: Reply | Lost | None, shown: str) -> float:
        """Judge how a connection ended; returns the seconds until the next one.

        Args:
            reply: What was answered in the place of a stream; None where there was one.
            shown: Who answered, for messages.

        Raises:
            TychoError: What the service says, or why there is no answer.
        """
        if reply is None:
            return 0.0 if self.ended else self._lose()
        if isinstance(reply, Lost):
            return self._lose(reply.error)
        if reply.status == NOTHING_MORE:
            self.ended = True
            return 0.0
        seconds = read_delay(reply)
        if seconds is None:
            succeed(reply, shown)
            raise TychoError(f"{shown} answered {reply.status}, and not with events")
        return max(seconds, self._lose())
