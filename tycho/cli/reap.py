"""`tycho reap`: systems whose time is over are paused."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.columns import BELOW
from tycho.cli.display import find_width, fold
from tycho.cli.options import CLUSTER, OUTPUT, WAITING, Format, Output, TargetOptions
from tycho.cli.session import run
from tycho.errors import UsageError

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.reaping import ReapResult

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what a pass does, and do nothing.", rich_help_panel=CLUSTER)
]
Warn = Annotated[
    str,
    typer.Option("--warn", metavar="TIME", help="How long before its end a system is warned of.",
                 rich_help_panel=WAITING),
]  # fmt: skip
Loop = Annotated[
    float,
    typer.Option("--loop", metavar="SECONDS", help="Go on, a pass every so often.", rich_help_panel=WAITING),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", help="For the whole pass, without --loop.", rich_help_panel=WAITING),
]
PASS = 300.0  # seconds: many systems may be paused in it
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Write nothing to stdout.", rich_help_panel=OUTPUT)]


def reap(
    *,
    dry_run: DryRun = False,
    warn: Warn = "10m",
    loop: Loop = 0.0,
    target: TargetOptions,
    timeout: Timeout = PASS,
    output: Output = Format.table,
    quiet: Quiet = False,
) -> None:
    r"""Pause the systems whose time is over, after a warning; `tycho api` does it by itself.

    \b
    Examples:
      tycho reap --dry-run
      tycho reap --warn 30m
      tycho reap --loop 60

    A compose file, a policy or `tycho up --ttl` says how long a system runs: see docs/expiry.md.
    """
    seconds = _read_warn(warn)
    if loop < 0:
        raise UsageError("--loop: a pass takes time", hint="write how many seconds are between two, or 0 for one pass")

    async def act(lifecycle: Lifecycle) -> Sequence[ReapResult]:
        from tycho.reaping import ReapOptions, reap, reap_always

        options = ReapOptions(warn=seconds, dry_run=dry_run)
        if loop:
            await reap_always(lifecycle, loop, options, lambda result: None if quiet else _report(result))
        return await reap(lifecycle, options)

    results = run(act, target, timeout=math.inf if loop else timeout)
    if output is not Format.table:
        show.structured([_to_row(result) for result in results], output)
    elif not results:
        show.info("no system's time is over")
    for result in results:
        if output is Format.table and not quiet:
            _report(result)
    failed = [result.error for result in results if result.error]
    if failed:
        sys.exit(failed[0].exit_code)


def _report(result: ReapResult) -> None:
    """Write what was done with a system."""
    identity = result.identity
    text = f"{identity.guid}  {result.outcome:<7}  {identity.name}: {result.reason}"
    for line in fold(text, find_width(sys.stdout), BELOW):
        show.emit(line)
    show.flush()


def _to_row(result: ReapResult) -> dict[str, str]:
    identity = result.identity
    return {"name": identity.name, "sid": identity.guid, "outcome": result.outcome.value, "reason": result.reason}


def _read_warn(text: str) -> int:
    """Read how long before the end a warning is given; it may be no time at all.

    Raises:
        UsageError: It is no duration.
    """
    from tycho.expiry import is_duration, read_seconds
    from tycho.text import printable

    if text in ("0", "0s"):
        return 0
    if not is_duration(text):
        raise UsageError(f'--warn: "{printable(text)}" is not a time', hint="write for example 10m, or 0s")
    return read_seconds(text)
