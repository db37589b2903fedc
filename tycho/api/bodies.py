"""What a body must be before it is a message: JSON, in UTF-8, and nothing that can be read in two ways."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from tycho.errors import UsageError

DIGITS = 400  # of a number; more than any that a document can use
SHOWN = 60  # characters of a key that a message repeats


class UnsupportedMediaType(UsageError):
    """The body is not JSON."""

    http_status = 415


class JsonRoute(APIRoute):
    """A route whose bodies are checked; asked of the route itself, for an unknown one has no say about bodies."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Check the body before FastAPI looks at it."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if request.method in ("POST", "PATCH"):
                check_type(request.headers.get("content-type", ""))
                if body := await request.body():
                    request = _Parsed(request.scope, request.receive)
                    request.body_read = body
                    request.parsed = parse_json(body)
            return await handle(request)

        return checked


class _Parsed(Request):
    """A request whose body was read and parsed already."""

    body_read: bytes
    parsed: Any

    async def body(self) -> bytes:
        return self.body_read

    async def json(self) -> Any:
        return self.parsed


def check_type(content_type: str) -> None:
    """Refuse what a form of a page could send.

    Raises:
        UnsupportedMediaType: It is not JSON.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("the body must be JSON", hint="send Content-Type: application/json")


def parse_json(body: bytes) -> Any:
    """Parse a body strictly.

    Raises:
        UsageError: It is not JSON, or leaves open what it means.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"the body is not UTF-8 at byte {error.start}") from None
    try:
        parsed = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        raise UsageError(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise UsageError("the body is nested too deeply") from None
    return parsed


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise UsageError(f'the body is not clear: it has the key "{twice[:SHOWN]}" twice')
    return parsed


def _constant(text: str) -> NoReturn:
    raise UsageError(f"the body is not JSON: {text} is no number")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise UsageError(f"the body holds a number that is too large: {text[:SHOWN]}")
    return number


def _integer(text: str) -> int:
    if len(text) > DIGITS:
        raise UsageError(f"the body holds a number of {len(text)} digits; {DIGITS} are the most")
    return int(text)
