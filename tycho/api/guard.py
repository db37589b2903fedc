"""Who may knock: until there is authentication, programs of this machine, and no page of a browser's.

A page of a foreign origin can make a browser call loopback: by a form (so other content types than JSON are refused),
by a script (so foreign origins are), by a name that suddenly means 127.0.0.1 (so foreign hosts are), or by showing
`/docs` in a frame and having it clicked (so there are no frames).
"""

from __future__ import annotations

import asyncio
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tycho.api.answers import Json, failed
from tycho.errors import Deadline, Forbidden, UsageError

MAX_BODY = 1024 * 1024
LARGE = f"a request is at most {MAX_BODY >> 20} MiB"
WALL = 300.0  # seconds that a request may take, from its first byte to its answer


class Guard:
    """Refuses before anything is read, and ends what takes too long.

    Args:
        app: What is guarded.
        wall: Seconds that a request may take.
    """

    def __init__(self, app: ASGIApp, wall: float = WALL) -> None:
        self.app = app
        self.wall = wall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, as ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if refusal := refused(scope["method"], Headers(scope=scope)):
            return await refusal(scope, receive, send)

        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY:
                raise HTTPException(413, LARGE)
            return message

        async def framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = "frame-ancestors 'none'"
            await send(message)

        limit = asyncio.timeout(self.wall)
        try:
            async with limit:
                await self.app(scope, limited, framed)
        except TimeoutError:
            if not limit.expired():
                raise
            said = Deadline(f"the request took longer than {self.wall:g} s", hint="/system/status says how far it came")
            await failed(said)(scope, receive, send)


def refused(method: str, headers: Headers) -> Json | None:
    """The answer to a request that may not come in; None to one that may."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if not loopback(_name(host)):
        said = Forbidden("this service answers to loopback names alone", hint="call it as http://127.0.0.1:PORT")
        return failed(said)
    if origin is not None and origin.partition("://")[2] != host:
        return failed(Forbidden("pages of other sites may not call this service"))
    if method == "POST" and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return failed(UsageError("the body must be JSON", hint="send Content-Type: application/json"), 415)
    size = headers.get("content-length", "0")
    if not size.isdigit() or int(size) > MAX_BODY:
        return failed(UsageError(LARGE), 413)
    return None


def loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """A Host header without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
