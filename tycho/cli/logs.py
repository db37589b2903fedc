"""`tycho logs`: what a system's containers write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.options import Backplane, Context, Id, Local, Namespace, Trace
from tycho.cli.session import run, trace

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle

Of = Annotated[list[str] | None, typer.Argument(metavar="[SERVICE]...", help="Of these services; of all by default.")]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on as long as the containers run.")]
Tail = Annotated[int, typer.Option("--tail", metavar="N", min=0, help="Lines of each container to begin with.")]


def logs(
    id: Id,
    services: Of = None,
    follow: Follow = False,
    tail: Tail = 100,
    namespace: Namespace = "",
    context: Context = "",
    local: Local = False,
    backplane: Backplane = "",
    trace_: Trace = False,
) -> None:
    r"""Print what a system's containers write, each line with its pod's name before it.

    \b
    Examples:
      tycho logs shop
      tycho logs shop api -f
    """
    trace(trace_)

    async def act(lifecycle: Lifecycle) -> None:
        async for line in lifecycle.logs(id, services or (), follow=follow, tail=tail):
            show.log(line)
            if follow:
                show.flush()

    run(act, namespace=namespace, context=context, local=local, backplane=backplane)
