"""Compose text -> System: `load(Sources.from_disk(["compose.yaml"], env=…))`.

    sources    which files, whose variables
    gather     parse, interpolate, include, extends, merge, schema: many texts, one tree
    bind       short forms written out, units counted, templates kept: the tree as the model's fields
    enable     the profiles' services
    imply      what Compose takes for granted
    sidefiles  what env files, label files, configs and secrets hold
    check      that it is consistent

Learn one phase, know all: a table from key to small function, and every problem with its line.
"""

from __future__ import annotations

from tycho.compose.source import Sources
from tycho.model import System

__all__ = ["Sources", "config", "load"]


def load(sources: Sources) -> System:
    """Compose text to a system.

    Args:
        sources: The texts and what is around them.

    Raises:
        ComposeError: With every problem that the files have.
        SourceError: A file is missing or cannot be read.
    """
    from tycho.compose import implied, sidefiles
    from tycho.compose.finish import bound, checked, finished
    from tycho.compose.gather import gather

    state, tree = gather(sources)
    ctx, fields = bound(state, tree)
    disabled = implied.enable(fields, set(sources.profiles))
    implied.imply(fields)
    sidefiles.read(ctx, fields)
    system = checked(ctx, fields, state.name, disabled)
    return finished(ctx, fields, system)


def config(sources: Sources) -> dict[str, object]:
    """Compose text in its canonical form, as `docker compose config` prints it.

    Args:
        sources: The texts and what is around them.

    Raises:
        ComposeError: With every problem that the files have.
        SourceError: A file is missing or cannot be read.
    """
    from tycho.compose.canonical import canonical

    return canonical(load(sources), sources.path)
