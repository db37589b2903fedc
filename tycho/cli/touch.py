"""`tycho touch`: a system is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.options import READING, Force, Format, OptionalId, Output, TargetOptions, Timeout
from tycho.cli.project import ProjectOptions, choose_system
from tycho.cli.session import run

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release


def touch(
    id: OptionalId = "",
    *,
    project: ProjectOptions,
    force: Force = False,
    target: TargetOptions,
    timeout: Timeout = READING,
    output: Output = Format.table,
) -> None:
    r"""Note that a system is used: its idle time begins again.

    \b
    Examples:
      tycho touch
      tycho touch shop

    ID defaults to the project of this folder.
    """

    async def act(lifecycle: Lifecycle) -> Release:
        release, _ = await choose_system(lifecycle, project, id=id, change=True, force=force)
        return await lifecycle.touch(release.identity.guid, force=force)

    release = run(act, target, timeout=timeout)
    if not (release.expiry and release.expiry.idle):
        show.info(f"{release.identity.name} has no idle time: this changes nothing")
    show.status([release], output)
