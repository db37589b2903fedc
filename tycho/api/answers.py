"""The envelope of every answer, and the errors in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Generic, Literal, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from tycho.errors import Busy, Problem, TychoError, UsageError
from tycho.text import printable, safe_message

T = TypeVar("T")
SHOWN = 5  # problems that a message spells out; `result.problems` has all
SAID = {"extra_forbidden": "no such key", "missing": "is missing"}


class Envelope(BaseModel, Generic[T]):
    """Every answer."""

    status: Literal["success", "error"] = "success"
    result: T
    message: str = ""


class Failure(BaseModel):
    """What `result` is when `status` is "error": one of the errors of `tycho.errors`, by name."""

    error: str
    message: str
    hint: str = ""
    problems: Sequence[Problem] = ()


class Json(JSONResponse):
    """JSON in ASCII: what a request may say, an answer can repeat."""

    def render(self, content: Any) -> bytes:
        """The bytes."""
        return json.dumps(content, separators=(",", ":")).encode()


def failed(error: TychoError, status: int = 0) -> Json:
    """The answer that an error is.

    Args:
        error: What went wrong.
        status: HTTP status, instead of the error's own.
    """
    problems = [_shown(problem) for problem in error.problems]
    said, hint = safe_message(error.message), safe_message(error.hint)
    failure = Failure(error=type(error).__name__, message=said, hint=hint, problems=problems)
    told = [f"{problem.path}: {problem.message}" if problem.path else problem.message for problem in problems]
    more = [f"and {len(told) - SHOWN} more"] if len(told) > SHOWN else []
    message = ": ".join([said, *(["; ".join(told[:SHOWN] + more)] if told else [])])
    content = {
        "status": "error",
        "result": {**failure.model_dump(exclude={"problems"}), "problems": [asdict(one) for one in problems]},
        "message": f"{message} ({hint})" if hint else message,
    }
    return Json(content, status or error.http_status, {"Retry-After": "5"} if isinstance(error, Busy) else None)


def _shown(problem: Problem) -> Problem:
    """A problem whose texts are fit to be shown: a document's keys and values are among them."""
    texts = (safe_message(text) for text in (problem.path, problem.message, problem.hint))
    return Problem(printable(problem.file), problem.line, *texts)


async def _tycho(request: Request, error: Any) -> Json:
    return failed(error)


async def _invalid(request: Request, error: Any) -> Json:
    malformed = next((one for one in error.errors() if one["type"] == "json_invalid"), None)
    if malformed:
        said = f"the body is not JSON: {malformed['ctx']['error']} at character {malformed['loc'][-1]}"
        return failed(UsageError(said))
    problems = [Problem("", 0, _path(one["loc"][1:]), _said(one)) for one in error.errors()]
    number = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return failed(UsageError(f"{number} with the request", problems=problems), 422)


def _said(one: Mapping[str, Any]) -> str:
    told: str = SAID.get(one["type"]) or one["msg"].removeprefix("Value error, ")
    return told[:1].lower() + told[1:]


def _path(steps: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


async def _http(request: Request, error: Any) -> Json:
    answer = failed(UsageError(str(error.detail)), error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> Json:
    return failed(TychoError(f"unexpected {type(error).__name__}", hint="the service's log says more"))


HANDLERS: dict[int | type[Exception], Any] = {
    TychoError: _tycho,
    RequestValidationError: _invalid,
    HTTPException: _http,
    Exception: _unexpected,
}
