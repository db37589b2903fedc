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

from collections.abc import Sequence

from tycho.collector import paused
from tycho.compose.outline import Outline, outline
from tycho.compose.select import select_services
from tycho.compose.sources import NoComposeFile, Sources
from tycho.compose.suggestions import limited_comparisons
from tycho.errors import ComposeError, Problem
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
    from tycho.compose.assemble import validate_project, with_metadata
    from tycho.compose.bind import bind_project
    from tycho.compose.loader import load_tree
    from tycho.masking import masked, secret_variables

    texts = [text.decode(errors="replace") for _, text in sources.texts]
    readers: dict[str, list[str]] = {}
    with masked(secret_variables(sources.env, known=texts), readers) as masker:
        loaded = load_tree(sources.renewed())
        readers.update(loaded.secrets)
        warnings: Sequence[Problem] = loaded.warnings
        try:
            ctx, fields = bind_project(loaded)
            warnings = ctx.warnings
            travel = carried_files.Travel.of(ctx, fields, loaded.env_files)
            disabled = normalize.enable(fields, set(sources.profiles))
            normalize.imply(ctx, fields)
            referenced_files.read(ctx, fields, travel)
            carried_files.read(ctx, fields, travel)
            project = validate_project(ctx, fields, loaded.name, disabled)
        except ComposeError as error:
            error.warnings = tuple(warnings)
            raise
        ctx.warnings = list(map(masker.problem, ctx.warnings))
        return with_metadata(ctx, fields, project)


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
    from tycho.compose.assemble import raise_problems
    from tycho.compose.canonical_uninterpolated import to_canonical_uninterpolated
    from tycho.compose.loader import load_tree

    loaded = load_tree(sources, interpolate=False)
    raise_problems(loaded.problems)
    return to_canonical_uninterpolated(loaded.tree, loaded.name, sources)
