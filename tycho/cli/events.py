"""`tycho events`: what the cluster tells of a system's objects."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.columns import BELOW, Column
from tycho.cli.display import find_width, fold
from tycho.cli.options import OUTPUT, READING, Format, Output, TargetOptions, Timeout, Words
from tycho.cli.project import FollowedSystemOptions, choose_system
from tycho.cli.session import run
from tycho.text import json_text
from tycho.time_limit import limit_time

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Event

Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C.", rich_help_panel=OUTPUT)]
COLUMNS = (
    Column("TIME"),
    Column("SERVICE", least=7, enough=12),
    Column("OBJECT", least=16, enough=40, rank=2),
    Column("REASON"),
    Column("MESSAGE", least=16, enough=32, lines=10),
)
HEADER = tuple(column.title for column in COLUMNS)


def events(
    words: Words = None,
    *,
    follow: Follow = False,
    system: FollowedSystemOptions,
    target: TargetOptions,
    timeout: Timeout = READING,
    output: Output = Format.table,
) -> None:
    r"""Print the events of a system's objects, oldest first.

    \b
    Examples:
      tycho events
      tycho events web -f
      tycho events shop -o json

    ID defaults to the project of this folder. With -f, JSON is one object a line, and --timeout is for
    finding the system.
    """

    async def act(lifecycle: Lifecycle) -> None:
        with limit_time(timeout):
            release, services = await choose_system(lifecycle, system, words or (), id=system.id)
        stream = lifecycle.events(release.identity.guid, services, follow=follow)
        if not follow:
            return _show([event async for event in stream], output)
        widths = [8 if sys.stdout.isatty() else 25, max(map(len, services), default=12), 40, 20, 0]
        if output is Format.table:
            _line(HEADER, widths)
        async for event in stream:
            if output is Format.table:
                _line(_row(event), widths)
            else:
                show.emit(json_text(event.model_dump(mode="json")))
            show.flush()
        return None

    run(act, target, timeout=math.inf if follow else timeout)


def _show(events: list[Event], output: Format) -> None:
    if output is not Format.table:
        return show.structured([event.model_dump(mode="json") for event in events], output)
    if not events:
        return show.info("no events: a cluster forgets them after an hour")
    return show.fitted(COLUMNS, list(map(_row, events)))


def _row(event: Event) -> tuple[str, ...]:
    times = f" (x{event.count})" if event.count > 1 else ""
    moment = event.time.astimezone().isoformat(sep=" ", timespec="seconds")
    if sys.stdout.isatty():  # a cluster forgets them after an hour
        moment = moment[len("2026-11-20 ") : len("2026-11-20 14:02:31")]
    return moment, event.service or "--", event.object, event.reason, event.message + times


def _line(cells: tuple[str, ...], widths: list[int]) -> None:
    text = "  ".join(cell.replace("\n", " ").ljust(width) for cell, width in zip(cells, widths, strict=True))
    for line in fold(text, find_width(sys.stdout), BELOW):
        show.emit(line)
