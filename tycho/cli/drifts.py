"""How the fields are written that others have changed of what runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.comparisons import MARKS, STYLES, StyledLine, fit_field
from tycho.cli.display import find_width
from tycho.slots import run_some
from tycho.text import printable

if TYPE_CHECKING:
    from tycho.comparison import Action
    from tycho.lifecycle import Lifecycle
    from tycho.release import Drift, Release

AT_ONCE = 8  # systems that are looked at: each look applies all objects of one


async def add_drift(lifecycle: Lifecycle, releases: Sequence[Release]) -> list[Release]:
    """Look which fields of systems others have changed.

    Args:
        lifecycle: What looks.
        releases: The systems; those that do not run are left as they are.
    """

    async def look(release: Release) -> Release:
        if release.state == "kept":
            return release
        return release.model_copy(update={"drifted": tuple(await lifecycle.drift(release.identity.guid))})

    return await run_some((partial(look, release) for release in releases), AT_ONCE)


def emit_drift(releases: Sequence[Release]) -> None:
    """Write for each system which fields others have changed: as they are, and as the release has them."""
    width = find_width(sys.stdout)
    for release in releases:
        if release.drifted is None:
            continue
        name, count = release.identity.name, len(release.drifted)
        if not count:
            show.emit(f"{name} is what its release says (revision {release.revision})")
            continue
        show.emit(f"{name} has drifted from revision {release.revision}: {count} field{'s' if count > 1 else ''}")
        for line, style in _list_lines(release.drifted, width):
            show.emit(line, style)
    if any(release.drifted for release in releases):
        show.info("`tycho up --force-conflicts` takes this back")


def _list_lines(drifts: Sequence[Drift], width: int) -> Iterator[StyledLine]:
    for (kind, name), fields in groupby(drifts, lambda drift: (drift.kind, drift.name)):
        listed = list(fields)
        action: Action = "changed" if listed[0].path else "removed"
        yield f"  {MARKS[action]} {kind} {name}{'' if listed[0].path else ' is gone'}", STYLES[action]
        for drift in listed:
            if drift.path:
                by = f" ({printable(drift.manager)})" if drift.manager else ""
                yield from fit_field(f"{drift.path}{by}", drift.manifest, drift.live, width)
