"""When a service was last used, as it says itself: an HTTP request through the orchestrator, bounded in all ways."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from datetime import datetime
from http.client import HTTPException, HTTPResponse, IncompleteRead
from io import BytesIO
from typing import cast

from tycho.errors import TychoError
from tycho.expiry import Question
from tycho.orchestrators import Connection, Orchestrator
from tycho.release import Identity

SECONDS = 10.0  # for the whole question
LARGEST = 64 * 1024  # bytes of an answer
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: tycho\r\nAccept: application/json, text/plain\r\n"
    "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
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
            answer = await _exchange(orchestrator, identity, question)
    except TimeoutError:
        raise NoAnswer(f"{question.service} did not answer in {seconds:g} s") from None
    except (TychoError, OSError) as error:
        raise NoAnswer(f"{question.service} did not answer: {error}") from None
    return parse_activity(_read_answer(answer, question.service), question.service)


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
    """Send the request, and read the answer until it is whole, or the other side ends."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    connection = Connection(*await asyncio.open_connection(sock=theirs))
    carrying = asyncio.create_task(_carry(orchestrator, identity, question, connection))
    try:
        writer.write(REQUEST.format(path=question.path, port=question.port).encode())
        content = bytearray()
        while len(content) <= LARGEST and not _is_whole(content) and (chunk := await reader.read(LARGEST)):
            content += chunk
        if not content:
            await carrying  # which knows why
        return bytes(content)
    finally:
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)
        for end in (writer, connection.writer):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()


async def _carry(orchestrator: Orchestrator, identity: Identity, question: Question, connection: Connection) -> None:
    """Carry the bytes, and end our side of the connection with theirs."""
    try:
        await orchestrator.forward(identity, question.service, question.port, connection)
    finally:
        connection.writer.close()


class _Received:
    """What came, for the reader of answers, which wants a socket."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, mode: str) -> BytesIO:
        """Return it as a file."""
        return BytesIO(self._content)


def _parse(content: bytes) -> tuple[HTTPResponse, bytes]:
    """Parse an answer: its head, and what there is of its body."""
    response = HTTPResponse(cast("socket.socket", _Received(content)), method="GET")
    response.begin()
    return response, response.read()


def _is_whole(content: bytearray) -> bool:
    """Tell whether an answer that says where it ends has come to that."""
    if b"\r\n\r\n" not in content:
        return False
    try:
        response, _ = _parse(bytes(content))
    except (HTTPException, ValueError):
        return False
    return response.chunked or response.getheader("Content-Length") is not None


def _read_answer(content: bytes, service: str) -> bytes:
    """Return the body of an answer.

    Raises:
        NoAnswer: It is none, too long, cut short, or of another status than 200: no redirect is followed.
    """
    if len(content) > LARGEST:
        raise NoAnswer(f"{service} answered more than {LARGEST >> 10} KiB")
    try:
        response, body = _parse(content)
    except IncompleteRead:
        raise NoAnswer(f"{service} ended in the middle of its answer") from None
    except (HTTPException, ValueError):
        raise NoAnswer(f"{service} did not answer as HTTP does") from None
    if response.status != 200:
        raise NoAnswer(f"{service} answered {response.status}")
    return body
