"""Compose text -> Project: `load(Sources.from_disk(["compose.yaml"], env=…))`.

    sources                which files, whose variables
    load_tree              parse, interpolate, include, extends, merge, schema: many texts, one tree
    bind_project           short syntax written out, units counted, templates kept: the tree as the model's fields
    plan_travel            which files may travel
    enable_services        the services of the profiles
    normalize              what Compose takes for granted
    read_referenced_files  what env files and label files hold
    read_carried_files     what binds, configs and secrets hold
    validate_project       the model, and that it is consistent

Each phase returns a new value. `tycho.canonical` is the way back.
"""

from __future__ import annotations

from tycho.collector import paused
from tycho.compose.outline import Outline, outline
from tycho.compose.select import select_services
from tycho.compose.sources import NoComposeFile, Sources
from tycho.compose.suggestions import limited_comparisons
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
    from tycho.compose.assemble import validate_project
    from tycho.compose.bind import bind_project
    from tycho.compose.bound import mask_warnings
    from tycho.compose.carried_files import plan_travel, read_carried_files
    from tycho.compose.lifecycle_hooks import split_hooks
    from tycho.compose.loader import load_tree
    from tycho.compose.normalize import enable_services, normalize
    from tycho.compose.referenced_files import read_referenced_files
    from tycho.masking import masked, secret_variables

    texts = [text.decode(errors="replace") for _, text in sources.texts]
    readers: dict[str, list[str]] = {}
    with masked(secret_variables(sources.env, known=texts), readers) as masker:
        loaded = load_tree(sources.renewed())
        readers.update(loaded.secrets)
        project = bind_project(loaded)
        project, travel = plan_travel(project, loaded.env_files)
        project, disabled = enable_services(project, sources.profiles)
        project = normalize(project)
        project = read_referenced_files(project, travel)
        project = read_carried_files(project, travel)
        project = split_hooks(project)
        return validate_project(mask_warnings(project, masker), loaded.name, disabled)


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
