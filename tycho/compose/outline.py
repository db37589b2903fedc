"""What a project is called and which services it has, told without any variable's value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from tycho.compose import interpolation
from tycho.compose.project_name import normal
from tycho.errors import ComposeError

if TYPE_CHECKING:
    from tycho.compose.sources import Sources
    from tycho.compose.yaml_nodes import YamlNode


class Outline(Struct, frozen=True):
    """A project from afar.

    Args:
        name: As Compose names it.
        services: Every service, whether or not it is enabled, with its profiles.
        named: Whether a compose file gives this name, and not the caller or the folder alone.
    """

    name: str
    services: Mapping[str, tuple[str, ...]]
    named: bool = False


def outline(sources: Sources) -> Outline:
    """Read the name and the services of a project; variables need not be set, and other problems do not matter.

    Args:
        sources: The texts and what is around them.

    Raises:
        ComposeError: It cannot have the name that it is given.
    """
    from tycho.compose.loader import load_tree
    from tycho.compose.yaml_nodes import as_entries

    loaded = load_tree(sources, interpolate=False)
    if not loaded.name:
        problems = [problem for problem in loaded.problems if problem.path == "name"]
        raise ComposeError("the project has no name", problems=problems)
    services = loaded.tree.map.get("services")
    return Outline(
        loaded.name,
        {
            name: tuple(str(profile.value) for profile in as_entries(service.get("profiles")))
            for name, service in (services.map if services else {}).items()
        },
        named=_declares(loaded.tree, sources, loaded.name),
    )


def _declares(tree: YamlNode, sources: Sources, name: str) -> bool:
    """Return whether a compose file gives the name that the project has, even where the caller repeats it."""
    declared = tree.get("name")
    if declared is None or not sources.name:
        return declared is not None
    try:
        return normal(interpolation.expand(str(declared.value), sources.env)) == name
    except interpolation.Invalid:
        return False
