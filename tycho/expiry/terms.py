"""What a compose file, a policy or a caller says of the time that a system runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tycho.errors import UsageError
from tycho.model.checks import Between
from tycho.model.durations import nanoseconds
from tycho.model.node import InvalidFieldsError, Node
from tycho.text import printable

if TYPE_CHECKING:
    from tycho.model import Json

ANNOTATION = "tycho.dev/expiry"  # of workloads: the terms that a system runs on
TTL, IDLE, EXPIRE = "ttl", "idle", "expire"  # words of x-tycho
PATH = re.compile(r"/[!-~]*")
ACTIONS = ("pause", "down")
LONGEST = 10 * 365 * 86400  # seconds
HINT = "write for example 8h, 90m or 2d, and at most 10 years"
Action = Literal["pause", "down"]
Span = Annotated[int, Between(0, LONGEST)]


class Question(Node):
    """Where a service tells when it was last used.

    Args:
        service: The compose service.
        port: Its container's port.
        path: What is asked for there.
    """

    service: str
    port: int
    path: str = "/"


class Terms(Node):
    """What ends a system's time, and what becomes of it then.

    Args:
        ttl: Seconds after its start; 0 for no end.
        idle: Seconds after it was last used; 0 for no end.
        expire: What becomes of it.
        question: Who is asked when it was used; None where its users say so by themselves.
    """

    ttl: Span = 0
    idle: Span = 0
    expire: Action = "pause"
    question: Question | None = None

    def __bool__(self) -> bool:
        return bool(self.ttl or self.idle)


def read_seconds(value: Json) -> int:
    """Read a duration in Compose's syntax, as whole seconds.

    Raises:
        ValueError: It is none, less than a second, or more than ten years.
    """
    seconds = nanoseconds(value) // 10**9 if isinstance(value, str) else 0
    if not 1 <= seconds <= LONGEST:
        raise ValueError(value)
    return seconds


def is_duration(value: Json) -> bool:
    """Tell whether a value is a duration that a system may run."""
    try:
        return bool(read_seconds(value))
    except ValueError:
        return False


def is_idle(value: Json) -> bool:
    """Tell whether a value says when a system counts as idle: `{after, service, port, path}`."""
    if not isinstance(value, Mapping) or not is_duration(value.get("after")):
        return False
    asked = set(value) - {"after"}
    return not asked or (
        {"service", "port"} <= asked <= {"service", "port", "path"}
        and isinstance(value["service"], str)
        and _is_port(value["port"])
        and _is_path(value.get("path", "/"))
    )


def read_terms(extension: Mapping[str, Any]) -> Terms:
    """Read the terms that an `x-tycho` of a whole file says; what is not valid there counts as not written."""
    ttl, idle, expire = (extension.get(word) for word in (TTL, IDLE, EXPIRE))
    fields: dict[str, Any] = {EXPIRE: expire} if expire in ACTIONS else {}
    if is_duration(ttl):
        fields[TTL] = read_seconds(ttl)
    if is_idle(idle) and isinstance(idle, Mapping):
        fields[IDLE] = read_seconds(idle["after"])
        if "service" in idle:
            fields["question"] = Question(service=idle["service"], port=idle["port"], path=idle.get("path", "/"))
    return Terms(**fields)


def parse_terms(text: str) -> Terms:
    """Parse the terms that an annotation holds; none where it holds none that Tycho wrote."""
    try:
        return Terms.model_validate_json(text)
    except InvalidFieldsError:
        return Terms()


def find_terms(values: Mapping[str, Any]) -> Terms:
    """Find in the values of a release the terms that it runs on."""
    return parse_terms(str(((values.get("defaults") or {}).get("workloadAnnotations") or {}).get(ANNOTATION, "")))


def set_ttl(x: Mapping[str, Any], ttl: str) -> dict[str, Any]:
    """Write how long a system runs into the extensions of a compose file.

    Args:
        x: The file's keys that begin with x-.
        ttl: A duration in Compose's syntax.

    Raises:
        UsageError: It is no duration.
    """
    if not is_duration(ttl):
        raise UsageError(f'ttl: "{printable(ttl)}" is not a time that a system may run', hint=HINT)
    extension = x.get("x-tycho")
    return {**x, "x-tycho": {**(extension if isinstance(extension, Mapping) else {}), TTL: ttl}}


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535


def _is_path(value: object) -> bool:
    """Tell whether a value can stand in the first line of a request as it is."""
    return isinstance(value, str) and bool(PATH.fullmatch(value))
