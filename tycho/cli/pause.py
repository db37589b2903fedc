"""`tycho pause`, `resume`, `stop`, `start` and `scale`: how much of a system runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.options import Force, OptionalId, OutputOptions, TargetOptions, WaitFlags, Words
from tycho.cli.progress import progress
from tycho.cli.project import ProjectOptions, SystemOptions, choose_system
from tycho.cli.session import run
from tycho.errors import UsageError

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.lifecycle.operations import Modified
    from tycho.release import Release


def pause(
    id: OptionalId = "",
    *,
    project: ProjectOptions,
    force: Force = False,
    target: TargetOptions,
    wait: WaitFlags,
    output: OutputOptions,
) -> None:
    r"""Stop all pods of a system; its volumes and addresses stay, and `tycho up` leaves it paused.

    \b
    Examples:
      tycho pause
      tycho pause shop

    ID defaults to the project of this folder. `tycho resume` starts it again.
    """

    async def act(lifecycle: Lifecycle) -> Release:
        release, _ = await choose_system(lifecycle, project, id=id, change=True, force=force)
        with progress(output.quiet or wait.no_wait) as watch:
            return await lifecycle.pause(release.identity.guid, force=force, wait_options=wait.with_watch(watch))

    _show(run(act, target, timeout=wait.timeout), output)


def resume(
    id: OptionalId = "",
    *,
    project: ProjectOptions,
    force: Force = False,
    target: TargetOptions,
    wait: WaitFlags,
    output: OutputOptions,
) -> None:
    r"""Start a paused system again; waits until it is ready.

    \b
    Examples:
      tycho resume
      tycho resume shop

    ID defaults to the project of this folder. What `tycho stop` has stopped stays so.
    """

    async def act(lifecycle: Lifecycle) -> Release:
        release, _ = await choose_system(lifecycle, project, id=id, change=True, force=force)
        with progress(output.quiet or wait.no_wait) as watch:
            return await lifecycle.resume(release.identity.guid, force=force, wait_options=wait.with_watch(watch))

    _show(run(act, target, timeout=wait.timeout), output)


def stop(
    words: Words = None,
    *,
    system: SystemOptions,
    force: Force = False,
    target: TargetOptions,
    wait: WaitFlags,
    output: OutputOptions,
) -> None:
    r"""Stop services of a system; `tycho start` starts them again with as many replicas, and `tycho up` does.

    \b
    Examples:
      tycho stop worker
      tycho stop shop worker mail

    ID defaults to the project of this folder. `tycho pause` stops all of a system.
    """

    async def act(lifecycle: Lifecycle) -> Release:
        release, services = await choose_system(lifecycle, system, words or (), id=system.id, change=True, force=force)
        with progress(output.quiet or wait.no_wait) as watch:
            return await lifecycle.stop(
                release.identity.guid, services, force=force, wait_options=wait.with_watch(watch)
            )

    _show(run(act, target, timeout=wait.timeout), output)


def start(
    words: Words = None,
    *,
    system: SystemOptions,
    force: Force = False,
    target: TargetOptions,
    wait: WaitFlags,
    output: OutputOptions,
) -> None:
    r"""Start services that were stopped; waits until they are ready.

    \b
    Examples:
      tycho start worker
      tycho start shop worker mail

    ID defaults to the project of this folder. `tycho up` starts a system, `tycho resume` a paused one.
    """

    async def act(lifecycle: Lifecycle) -> Release:
        release, services = await choose_system(lifecycle, system, words or (), id=system.id, change=True, force=force)
        with progress(output.quiet or wait.no_wait) as watch:
            return await lifecycle.start(
                release.identity.guid, services, force=force, wait_options=wait.with_watch(watch)
            )

    _show(run(act, target, timeout=wait.timeout), output)


def scale(
    words: Words = None,
    *,
    system: SystemOptions,
    force: Force = False,
    target: TargetOptions,
    wait: WaitFlags,
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
        raise UsageError("scale takes a system, and how many of each service", hint="write tycho scale shop web=3")
    replicas = dict(map(_read_replicas, assignments))

    async def act(lifecycle: Lifecycle) -> Modified:
        release, _ = await choose_system(lifecycle, system, names, id=system.id, change=True, force=force)
        with progress(output.quiet or wait.no_wait) as watch:
            return await lifecycle.scale(
                release.identity.guid, replicas, force=force, wait_options=wait.with_watch(watch)
            )

    modified = run(act, target, timeout=wait.timeout)
    if not output.quiet:
        for difference in modified.differences:
            show.info(difference.words)
    _show(modified.release, output)


def _show(release: Release, output: OutputOptions) -> None:
    if not output.quiet:
        show.notes(release)
    show.status([release], output.output)


def _read_replicas(text: str) -> tuple[str, int]:
    service, _, count = text.partition("=")
    if not (service and count.isascii() and count.isdigit() and len(count) < 10):
        raise UsageError(f'"{text}" is not a number of replicas', hint="write tycho scale web=3")
    return service, int(count)
