"""Compose text -> Project: `load(Sources.from_disk(["compose.yaml"], env=…))`.

    sources    which files, whose variables
    gather     parse, interpolate, include, extends, merge, schema: many texts, one tree
    bind       short forms written out, units counted, templates kept: the tree as the model's fields
    enable     the profiles' services
    imply      what Compose takes for granted
    sidefiles  what env files and label files hold
    carried    what binds, configs and secrets hold, and what of it may travel
    check      that it is consistent

Learn one phase, know all: a table from key to small function, and every problem with its line. And back:
`tycho.canonical`.
"""

from __future__ import annotations

from tycho.collector import paused
from tycho.compose.outline import Outline, outline
from tycho.compose.select import select_services
from tycho.compose.sources import NoComposeFile, Sources
from tycho.compose.suggestions import limited_comparisons
from tycho.errors import ComposeError
from tycho.model import Project

__all__ = [
    "NoComposeFile",
    "Outline",
    "Sources",
    "canonical",
    "load",
    "outline",
    "select_services",
    "uninterpolated",
]


@limited_comparisons()
@paused()
def load(sources: Sources) -> Project:
    """Compose text to a system.

    Args:
        sources: The texts and what is around them.

    Raises:
        ComposeError: With every problem that the files have.
        SourceError: A file is missing or cannot be read.
    """
    from tycho.compose import carried_files, normalize, referenced_files
    from tycho.compose.assemble import bound, checked, finished
    from tycho.compose.loader import gather
    from tycho.masking import masked, secret_variables

    readers: dict[str, list[str]] = {}
    texts = [text.decode(errors="replace") for _, text in sources.texts]
    with masked(secret_variables(sources.env, known=texts), readers) as masker:
        state, tree = gather(sources.renewed(), readers=readers)
        warnings = state.warnings
        try:
            ctx, fields = bound(state, tree)
            warnings = ctx.warnings
            travel = carried_files.Travel.of(ctx, fields, state.env_files)
            disabled = normalize.enable(fields, set(sources.profiles))
            normalize.imply(ctx, fields)
            referenced_files.read(ctx, fields, travel)
            carried_files.read(ctx, fields, travel)
            system = checked(ctx, fields, state.name, disabled)
        except ComposeError as error:
            error.warnings = tuple(warnings)
            raise
        ctx.warnings = list(map(masker.problem, ctx.warnings))
        return finished(ctx, fields, system)


def canonical(system: Project, sources: Sources, *, written: bool = False) -> dict[str, object]:
    """A system as `docker compose config` prints it; loaded again, it is the same system.

    Args:
        system: What was loaded from them.
        sources: Where its relative paths start.
        written: As a compose file, with extensions and models; else Compose's JSON, which leaves them out.
    """
    from tycho.canonical import to_canonical

    return to_canonical(system, sources.path, written=written)


@limited_comparisons()
def uninterpolated(sources: Sources) -> dict[str, object]:
    """The merged files with their variables left as they are, as `docker compose config --no-interpolate` prints them.

    Args:
        sources: The texts and what is around them.

    Raises:
        ComposeError: With every problem that shows without values.
        SourceError: A file is missing or cannot be read.
    """
    from tycho.compose.assemble import stop
    from tycho.compose.canonical_uninterpolated import verbatim
    from tycho.compose.loader import gather

    state, tree = gather(sources, interpolate=False)
    stop(state.problems)
    return verbatim(tree, state.name, sources)
