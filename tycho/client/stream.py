"""Server-sent events, and how they are followed over broken connections."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from tycho.client.answers import TychoAnswer
from tycho.client.progress import Progress, read_progress
from tycho.client.requests import Lost, Reply, Request, address, pairs, read_delay, succeed, write_labels
from tycho.errors import ClusterUnreachable, NotSupported, TychoError

if TYPE_CHECKING:
    from httpx2 import ServerSentEvent

    from tycho.wire import System

T = TypeVar("T")
NOTHING_MORE = 204  # what the caller has seen was the last event
NO_ROUTE = 404
HEARTBEAT = 45.0  # seconds without a byte after which a stream is dead: the service sends one every 15 s
MOST = 5  # connections in a row that bring nothing new
SLOWEST = 10.0  # seconds between two of them
STREAM = {"Accept": "text/event-stream"}


class Stream(ABC, Generic[T]):
    """The state of a stream: where it is, and what to do when a connection ends before its time.

    Args:
        subject: What it tells of, for messages.
        most: Connections in a row that may bring nothing.
    """

    def __init__(self, subject: str, most: int = MOST) -> None:
        self.ended = False
        self._subject, self._most = subject, most
        self._misses = 0
        self._pause = 1.0

    @abstractmethod
    def request(self) -> Request:
        """Return the request for what comes next."""

    @abstractmethod
    def read(self, event: ServerSentEvent) -> T | None:
        """Read an event that holds something; None where nothing is to be told of it."""

    def take(self, event: ServerSentEvent) -> T | None:
        """Read an event; None where it holds nothing, or comes behind the last one.

        Raises:
            TychoError: It is none of a Tycho's.
        """
        if event.retry is not None:
            self._pause = min(event.retry / 1000, SLOWEST)
        if not event.data or self.ended:
            return None
        self._misses = -1  # that this connection ends is no miss
        return self.read(event)

    def _lose(self, error: TychoError | None = None) -> float:
        """Count a connection that ended; returns the seconds until the next one.

        Raises:
            TychoError: There have been too many that brought nothing.
        """
        self._misses = max(self._misses, 0) + 1 if error else self._misses + 1
        if self._misses >= self._most:
            hint = "`tycho status` says how it is"
            raise error or ClusterUnreachable(f"the events of {self._subject} break off", hint=hint)
        return min(self._pause * max(self._misses, 1), SLOWEST)

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
            self.refuse(reply, shown)
            raise TychoError(f"{shown} answered {reply.status}, and not with events")
        return max(seconds, self._lose())

    def refuse(self, reply: Reply, shown: str) -> None:
        """Raise what an answer says that is no stream."""
        succeed(reply, shown)


class Watching(Stream[Progress]):
    """The progress of one system.

    Args:
        id: The system.
        after: Where to go on; "" for the beginning.
    """

    def __init__(self, id: str, after: str = "") -> None:
        super().__init__(id)
        self._id, self._after = id, after

    def request(self) -> Request:
        """Return the request for what comes behind the last event."""
        resume = {"Last-Event-ID": self._after} if self._after else {}
        return Request("GET", f"{address('system', self._id)}/events", headers={**STREAM, **resume})

    def read(self, event: ServerSentEvent) -> Progress:
        """Read what has happened."""
        self._after = event.id or self._after
        progress = read_progress(event.event, event.data, self._after)
        self.ended = progress.last
        return progress


class Following(Stream["Sequence[System]"]):
    """The systems that run, or those that fit; a connection that is made anew begins with all of them.

    Args:
        ids: These systems, by any of their names; all when empty.
        name: Of all, only those of this project.
        username: Of all, only this user's.
        labels: Of all, only those of which a service has these labels.
        most: Connections in a row that may bring nothing.
    """

    def __init__(
        self, ids: Sequence[str], *, name: str, username: str, labels: Mapping[str, str] | None, most: int = MOST
    ) -> None:
        super().__init__("the service", most)
        self._query = pairs(id=[*ids], name=name, username=username, label=write_labels(labels))
        self._systems: dict[str, System] = {}

    def request(self) -> Request:
        """Return the request for all that there is, and for what changes of it."""
        self._systems = {}
        return Request("GET", "/events", self._query, headers=STREAM)

    def read(self, event: ServerSentEvent) -> Sequence[System] | None:
        """Read a part of a look; the systems of all of it where it was the last part.

        Raises:
            TychoError: The service cannot go on, and says why; or it is none of Tycho's events.
        """
        from tycho.wire import read_system

        try:
            fields = json.loads(event.data)
            match event.event:
                case "system":
                    system = read_system(fields)
                    self._systems[system.sid] = system
                case "gone":
                    self._systems.pop(fields["sid"], None)
                case "current":
                    return list(self._systems.values())
                case "failed":
                    raise TychoAnswer("error", fields, fields["message"]).error or TychoError(fields["message"])
        except (ValueError, TypeError, KeyError, AttributeError):
            raise TychoError("the service sends events that are none of Tycho's") from None
        return None

    def refuse(self, reply: Reply, shown: str) -> None:
        """Raise what an answer says that is no stream.

        Raises:
            NotSupported: The service is older than these events.
        """
        error = TychoAnswer(**reply.envelope(shown)).error
        if reply.status == NO_ROUTE and error and error.http_status != NO_ROUTE:
            raise NotSupported(f"the Tycho at {shown} reports no changes", hint="upgrade it")
        super().refuse(reply, shown)
