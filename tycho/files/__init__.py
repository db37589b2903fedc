"""The one door for files that somebody names: the place is resolved, the file is regular, and reading has a limit.

Nothing below /proc, /sys and /dev is opened, nor any device, socket or pipe; only a file that the caller names on the
command line may be a pipe, as shells make them of `<(…)`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

SYSTEM_FOLDERS = ("/proc", "/sys", "/dev")
VALUES_MARK = "# Values of one environment, secrets among them, written by tycho compile. Never commit this file.\n"

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY


class Stays(StrEnum):
    """Why a file never travels, wherever the project lies: it belongs to one machine or environment."""

    VARIABLES = "it holds variables of the environment"
    GIT = "Git's own data"
    OUTPUT = "this command writes it"
    CHART = "a chart that tycho wrote"
    PACKED = "a chart that tycho packed"
    VALUES = "values that tycho compile wrote"


class Reason(StrEnum):
    """Why a file is not read; a refusal's message begins with it."""

    ABSENT = "absent"
    IRREGULAR = "not a regular file"
    SYSTEM = "below /proc, /sys or /dev"
    OUTSIDE = "outside the project"
    UNREADABLE = "cannot be read"
    LARGE = "too large"
    WITHHELD = "never travels"  # a `.env`, a `.git`, a chart that Tycho wrote, …


class FileRefused(Exception):
    """A file is not read; `reason` says why, the message says it in words."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail or {Reason.ABSENT: "no such file"}.get(reason, str(reason))


class Budget(msgspec.Struct):
    """Bound what is read together, and count it.

    Args:
        size: Bytes that may still be read.
        files: Files that may still be opened.
        entries: Entries of folders that may still be looked at.
    """

    size: int = 64 * 1024 * 1024
    files: int = 5_000
    entries: int = 100_000
    opened: list[str] = msgspec.field(default_factory=list)  # real paths, in order

    def open(self, path: str) -> None:
        """Count a file that is about to be opened."""
        self.opened.append(path)
        if len(self.opened) > self.files:
            raise FileRefused(Reason.LARGE, f"more than {self.files} files in all")

    def read(self, size: int) -> None:
        """Count bytes that were read."""
        self.size -= size
        if self.size < 0:
            raise FileRefused(Reason.LARGE, "the project's files are more than can be read at once")

    def list(self) -> None:
        """Count an entry of a folder."""
        self.entries -= 1
        if self.entries < 0:
            raise FileRefused(Reason.LARGE, "the project's folders hold more than can be looked at")


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file that was read: its resolved path, its bytes, and its mode as git keeps it."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644


def names_host(path: str) -> bool:
    """Tell whether a path of a compose file is the host's by its text alone: an absolute one, or one of a home.

    Example:
        >>> names_host("~/.aws"), names_host("/etc/passwd"), names_host("../conf")
        (True, True, False)
    """
    return path[:1] in ("/", "~") or path.startswith("\\\\") or (path[1:2] == ":" and path[2:3] in ("\\", "/"))


def is_below(path: str, folders: tuple[str, ...]) -> bool:
    """Tell whether a normal path is one of these folders, or lies below one; relative ones may climb as far as it."""
    return any(_is_below(path, folder) for folder in folders)


def read_file(path: str, *, limit: int, roots: tuple[str, ...] = (), budget: Budget | None = None) -> FileContent:
    """Read one regular file.

    Args:
        path: As somebody named it; links are followed.
        limit: Bytes that it may hold.
        roots: Resolved folders, below one of which the file must lie; anywhere where there are none.
        budget: What may be read together.

    Raises:
        FileRefused: It is not there, not regular, not below a root, unreadable or too large.
    """
    real = resolve(path, roots)
    try:
        check_regular(os.stat(real, follow_symlinks=False))
        if budget:
            budget.open(real)
        descriptor = os.open(real, _FLAGS | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise refusal(error) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        check_regular(status)  # what was looked at may have been replaced since
        _check_place(_opened_path(descriptor, real), roots)
        content = _read(file.read, limit)
    if budget:
        budget.read(len(content))
    return FileContent(real, content, 0o755 if status.st_mode & stat.S_IXUSR else 0o644)


def read_named(path: str, *, limit: int) -> bytes:
    """Read a file that the caller names on the command line: a regular file, a pipe, or /dev/null.

    Raises:
        FileRefused: It is not there, neither file nor pipe, unreadable or too large.
    """
    try:
        check_regular(os.stat(path), pipe=True)
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _FLAGS)) as file:
            check_regular(os.fstat(file.fileno()), pipe=True)
            return _read(file.read, limit)
    except (OSError, ValueError) as error:
        raise refusal(error) from error


def is_file(path: str) -> bool:
    """Tell whether there is a regular file."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _is_below(path: str, folder: str) -> bool:
    if os.path.isabs(path) != os.path.isabs(folder):
        return False
    if os.path.isabs(path):
        return path == folder or path.startswith(folder.rstrip("/") + "/")
    return path.split("/").count("..") <= folder.split("/").count("..")


def resolve(path: str, roots: tuple[str, ...]) -> str:
    """Follow all links of a path, and check where it ends."""
    try:
        _check_place(os.path.normpath(path), ())
        real = os.path.realpath(path)
    except (OSError, ValueError) as error:
        raise refusal(error) from error
    _check_place(real, roots)
    return real


def _check_place(real: str, roots: tuple[str, ...]) -> None:
    if is_below(real, SYSTEM_FOLDERS):
        raise FileRefused(Reason.SYSTEM)
    if roots and not is_below(real, roots):
        raise FileRefused(Reason.OUTSIDE)


def _opened_path(descriptor: int, real: str) -> str:
    """Find out what was opened in truth; a folder on the way may have become a link."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:  # a system without /proc
        return real


_KINDS = (
    (stat.S_ISDIR, "is a directory"), (stat.S_ISFIFO, "is a pipe"), (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISBLK, "is a device"), (stat.S_ISCHR, "is a device"), (stat.S_ISLNK, "is a link in a circle"),
)  # fmt: skip


def check_regular(status: os.stat_result, *, pipe: bool = False) -> None:
    """Refuse what is no regular file, nor, where one may be, a pipe."""
    mode = status.st_mode
    if stat.S_ISREG(mode) or (pipe and (stat.S_ISFIFO(mode) or os.path.samestat(status, os.stat(os.devnull)))):
        return
    raise FileRefused(Reason.IRREGULAR, next((words for test, words in _KINDS if test(mode)), "is no file"))


def _read(read: Callable[[int], bytes], limit: int) -> bytes:
    content = read(limit + 1)
    if len(content) > limit:
        raise FileRefused(Reason.LARGE, f"larger than {limit >> 20} MiB" if limit >> 20 else f"larger than {limit} B")
    return content


def refusal(error: OSError | ValueError) -> FileRefused:
    """Say in our words what the operating system refused."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return FileRefused(Reason.ABSENT)
    words = error.strerror if isinstance(error, OSError) else "not the name of a file"
    return FileRefused(Reason.UNREADABLE, (words or str(error)).lower())
