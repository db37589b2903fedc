"""`tycho wait`: until what runs is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.options import OutputOptions, TargetOptions, Timeout, Words
from tycho.cli.progress import progress
from tycho.cli.project import SystemOptions, choose_system
from tycho.cli.session import run

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release


def wait(
    words: Words = None,
    *,
    system: SystemOptions,
    timeout: Timeout = 300.0,
    target: TargetOptions,
    output: OutputOptions,
) -> None:
    r"""Wait until a system is ready, or some of its services are.

    \b
    Examples:
      tycho wait
      tycho wait shop
      tycho wait shop web api --timeout 60

    ID defaults to the project of this folder. The exit code is 38 when one of them cannot become ready,
    and 39 when the time is over.
    """

    async def act(lifecycle: Lifecycle) -> Release:
        from tycho.orchestrators import WaitOptions

        release, services = await choose_system(lifecycle, system, words or (), id=system.id)
        with progress(output.quiet) as watch:
            wait_options = WaitOptions(timeout=timeout, watch=watch)
            return await lifecycle.wait(release.identity.guid, services, wait_options=wait_options)

    show.status([run(act, target, timeout=timeout)], output.output)
