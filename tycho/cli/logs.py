"""`tycho logs`: what a system's containers write."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.clock import CLOCK
from tycho.cli.display import has_colours
from tycho.cli.options import READING, FindTimeout, TargetOptions, Words
from tycho.cli.project import FollowedSystemOptions, choose_system
from tycho.cli.session import run
from tycho.errors import UsageError
from tycho.time_limit import limit_time

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle

LINES = "The lines"
Follow = Annotated[
    bool,
    typer.Option("-f", "--follow", help="Go on as long as the containers run.", rich_help_panel=LINES),
]
Tail = Annotated[
    str,
    typer.Option("--tail", metavar="N|all", help="Lines of each container; 100, or all with --since.",
                 rich_help_panel=LINES),
]  # fmt: skip
Since = Annotated[
    str,
    typer.Option("--since", metavar="WHEN", help="Not older: 10m, 1h30m, or 2026-11-20T14:02:31Z.",
                 rich_help_panel=LINES),
]  # fmt: skip
Timestamps = Annotated[
    bool, typer.Option("--timestamps", help="Write each line's moment before it.", rich_help_panel=LINES)
]
NoPrefix = Annotated[
    bool, typer.Option("--no-log-prefix", help="Write lines without names before them.", rich_help_panel=LINES)
]


def logs(
    words: Words = None,
    *,
    follow: Follow = False,
    tail: Tail = "",
    since: Since = "",
    timestamps: Timestamps = False,
    no_log_prefix: NoPrefix = False,
    system: FollowedSystemOptions,
    target: TargetOptions,
    timeout: FindTimeout = READING,
) -> None:
    r"""Print what containers write; each line has its pod's name before it, on a terminal in its service's colour.

    \b
    Examples:
      tycho logs
      tycho logs web api -f
      tycho logs shop api --since 10m --tail 20

    ID defaults to the project of this folder.
    """
    if target.namespace.isdigit():
        number = target.namespace
        raise UsageError(f"-n is the namespace, and {number} looks like a number of lines: write --tail {number}")

    async def act(lifecycle: Lifecycle) -> None:
        from tycho.orchestrators import parse_since

        if since:
            parse_since(since)  # what is no moment is refused before anybody is asked
        lines = read_tail(tail, default=None if since else 100)
        with limit_time(timeout):
            release, services = await choose_system(lifecycle, system, words or (), id=system.id)
        moment = parse_since(since, CLOCK.now()) if since else None
        write, aligned = choose_writer(no_log_prefix=no_log_prefix)
        async for line in lifecycle.logs(
            release.identity.guid,
            services,
            follow=follow,
            tail=lines,
            since=moment,
            timestamps=timestamps,
            aligned=aligned,
        ):
            write(line)
            if follow:
                show.flush()

    run(act, target)


def choose_writer(*, no_log_prefix: bool) -> tuple[Callable[[str], None], bool]:
    """Choose how lines are written, and whether it takes aligned ones."""
    from tycho.cli.log_lines import Painter, split_line

    if no_log_prefix:
        return lambda line: show.log(split_line(line)[1]), True
    if not sys.stdout.isatty():
        return show.log, False
    if not has_colours(sys.stdout):
        return show.log, True
    painter = Painter()
    return lambda line: show.log(painter.paint(line)), True


def read_tail(text: str, *, default: int | None) -> int | None:
    """Read how many lines to begin with; None for all.

    Raises:
        UsageError: It is no number.
    """
    if text == "all":
        return None
    if text and not (text.isascii() and text.isdigit()):
        raise UsageError(f'--tail "{text}" is not a number of lines', hint="write --tail 20, or --tail all")
    return int(text) if text else default
