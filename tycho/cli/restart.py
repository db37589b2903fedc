"""`tycho restart`: new pods for services that run."""

from __future__ import annotations

from tycho.cli.changing import change_system, show_changed
from tycho.cli.options import Force, OutputOptions, TargetOptions, WaitFlags, Words
from tycho.cli.project import SystemOptions


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
    release = change_system(
        lambda lifecycle, guid, services, options: lifecycle.restart(
            guid, services, force=force, wait_options=options
        ),
        system, words or (), id=system.id, force=force, target=target, wait=wait, quiet=output.quiet,
    )  # fmt: skip
    show_changed(release, output)
