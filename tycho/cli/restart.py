"""`tycho restart`: new pods for services that run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.options import Force, OutputOptions, TargetOptions, WaitFlags, Words
from tycho.cli.progress import progress
from tycho.cli.project import SystemOptions, choose_system
from tycho.cli.session import run

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release


def restart(
    words: Words = None,
    *,
    system: SystemOptions,
    force: Force = False,
    target: TargetOptions,
    wait: WaitFlags,
    output: OutputOptions,
) -> None:
    r"""Replace the pods of services by new ones; waits until they are ready.

    \b
    Examples:
      tycho restart
      tycho restart web
      tycho restart shop web api

    ID defaults to the project of this folder. For a changed compose file, run `tycho up`.
    """

    async def act(lifecycle: Lifecycle) -> Release:
        release, services = await choose_system(lifecycle, system, words or (), id=system.id, change=True, force=force)
        with progress(output.quiet or wait.no_wait) as watch:
            return await lifecycle.restart(
                release.identity.guid, services, force=force, wait_options=wait.with_watch(watch)
            )

    release = run(act, target, timeout=wait.timeout)
    if not output.quiet:
        show.notes(release)
    show.status([release], output.output)
