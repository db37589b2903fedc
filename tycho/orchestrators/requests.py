"""What a caller asks of a running system: which of its logs, and which program to run in one of its containers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from tycho.errors import UsageError
from tycho.text import printable

if TYPE_CHECKING:
    import asyncio

TAIL = 100
BAR = " | "  # between a name and a line, where they are aligned
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class LogRequest(Struct, frozen=True):
    """Which lines of a system's logs.

    Args:
        services: Of these services alone; of all when empty.
        follow: Go on as long as the containers run.
        tail: Lines of each container to begin with; None for all of them. Default 100.
        since: Only what was written at this moment or later; None for any.
        timestamps: Write each line's moment before it, as the cluster has recorded it.
        aligned: Pad the names before the lines to one width, with a bar behind them.
    """

    services: tuple[str, ...] = ()
    follow: bool = False
    tail: int | None = TAIL
    since: datetime | None = None
    timestamps: bool = False
    aligned: bool = False


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """A program to run in a container of a service, beside what runs there.

    Args:
        command: The program and its arguments; no shell reads them.
        environment: Variables that it gets besides the container's.
        workdir: Folder to start in; "" for the container's own.
        index: Which of the service's containers, from 1 on. Default 1.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    workdir: str = ""
    index: int = 1


class Connection(Struct, frozen=True):
    """A connection of this machine's, whose bytes go to a container's port.

    Args:
        reader: What its other side says.
        writer: Where the container's answers go.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Streams(Protocol):
    """What a program's standard streams are connected to."""

    @property
    def tty(self) -> bool:
        """Whether it is a terminal: the program then writes its errors into the same stream as all else."""

    async def read(self) -> bytes:
        """Read some input; b"" at its end."""

    async def write(self, content: bytes, *, error: bool) -> None:
        """Write output, or what the program says on its standard error."""

    def sizes(self) -> AsyncIterator[tuple[int, int]]:
        """Yield the terminal's columns and rows, now and whenever they change."""


def parse_since(text: str, now: datetime | None = None) -> datetime:
    """Read a moment as `docker compose logs --since` has it: how long ago, or when.

    Args:
        text: A duration such as `10m` or `1h30m`, or an RFC 3339 moment; local time unless it names a zone.
        now: What a duration is counted from; the present by default.

    Raises:
        UsageError: It is neither.

    Example:
        >>> str(parse_since("90s", datetime(2026, 1, 1, tzinfo=UTC)))
        '2025-12-31 23:58:30+00:00'
    """
    try:
        if text and not _PART.sub("", text):
            seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
            return (now or datetime.now(UTC)) - timedelta(seconds=seconds)
        if not text.isdigit():  # which would be read as a date, and means seconds since 1970 elsewhere
            return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        pass
    raise UsageError(
        f'"{printable(text)}" is not a moment',
        hint="write how long ago (10m, 1h30m) or when (2026-11-20T14:02:31Z)",
    )
