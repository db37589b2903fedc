"""Whether what runs is still what the compose file of this folder says: only where the file is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.project import ProjectOptions

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release

LENGTH = 40  # characters of a digest that the label of a release holds


async def mark_outdated(lifecycle: Lifecycle, releases: Sequence[Release]) -> list[Release]:
    """Mark the systems that were started from this folder: whether their compose file is another by now.

    Args:
        lifecycle: Who asks.
        releases: What runs.

    Returns:
        The same systems; those of other folders, and all where the file here is broken, as they were.
    """
    from tycho.compose import Sources
    from tycho.errors import TychoError
    from tycho.settings import environment

    if (origin := ProjectOptions().origin()) is None:
        return list(releases)
    caller = await lifecycle.identify(origin)
    ours = {
        release.identity.guid
        for release in releases
        if release.compose and release.identity.name == origin.project and caller.prefers(release.identity)
    }
    if not ours:
        return list(releases)
    try:
        digest = lifecycle.compile(Sources.from_disk((), env=environment())).artifact.compose_digest[:LENGTH]
    except TychoError:
        return list(releases)
    return [
        release.model_copy(update={"outdated": release.compose[:LENGTH] != digest})
        if release.identity.guid in ours
        else release
        for release in releases
    ]


def tell_outdated(releases: Sequence[Release]) -> None:
    """Say which systems have another compose file by now."""
    for release in releases:
        if release.outdated:
            show.info(
                f"{release.identity.name} is outdated: the compose file here has changed since"
                f" (`tycho diff` shows what, `tycho up` applies it)"
            )
