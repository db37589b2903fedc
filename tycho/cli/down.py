"""`tycho down`: systems go, wholly."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.options import CLUSTER, Force, Ids, TargetOptions, Timeout
from tycho.cli.project import ProjectOptions, choose_system
from tycho.cli.session import run
from tycho.errors import NotFound, UsageError

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle, Removal
    from tycho.ownership import Caller

Project = Annotated[
    str,
    typer.Option("--project", metavar="NAME", help="All your systems of this project.", rich_help_panel=CLUSTER),
]
KeepVolumes = Annotated[
    bool,
    typer.Option("--keep-volumes", help="Keep the volumes for the next start.", rich_help_panel=CLUSTER),
]
Volumes = Annotated[
    bool,
    typer.Option("-v", "--volumes", help="Accepted: volumes go with their system always.", rich_help_panel=CLUSTER),
]
Orphans = Annotated[bool, typer.Option("--remove-orphans", hidden=True)]


def down(
    ids: Ids = None,
    *,
    all_of: Project = "",
    keep_volumes: KeepVolumes = False,
    force: Force = False,
    volumes: Volumes = False,
    remove_orphans: Orphans = False,
    project: ProjectOptions,
    target: TargetOptions,
    timeout: Timeout = 300.0,
) -> None:
    r"""Remove systems with all that belongs to them; prints each GUID once it is gone.

    \b
    Examples:
      tycho down
      tycho down shop
      tycho down --project shop
      tycho down $(tycho status -terse)

    ID defaults to the project of this folder, where that runs.
    """
    if volumes and keep_volumes:
        raise UsageError("-v and --keep-volumes exclude each other")
    if all_of and ids:
        raise UsageError("--project and IDs exclude each other", hint="--project removes all your systems of it")

    async def act(lifecycle: Lifecycle) -> list[Removal]:
        from tycho.choices import VolumesKept
        from tycho.orchestrators import WaitOptions

        wait_options = WaitOptions(timeout=timeout, tell=show.info)
        caller = await lifecycle.identify(project.origin())
        try:
            if all_of:
                chosen = await _list_own(lifecycle, all_of, caller)
            else:
                chosen = ids or [(await choose_system(lifecycle, project, removes=True))[0].identity.guid]
        except NotFound as error:
            show.info(f"nothing to remove: {error.message}")  # no error: `tycho down $(tycho status -terse)`
            if isinstance(error, VolumesKept):
                show.info(f"  hint: {error.hint}")
            return []
        return await lifecycle.down(
            chosen,
            wait_options=wait_options,
            keep_volumes=keep_volumes,
            force=force,
            caller=caller,
            each=_report_removal,
        )

    removals = run(act, target, timeout=timeout)
    failed = [removal.error for removal in removals if removal.error]
    if failed:
        sys.exit(failed[0].exit_code)


async def _list_own(lifecycle: Lifecycle, name: str, caller: Caller) -> list[str]:
    """List the GUIDs of the caller's systems of a project.

    Raises:
        NotFound: There is none.
    """
    releases = await lifecycle.status(name=name, services=False)
    own = [release.identity.guid for release in releases if caller.owns(release.identity)]
    if not own:
        others = f"; {len(releases)} of others do" if releases else ""
        raise NotFound(f"no system {name} of yours runs here{others}")
    return own


def _report_removal(removal: Removal) -> None:
    """Say what became of one, as soon as it is known."""
    if removal.error:
        show.error(removal.error)
    elif removal.release:
        show.emit(removal.release.identity.guid)
        for note in removal.release.notes:
            show.info(note)
