"""The envelope of every answer, and the errors in it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from tycho.access import TooFast
from tycho.api.correlation import ASKED
from tycho.errors import OperationInProgress, Problem, TooManyRequests, TychoError, UsageError
from tycho.settings import find_home, settings
from tycho.text import printable, safe_message

T = TypeVar("T")
LATER = 5  # seconds until whoever met somebody else at work may ask again
LISTED = 1000  # problems that an answer holds at most; its message says how many there are
SHOWN = 5  # problems that a message spells out; `result.problems` has all
LONGEST = 1000  # characters of a place
ERROR_MESSAGES = {"extra_forbidden": "no such key", "missing": "is missing"}


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
    warnings: Sequence[Problem] = ()
    reason: str = ""
    type: str = ""
    request_id: str = ""


class ProblemDetails(BaseModel):
    """The same as RFC 9457 has it, for who accepts application/problem+json."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    reason: str
    hint: str = ""
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    request_id: str = ""


class Json(JSONResponse):
    """JSON in ASCII: what a request may say, an answer can repeat."""

    def render(self, content: Any) -> bytes:
        """Serialize as JSON."""
        return json.dumps(content, separators=(",", ":")).encode()


class ProblemJson(Json):
    """An error as RFC 9457 has it."""

    media_type = "application/problem+json"


class NothingMoreError(Exception):
    """There is nothing to add to what was heard: 204, which tells an EventSource not to ask again."""


def failed(error: TychoError, status: int = 0) -> Json:
    """Return the answer for an error, in the form that was asked for.

    Args:
        error: What went wrong.
        status: HTTP status, instead of the error's own.
    """
    asked, result = ASKED.get(), describe(error)
    hint, count = result["hint"], len(error.problems)
    problems = [_shown(problem) for problem in error.problems[:SHOWN]]
    texts = [f"{problem.path}: {problem.message}" if problem.path else problem.message for problem in problems]
    more = [f"and {count - SHOWN} more"] if count > SHOWN else []
    message = ": ".join([result["message"], *(["; ".join(texts + more)] if texts else [])])
    status = status or error.http_status
    headers = {"X-Request-Id": asked.id} if asked.id else {}
    if isinstance(error, OperationInProgress | TooManyRequests):
        headers["Retry-After"] = str(error.seconds if isinstance(error, TooFast) else LATER)
    if asked.problem_json:
        title = (type(error).__doc__ or "").partition("\n")[0]
        details = {"title": title, "status": status, "detail": message, "instance": asked.path, "hint": hint}
        shared = {key: result[key] for key in ("reason", "type", "request_id", "problems", "warnings")}
        return ProblemJson({**shared, **details}, status, headers)
    content = {"status": "error", "result": result, "message": f"{message} ({hint})" if hint else message}
    return Json(content, status, headers)


def describe(error: TychoError) -> dict[str, Any]:
    """Return what a caller is told of an error: a `Failure`."""
    return {
        "error": error.reason(),
        "message": _shown_text(error.message),
        "hint": _shown_text(error.hint),
        "problems": [asdict(_shown(problem)) for problem in error.problems[:LISTED]],
        "warnings": [asdict(_shown(warning)) for warning in error.warnings[:LISTED]],
        "reason": error.reason(),
        "type": error.type(),
        "request_id": ASKED.get().id,
    }


def _shown(problem: Problem) -> Problem:
    """Make a problem fit to be shown: it holds a document's keys and values, or the path of one of the service's files.

    Of such a file, a policy for example, the name alone is shown.
    """
    file = problem.file.rpartition("/")[2] if problem.file.startswith("/") else problem.file
    texts = (safe_message(text) for text in (problem.path, problem.message, problem.hint))
    return Problem(printable(file), problem.line, *texts)


def _shown_text(text: str) -> str:
    """Make a message fit to be shown."""
    return safe_message(_without_paths(text))


def _without_paths(text: str) -> str:
    """Take the service's own folders out of a text: what another program says may name them."""
    for folder in _folders():
        text = text.replace(folder, "…/")
    return text


@cache
def _folders() -> tuple[str, ...]:
    known = settings()
    folders = [known.cache_dir, known.state_dir, Path(tempfile.gettempdir()), find_home(), Path(sys.prefix)]
    folders += [Path(path).parent for path in (known.helm, *known.kubeconfig.split(os.pathsep)) if path]
    folders += [Path(path) for path in known.policies]
    listed = {f"{folder.absolute()}/" for folder in folders} - {"/", "//"}
    return tuple(sorted(listed, key=len, reverse=True))


async def _tycho(request: Request, error: Any) -> Json:
    return failed(error)


async def _invalid(request: Request, error: Any) -> Json:
    problems = [Problem("", 0, _path(detail["loc"][1:])[:LONGEST], _message(detail)) for detail in error.errors()]
    number = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return failed(UsageError(f"{number} with the request", problems=problems), 422)


def _message(detail: Mapping[str, Any]) -> str:
    message: str = ERROR_MESSAGES.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _path(steps: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


async def _nothing_more(request: Request, error: Any) -> Response:
    return Response(status_code=204)


async def _http(request: Request, error: Any) -> Json:
    answer = failed(UsageError(str(error.detail)), error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> Json:
    return failed(TychoError(f"internal error: {type(error).__name__}", hint="read the service's log"))


HANDLERS: dict[int | type[Exception], Any] = {
    NothingMoreError: _nothing_more,
    TychoError: _tycho,
    RequestValidationError: _invalid,
    HTTPException: _http,
    Exception: _unexpected,
}
