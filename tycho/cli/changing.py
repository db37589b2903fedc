"""What commands that change a running system have in common: which one, who is told, and what is shown of it then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from tycho.cli import show
from tycho.cli.options import OutputOptions, TargetOptions, WaitFlags
from tycho.cli.progress import progress
from tycho.cli.project import ProjectOptions, choose_system
from tycho.cli.session import run

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.orchestrators import WaitOptions
    from tycho.release import Release

T = TypeVar("T")
Change = Callable[["Lifecycle", str, tuple[str, ...], "WaitOptions"], Awaitable[T]]
"""Changes a system: by the verbs, its GUID, the services that are named, and how long that may take."""


def change_system(
    change: Change[T],
    here: ProjectOptions,
    words: Sequence[str] = (),
    *,
    id: str,
    force: bool,
    target: TargetOptions,
    wait: WaitFlags,
    quiet: bool,
) -> T:
    """Choose a system, change it, and show its progress meanwhile.

    Args:
        change: What is done to it.
        here: The project that is meant where no system is named.
        words: A system, services, or both, as they were written.
        id: The system; all words are then services.
        force: Do it to somebody else's system, too.
        target: Where systems run.
        wait: Whether and how long to wait.
        quiet: Show no progress.
    """

    async def act(lifecycle: Lifecycle) -> T:
        release, services = await choose_system(lifecycle, here, words, id=id, change=True, force=force)
        with progress(quiet or wait.no_wait) as watch:
            return await change(lifecycle, release.identity.guid, services, wait.with_watch(watch))

    return run(act, target, timeout=wait.timeout)


def show_changed(release: Release, output: OutputOptions) -> None:
    """Show a system that was changed, and what there is to say of that."""
    if not output.quiet:
        show.notes(release)
    show.status([release], output.output)
