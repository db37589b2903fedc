"""Requests and replies as values, and what is tried again: the core that both clients share.

A verb is a generator of steps. It yields what is to be sent, how long to pause or which system to watch, and is given
what came of it; whether that is awaited is the business of the client that drives it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import quote

from msgspec import Struct, field
from msgspec.structs import replace

from tycho.client.answers import TychoAnswer
from tycho.errors import ClusterUnreachable, TychoError, UsageError, WaitTimeout
from tycho.text import printable, safe_message
from tycho.time_limit import time_left

if TYPE_CHECKING:
    from tycho.client.progress import Progress

T = TypeVar("T")
URL = "http://localhost:5000"
TRIES = 3  # of a request that may be sent again
PAUSES = (0.2, 1.0)  # seconds before the second and the third
LONGEST = 10.0  # seconds that a service may ask to wait before a request is sent again
BUSY = (429, 503)
READS = ("GET", "HEAD")
OVER = 0.1  # seconds: with less than that a request has ended for want of time
NOT_WELL = "look at the service, and at what is before it: `curl URL/readyz` asks how it is"


class Request(Struct, frozen=True):
    """One request.

    Args:
        method: GET, POST, …
        path: Behind the service's address.
        query: Pairs behind the `?`.
        body: Sent as JSON; None for none.
        headers: Besides those of every request.
        safe: Whether sending it twice does the same as once; a GET always is.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    safe: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows whether it arrived."""
        return self.safe or self.method in READS or "Idempotency-Key" in self.headers


class Reply(Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def envelope(self, shown: str) -> dict[str, Any]:
        """Return `{status, result, message}`.

        Args:
            shown: Who answered, for messages.

        Raises:
            TychoError: It is no answer of a Tycho's.
        """
        try:
            envelope = json.loads(self.content)
            return {key: envelope[key] for key in ("status", "result", "message")}
        except (ValueError, KeyError, TypeError):
            raise TychoError(f"{shown} answered {self.status}, and not as Tycho does") from None


class Lost(Struct, frozen=True):
    """No reply.

    Args:
        error: Why.
        sent: Whether the request may have arrived.
    """

    error: TychoError
    sent: bool


class Pause(Struct, frozen=True):
    """Seconds to wait."""

    seconds: float


class Follow(Struct, frozen=True):
    """A system to watch until it is ready or has failed, and who is told."""

    id: str
    tell: Callable[[Progress], object]


Step: TypeAlias = Request | Pause | Follow
Steps: TypeAlias = Generator[Step, Any, T]


def address(*parts: str) -> str:
    """Return a path of single names.

    Raises:
        UsageError: One is none: behind a slash, servers read the address of something else.
    """
    for part in parts:
        if not part or "/" in part or part in {".", ".."}:
            raise UsageError(f'"{printable(part)}" names no system', hint="name it by its GUID, or by its name")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def pairs(**values: object) -> list[tuple[str, str]]:
    """Return a query of what is given: a list is several, and None, "" and False are left out."""
    parameters: list[tuple[str, str]] = []
    for name, value in values.items():
        several = value if isinstance(value, list | tuple) else [value]
        parameters += [(name, _word(each)) for each in several if each is not None and each is not False and each != ""]
    return parameters


def write_labels(labels: Mapping[str, str] | None) -> list[str]:
    """Return labels as a query has them."""
    return [f"{name}={text}" for name, text in (labels or {}).items()]


def without_tokens(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a start whose principal is a username alone: nobody has a use for the tokens that stand beside it.

    Example:
        >>> without_tokens({"name": "a", "principal": '{"username": "ada", "access_token": "t"}'})
        {'name': 'a', 'principal': '{"username": "ada"}'}
    """
    from tycho.usernames import read_principal  # only for those who send a principal

    name = read_principal(request.get("principal"))
    fields = {key: value for key, value in request.items() if key != "principal"}
    return {**fields, "principal": json.dumps({"username": name})} if name else fields


def ask(request: Request) -> Steps[Reply]:
    """Send a request, and again where that can do no harm: nobody listened, or the service is busy and says how long.

    Raises:
        TychoError: There is no reply.
    """
    if request.body and "principal" in request.body:
        request = replace(request, body=without_tokens(request.body))
    for pause in (*PAUSES, None):
        reply: Reply | Lost = yield request
        if isinstance(reply, Lost):
            if pause is None or time_left() <= pause or (reply.sent and not request.repeatable):
                raise reply.error
            yield Pause(pause)
            continue
        seconds = read_delay(reply)
        if pause is None or seconds is None or (reply.status == 503 and not request.repeatable):
            return reply
        if time_left() <= seconds:
            return reply
        yield Pause(seconds)
    raise AssertionError("the last try has no pause behind it")


def read_delay(reply: Reply) -> float | None:
    """Read after how many seconds a busy service wants to be asked again; None where it does not, or not soon."""
    if reply.status not in BUSY:
        return None
    delay = reply.headers.get("retry-after", "")
    return float(delay) if re.fullmatch("[0-9]{1,4}", delay) and float(delay) <= LONGEST else None


def explain(error: Exception, url: str, path: str, timeout: float) -> Lost:
    """Say why there is no reply.

    Args:
        error: What the HTTP library raised.
        url: The service's address.
        path: What was asked for.
        timeout: Seconds that it was given.
    """
    import httpx2

    shown = show_address(url)
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        message = f'"{shown}" is not an address: {safe_message(str(error))}'
        raise UsageError(message, hint=f"write for example {URL}") from error
    if isinstance(error, UnicodeEncodeError):
        raise UsageError("the request holds characters that are no text", hint=str(error.reason)) from error
    lost: TychoError
    reason, connecting = safe_message(str(error)) or type(error).__name__, (httpx2.ConnectError, httpx2.ConnectTimeout)
    if isinstance(error, httpx2.TimeoutException | TimeoutError) and time_left() <= OVER:
        lost = WaitTimeout(f"the time is over, and the service at {shown} still does not answer", hint=NOT_WELL)
    elif isinstance(error, httpx2.ReadTimeout | TimeoutError):
        lost = WaitTimeout(f"{shown}{path} took longer than {timeout:g} s")
    elif isinstance(error, connecting):
        lost = ClusterUnreachable(f"no Tycho answers at {shown}: {reason}", hint="`tycho api` starts one")
    else:
        lost = ClusterUnreachable(f"{shown} was reached, and its answer cannot be read: {reason}", hint=NOT_WELL)
    lost.__cause__ = error
    return Lost(lost, sent=not isinstance(error, connecting))


def explain_break(error: Exception, url: str) -> Lost:
    """Say why a stream that had begun has ended before its time."""
    import httpx2

    silent = isinstance(error, httpx2.TimeoutException)
    reason = "it has fallen silent" if silent else safe_message(str(error)) or type(error).__name__
    lost = ClusterUnreachable(f"the events of {show_address(url)} break off: {reason}", hint=NOT_WELL)
    lost.__cause__ = error
    return Lost(lost, sent=True)


def succeed(reply: Reply, shown: str) -> Any:
    """Return the result of an answer that went well.

    Raises:
        TychoError: What the service met, of its own class.
    """
    answer = TychoAnswer(**reply.envelope(shown))
    if answer.error:
        raise answer.error
    return answer.result


def show_address(url: str) -> str:
    """Show an address without what stands before an `@`: a password, whether or not the rest is an address."""
    return safe_message(re.sub(r"[^/]*@", "***@", url))


def _word(value: object) -> str:
    return "true" if value is True else str(value)
