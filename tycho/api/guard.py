"""Who may knock: where nobody proves who he is, programs of this machine; and no page of a browser's.

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

from tycho.api.responses import Json, failed
from tycho.errors import Forbidden, UsageError, WaitTimeout
from tycho.slots import CALLER

MAX_BODY = 1024 * 1024
LARGE = f"a request is at most {MAX_BODY >> 20} MiB"
WALL = 300.0  # seconds that a request may take, from its first byte to its answer


class Guard:
    """Refuses before anything is read, and ends what takes too long, or what nobody waits for any more.

    Args:
        app: What is guarded.
        wall: Seconds that a request may take.
        any_host: Whether it may be called by any name, and not by those of loopback alone.
    """

    def __init__(self, app: ASGIApp, wall: float = WALL, *, any_host: bool = False) -> None:
        self.app = app
        self.any_host = any_host
        self.wall = wall
        self.working: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] == "lifespan":
            scope["app"].state.guard = self
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if refusal := refused(Headers(scope=scope), any_host=self.any_host):
            return await refusal(scope, receive, send)

        started = False

        async def framed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["Content-Security-Policy"] = "frame-ancestors 'none'"
            await send(message)

        known = scope.get("state", {}).get("caller")
        CALLER.set((known and known.username) or (scope.get("client") or ("",))[0] or "somebody")
        limit = asyncio.timeout(self.wall)
        try:
            async with limit:
                try:
                    body = await _read(receive)
                except HTTPException as error:
                    return await failed(UsageError(error.detail), error.status_code)(scope, receive, framed)
                if body is not None:
                    await self._work(scope, body, receive, framed)
        except TimeoutError:
            if not limit.expired() or started:
                raise
            timeout = WaitTimeout(
                f"the request took longer than {self.wall:g} s", hint="/system/status says how far it came"
            )
            await failed(timeout)(scope, receive, framed)

    async def end(self) -> None:
        """End the requests that are at work, and wait for them: helm, for one, is not cut while it writes."""
        for task in self.working:
            task.cancel()
        if self.working:
            await asyncio.wait(self.working)

    async def _work(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Let the app answer, until whoever asked has gone."""
        left, read = asyncio.Event(), False

        async def replayed() -> Message:
            nonlocal read
            if not read:
                read = True
                return {"type": "http.request", "body": body, "more_body": False}
            await left.wait()
            return {"type": "http.disconnect"}

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            left.set()

        working = asyncio.ensure_future(self.app(scope, replayed, send))
        watching = asyncio.ensure_future(watch())
        self.working.add(working)
        working.add_done_callback(self.working.discard)
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            if not working.done():
                working.cancel()
            await asyncio.wait({working, watching})
        if not working.cancelled() and (error := working.exception()):
            raise error


async def _read(receive: Receive) -> bytes | None:
    """Read a request's body; None when the caller has gone before its end.

    Raises:
        HTTPException: It is too large.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise HTTPException(413, LARGE)
        if not message.get("more_body"):
            return bytes(body)


def refused(headers: Headers, *, any_host: bool = False) -> Json | None:
    """Return the answer to a request that may not come in; None for one that may."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if not (any_host or loopback(_name(host))):
        refusal = Forbidden("this service answers to loopback names alone", hint="call it as http://127.0.0.1:PORT")
        return failed(refusal)
    if origin is not None and origin.partition("://")[2] != host:
        return failed(Forbidden("pages of other sites may not call this service"))
    size = headers.get("content-length", "0")
    if not (size.isascii() and size.isdigit()):
        return failed(UsageError("Content-Length is not a number"))
    if len(size) > 18 or int(size) > MAX_BODY:
        return failed(UsageError(LARGE), 413)
    return None


def loopback(host: str) -> bool:
    """Return whether a name or an address is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """Return a Host header without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
