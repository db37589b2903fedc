"""`tycho pause`, `resume`, `stop`, `start` and `scale`: how much of a system runs."""

from __future__ import annotations

from typing import Annotated

import typer

from tycho.cli import show
from tycho.cli.changing import change_system, show_changed
from tycho.cli.options import ChangeWaitFlags, Force, OptionalId, OutputOptions, TargetOptions, Words
from tycho.cli.project import ProjectOptions, SystemOptions
from tycho.errors import UsageError

Counts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID] SERVICE=N...", help="GUID, unique prefix, release or project name; how many of each service."
    ),
]


def pause(
    id: OptionalId = "",
    *,
    project: ProjectOptions,
    force: Force = False,
    target: TargetOptions,
    wait: ChangeWaitFlags,
    output: OutputOptions,
) -> None:
    r"""Stop all pods of a system; its volumes and addresses stay, and `tycho up` leaves it paused.

    \b
    Examples:
      tycho pause
      tycho pause shop

    ID defaults to the project of this folder. `tycho resume` starts it again.
    """
    release = change_system(
        lambda lifecycle, guid, _, options: lifecycle.pause(guid, force=force, wait_options=options),
        project, id=id, force=force, target=target, wait=wait, quiet=output.quiet,
    )  # fmt: skip
    show_changed(release, output)


def resume(
    id: OptionalId = "",
    *,
    project: ProjectOptions,
    force: Force = False,
    target: TargetOptions,
    wait: ChangeWaitFlags,
    output: OutputOptions,
) -> None:
    r"""Start a paused system again; waits until it is ready.

    \b
    Examples:
      tycho resume
      tycho resume shop

    ID defaults to the project of this folder. What `tycho stop` has stopped stays so.
    """
    release = change_system(
        lambda lifecycle, guid, _, options: lifecycle.resume(guid, force=force, wait_options=options),
        project, id=id, force=force, target=target, wait=wait, quiet=output.quiet,
    )  # fmt: skip
    show_changed(release, output)


def stop(
    words: Words = None,
    *,
    system: SystemOptions,
    force: Force = False,
    target: TargetOptions,
    wait: ChangeWaitFlags,
    output: OutputOptions,
) -> None:
    r"""Stop services of a system; `tycho start` starts them again with as many replicas, and `tycho up` does.

    \b
    Examples:
      tycho stop worker
      tycho stop shop worker mail

    ID defaults to the project of this folder. `tycho pause` stops all of a system.
    """
    release = change_system(
        lambda lifecycle, guid, services, options: lifecycle.stop(guid, services, force=force, wait_options=options),
        system, words or (), id=system.id, force=force, target=target, wait=wait, quiet=output.quiet,
    )  # fmt: skip
    show_changed(release, output)


def start(
    words: Words = None,
    *,
    system: SystemOptions,
    force: Force = False,
    target: TargetOptions,
    wait: ChangeWaitFlags,
    output: OutputOptions,
) -> None:
    r"""Start services that were stopped; waits until they are ready.

    \b
    Examples:
      tycho start worker
      tycho start shop worker mail

    ID defaults to the project of this folder. `tycho up` starts a system, `tycho resume` a paused one.
    """
    release = change_system(
        lambda lifecycle, guid, services, options: lifecycle.start(guid, services, force=force, wait_options=options),
        system, words or (), id=system.id, force=force, target=target, wait=wait, quiet=output.quiet,
    )  # fmt: skip
    show_changed(release, output)


def scale(
    words: Counts = None,
    *,
    system: SystemOptions,
    force: Force = False,
    target: TargetOptions,
    wait: ChangeWaitFlags,
    output: OutputOptions,
) -> None:
    r"""Give services another number of replicas; the next `tycho up` gives them that of the compose file.

    \b
    Examples:
      tycho scale web=3
      tycho scale shop web=3 worker=0

    ID defaults to the project of this folder.
    """
    assignments = [word for word in words or () if "=" in word]
    names = [word for word in words or () if "=" not in word]
    if len(names) > 1 or (names and system.id) or not assignments:
        raise UsageError("scale takes a system, and how many of each service", hint="write `tycho scale shop web=3`")
    replicas = dict(map(_read_replicas, assignments))

    modified = change_system(
        lambda lifecycle, guid, _, options: lifecycle.scale(guid, replicas, force=force, wait_options=options),
        system, names, id=system.id, force=force, target=target, wait=wait, quiet=output.quiet,
    )  # fmt: skip
    if not output.quiet:
        for difference in modified.differences:
            show.info(difference.words)
    show_changed(modified.release, output)


def _read_replicas(text: str) -> tuple[str, int]:
    service, _, count = text.partition("=")
    if not (service and count.isascii() and count.isdigit() and len(count) < 10):
        raise UsageError(f'"{text}" is not a number of replicas', hint="write `tycho scale web=3`")
    return service, int(count)
