"""What can go wrong, as one tree.

TychoError                      exit  1   HTTP 500
├── UsageError                        2        400   the request itself makes no sense
│   └── KeyReused                     2        422   an Idempotency-Key came with another request before
├── FileError                         3        500   a file or a stream cannot be written: no room, no right
├── TooManyRequests                   4        429   the caller has too many requests waiting
├── PreconditionFailed                5        412   the system is no longer what the caller takes it for
├── ComposeError                     10        422   the compose file has problems
│   ├── SourceError                  11        400   a file is missing, unreadable, or too large
│   └── ReportError                  12        422   --strict, and a key would change its meaning
├── PolicyError                      20        500   a policy file is broken
│   └── PolicyDenied                 21        403   a policy refuses this system
└── OrchestratorError                30        502   the cluster or helm refuses
    ├── ClusterUnreachable           30        502
    ├── ToolMissing                  31        502   helm (or another program) is missing or too old
    ├── NotFound                     32        404
    ├── Ambiguous                    33        409   an id fits several systems
    ├── OperationInProgress          34        409   somebody else is changing this system
    ├── Forbidden                    35        403
    ├── Unauthorized                 36        401   nobody knows the caller
    │   └── CredentialsRejected      36        502   the cluster or the registry does not know who asks it
    ├── Conflict                     37        409   a name or a field belongs to somebody else
    ├── StartFailed                  38        502   the system was made, but cannot become ready
    ├── WaitTimeout                  39        504
    └── NotSupported                 40        501   this back end does not do it

Every error carries a message, an optional hint, an exit code, an HTTP status,
and, where a compose file or a policy is at fault, its problems.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

TYPES = "https://tycho.dev/errors"  # the address of docs/errors.md, for programs that compare


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong at one place.

    Args:
        file: The file as the user named it, or "" when there is none.
        line: 1-based line, 0 when unknown.
        path: Dotted compose path, list indices in brackets: `services.web.ports[0]`.
        message: What is wrong, without the path.
        hint: What to write instead, or "".
    """

    file: str
    line: int
    path: str
    message: str
    hint: str = ""

    @property
    def place(self) -> str:
        """`file:line`, as far as it is known."""
        return f"{self.file}:{self.line}" if self.file and self.line else self.file

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{self.place}  {text}" if self.place else text


class TychoError(Exception):
    """Anything Tycho refuses or fails at, with a message for its user."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "", problems: Iterable[Problem] = (), local: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)
        self.warnings: tuple[Problem, ...] = ()  # what was noticed of the same files, and is no reason to refuse them
        self.local = local  # a path or the like, for people at this machine alone

    @classmethod
    def reason(cls) -> str:
        """Return the error's name for programs: a class of this module, of which another module's is a kind."""
        return next(ancestor for ancestor in cls.__mro__ if ancestor.__module__ == __name__).__name__

    @classmethod
    def type(cls) -> str:
        """Return the error's name as an address, stable; docs/errors.md tells of each."""
        return f"{TYPES}#{cls.reason()}"


class UsageError(TychoError):
    """The request itself makes no sense."""

    exit_code = 2
    http_status = 400


class KeyReused(UsageError):
    """An Idempotency-Key came with another request before."""

    http_status = 422


class FileError(TychoError):
    """A file or a stream cannot be written: there is no room, or no right to."""

    exit_code = 3


class TooManyRequests(TychoError):
    """The caller has too many requests waiting for their turn."""

    exit_code = 4
    http_status = 429


class PreconditionFailed(TychoError):
    """The system is no longer what the caller takes it for: somebody has changed it since."""

    exit_code = 5
    http_status = 412


class ComposeError(TychoError):
    """The compose file has problems; all of them are in `problems`."""

    exit_code = 10
    http_status = 422


class SourceError(ComposeError):
    """A file is missing, unreadable, or too large."""

    exit_code = 11
    http_status = 400


class ReportError(ComposeError):
    """A key would change its meaning, and strictness was asked for."""

    exit_code = 12


class PolicyError(TychoError):
    """A policy file is broken."""

    exit_code = 20


class PolicyDenied(PolicyError):
    """A policy refuses this system."""

    exit_code = 21
    http_status = 403


class OrchestratorError(TychoError):
    """The cluster, or the program that talks to it, refuses."""

    exit_code = 30
    http_status = 502


class ClusterUnreachable(OrchestratorError):
    """No cluster answers."""


class ToolMissing(OrchestratorError):
    """A program that Tycho runs is missing or too old."""

    exit_code = 31


class NotFound(OrchestratorError):
    """No such system, revision or chart."""

    exit_code = 32
    http_status = 404


class Ambiguous(OrchestratorError):
    """An id fits several systems."""

    exit_code = 33
    http_status = 409


class OperationInProgress(OrchestratorError):
    """Somebody else is changing this system now."""

    exit_code = 34
    http_status = 409


class Forbidden(OrchestratorError):
    """The cluster does not allow this to the caller."""

    exit_code = 35
    http_status = 403


class Unauthorized(OrchestratorError):
    """Nobody knows the caller."""

    exit_code = 36
    http_status = 401


class CredentialsRejected(Unauthorized):
    """The cluster or the registry does not know who asks it: a user's kubeconfig, or the service itself."""

    http_status = 502


class Conflict(OrchestratorError):
    """A name or a field belongs to somebody else."""

    exit_code = 37
    http_status = 409


class StartFailed(OrchestratorError):
    """The system was made, but cannot become ready."""

    exit_code = 38


class WaitTimeout(OrchestratorError):
    """The time allowed is over."""

    exit_code = 39
    http_status = 504


class NotSupported(OrchestratorError):
    """The back end that runs the system does not do this; docs/orchestrators.md lists what each one does."""

    exit_code = 40
    http_status = 501
