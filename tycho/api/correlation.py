"""What a request is known by: its id, which every answer, every line of the log and every error carries."""

from __future__ import annotations

import re
from contextvars import ContextVar
from uuid import uuid4

from msgspec import Struct
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-Id"
PROBLEM = "application/problem+json"
_FITS = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContext(Struct, frozen=True):
    """What of a request its errors repeat.

    Args:
        id: The request's id.
        path: What was asked for, without the query.
        problem_json: Whether errors are wanted as RFC 9457 has them.
    """

    id: str = ""
    path: str = ""
    problem_json: bool = False


NOTHING = RequestContext()
ASKED: ContextVar[RequestContext] = ContextVar("asked", default=NOTHING)
"""The request that is answered."""


class Correlation:
    """Gives every request its id: the caller's own where it fits `[A-Za-z0-9._-]{1,64}`, else a new one.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        given = headers.get(HEADER, "")
        id = given if _FITS.fullmatch(given) else uuid4().hex
        ASKED.set(RequestContext(id, scope["path"], wants_problem(headers.get("accept", ""))))

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = id
            await send(message)

        await self.app(scope, receive, named)


def wants_problem(accept: str) -> bool:
    """Return whether an Accept header names application/problem+json."""
    for entry in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in entry.split(";"))
        if kind == PROBLEM and not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters):
            return True
    return False
