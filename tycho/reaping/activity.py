"""When a service was last used, as it says itself: an HTTP request through the orchestrator, bounded in all ways."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from datetime import datetime

import h11

from tycho.errors import TychoError
from tycho.expiry import Question
from tycho.orchestrators import Connection, Orchestrator
from tycho.release import Identity

SECONDS = 10.0  # for the whole question
LARGEST = 64 * 1024  # bytes of an answer
FIELDS = (
    ("User-Agent", "tycho"),
    ("Accept", "application/json, text/plain"),
    ("Accept-Encoding", "identity"),
    ("Connection", "close"),
)


class NoAnswer(Exception):
    """A service does not say when it was used; the text is why."""


async def ask_activity(
    orchestrator: Orchestrator, identity: Identity, question: Question, *, seconds: float = SECONDS
) -> datetime:
    """Ask a service when it was last used.

    Args:
        orchestrator: What runs it.
        identity: Which system.
        question: Which service of it, and where.
        seconds: How long that may take.

    Raises:
        NoAnswer: It does not say.
    """
    try:
        async with asyncio.timeout(seconds):
            body = await _exchange(orchestrator, identity, question)
    except TimeoutError:
        raise NoAnswer(f"{question.service} did not answer in {seconds:g} s") from None
    except (TychoError, OSError) as error:
        raise NoAnswer(f"{question.service} did not answer: {error}") from None
    return parse_activity(body, question.service)


def parse_activity(body: bytes, service: str) -> datetime:
    """Parse what a service says: a moment, or JSON that has one as `last_activity`.

    Args:
        body: What it answered.
        service: Its name, for messages.

    Raises:
        NoAnswer: It is neither, or a moment without a time zone.

    Example:
        >>> str(parse_activity(b'{"last_activity": "2026-11-27T12:00:00Z"}', "web"))
        '2026-11-27 12:00:00+00:00'
    """
    try:
        text = body.decode().strip()
        moment = json.loads(text) if text.startswith(("{", '"')) else text
        if isinstance(moment, dict):
            moment = moment.get("last_activity")
        parsed = datetime.fromisoformat(moment) if isinstance(moment, str) and "T" in moment.upper() else None
    except (ValueError, RecursionError, OverflowError):
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise NoAnswer(f"{service} answered no RFC 3339 moment")  # what it did answer may be anything
    return parsed


async def _exchange(orchestrator: Orchestrator, identity: Identity, question: Question) -> bytes:
    """Send the request, and return the body of the answer.

    Raises:
        NoAnswer: It is none, too long, cut short, or of another status than 200: no redirect is followed.
    """
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    connection = Connection(*await asyncio.open_connection(sock=theirs))
    carrying = asyncio.create_task(_carry(orchestrator, identity, question, connection))
    http = h11.Connection(h11.CLIENT)
    fields = [("Host", f"localhost:{question.port}"), *FIELDS]
    try:
        writer.write(http.send(h11.Request(method="GET", target=question.path, headers=fields)) or b"")
        http.send(h11.EndOfMessage())
        return await _read_body(http, reader, carrying, question.service)
    finally:
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)
        for end in (writer, connection.writer):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()


async def _read_body(
    http: h11.Connection, reader: asyncio.StreamReader, carrying: asyncio.Task[None], service: str
) -> bytes:
    """Read an answer until it is whole, or the other side ends."""
    body, received, begun = bytearray(), 0, False
    try:
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                chunk = await reader.read(LARGEST)
                received += len(chunk)
                if received > LARGEST:
                    raise NoAnswer(f"{service} answered more than {LARGEST >> 10} KiB")
                if not received:
                    await carrying  # which knows why
                http.receive_data(chunk)
            elif isinstance(event, h11.Response):
                begun = True
                if event.status_code != 200:
                    raise NoAnswer(f"{service} answered {event.status_code}")
            elif isinstance(event, h11.Data):
                body += event.data
    except h11.RemoteProtocolError:
        fault = "ended in the middle of its answer" if begun else "did not answer as HTTP does"
        raise NoAnswer(f"{service} {fault}") from None
    return bytes(body)


async def _carry(orchestrator: Orchestrator, identity: Identity, question: Question, connection: Connection) -> None:
    """Carry the bytes, and end our side of the connection with theirs."""
    try:
        await orchestrator.forward(identity, question.service, question.port, connection)
    finally:
        connection.writer.close()
