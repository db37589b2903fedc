"""`tycho down`: systems go, wholly."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import remote, show
from tycho.cli.options import CLUSTER, Backplane, Context, Ids, Local, Namespace, Service, Timeout, Trace
from tycho.cli.session import run, trace

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle, Removal

Force = Annotated[bool, typer.Option("--force", help="Remove what is somebody else's, too.", rich_help_panel=CLUSTER)]
KeepVolumes = Annotated[
    bool,
    typer.Option("--keep-volumes", help="Keep the volumes, and print their names.", rich_help_panel=CLUSTER),
]


def down(
    ids: Ids = None,
    keep_volumes: KeepVolumes = False,
    force: Force = False,
    namespace: Namespace = "",
    context: Context = "",
    local: Local = False,
    backplane: Backplane = "",
    service: Service = "",
    timeout: Timeout = 300.0,
    trace_: Trace = False,
) -> None:
    r"""Remove systems, with everything that belongs to them; prints each GUID once it is gone.

    \b
    Examples:
      tycho down shop
      tycho down $(tycho status -terse)
    """
    trace(trace_)
    if not ids:
        return
    if service:
        remote.refuse_options(local=local, namespace=namespace, context=context, backplane=backplane)
        failed = remote.down(service, ids, force=force, keep_volumes=keep_volumes)
    else:

        async def act(lifecycle: Lifecycle) -> list[Removal]:
            from tycho.orchestrators import Patience

            patience = Patience(timeout=timeout, tell=show.say)
            return await lifecycle.down(ids, patience=patience, keep_volumes=keep_volumes, force=force, each=_told)

        removals = run(act, namespace=namespace, context=context, local=local, backplane=backplane)
        failed = [removal.error for removal in removals if removal.error]
    if failed:
        sys.exit(failed[0].exit_code)


def _told(removal: Removal) -> None:
    """Say what became of one, as soon as it is known."""
    if removal.error:
        show.error(removal.error)
    elif removal.release:
        show.out(removal.release.identity.guid)
        for note in removal.release.notes:
            show.say(note)
