"""`tycho history` and `tycho rollback`: what a system was, and making it so again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.options import (
    CLUSTER,
    Backplane,
    Context,
    Format,
    Id,
    Local,
    Namespace,
    NoWait,
    Output,
    Quiet,
    Timeout,
    Trace,
)
from tycho.cli.progress import progress
from tycho.cli.session import run, trace

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release

Number = Annotated[int, typer.Argument(metavar="[REVISION]", help="Its number; the last good one by default.")]

Force = Annotated[
    bool, typer.Option("--force", help="Roll back what is somebody else's, too.", rich_help_panel=CLUSTER)
]


def history(
    id: Id,
    namespace: Namespace = "",
    context: Context = "",
    local: Local = False,
    backplane: Backplane = "",
    output: Output = Format.table,
    trace_: Trace = False,
) -> None:
    r"""List the revisions of a system, oldest first.

    \b
    Example:
      tycho history shop
    """
    trace(trace_)
    found = run(
        lambda lifecycle: lifecycle.history(id),
        namespace=namespace,
        context=context,
        local=local,
        backplane=backplane,
    )
    show.history(found, output)


def rollback(
    id: Id,
    revision: Number = 0,
    force: Force = False,
    namespace: Namespace = "",
    context: Context = "",
    local: Local = False,
    backplane: Backplane = "",
    no_wait: NoWait = False,
    timeout: Timeout = 300.0,
    output: Output = Format.table,
    quiet: Quiet = False,
    trace_: Trace = False,
) -> None:
    r"""Make an earlier revision of a system the running one.

    \b
    Examples:
      tycho rollback shop
      tycho rollback shop 3
    """
    trace(trace_)

    async def act(lifecycle: Lifecycle) -> Release:
        from tycho.orchestrators import Patience

        with progress(quiet or no_wait) as watch:
            return await lifecycle.rollback(
                id, revision, force=force, patience=Patience(wait=not no_wait, timeout=timeout, watch=watch)
            )

    release = run(act, namespace=namespace, context=context, local=local, backplane=backplane)
    if not quiet:
        show.notes(release)
    show.status([release], output)
