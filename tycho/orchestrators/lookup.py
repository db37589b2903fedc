"""Find back ends by name: those that are shipped, and those that other packages name by an entry point."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tycho.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

    from tycho.orchestrators import Orchestrator
    from tycho.orchestrators.instance import Compiler, Target

GROUP = "tycho.orchestrators"
SHIPPED = {
    "docker": "tycho.orchestrators.docker:DockerOrchestrator",
    "helm": "tycho.orchestrators.helm:HelmOrchestrator",
    "memory": "tycho.orchestrators.memory:MemoryOrchestrator",
}
COMPILERS = dict.fromkeys(("helm", "memory"), "tycho.orchestrators.chart_compiler:ChartCompiler")
"""What compiles for a back end, where that takes less than the back end."""


def known() -> list[str]:
    """Names of the orchestrators that are installed."""
    return sorted(SHIPPED.keys() | {point.name for point in _list_points()})


def find_class(name: str) -> Any:
    """Find the class of an orchestrator by name.

    Raises:
        UsageError: No such orchestrator; the message lists the known ones.
    """
    if name in SHIPPED:
        return _load(SHIPPED[name])
    for point in _list_points():
        if point.name == name:
            return point.load()
    raise UsageError(f'unknown backplane "{name}"', hint=f"known: {', '.join(known())}")


def get(name: str, target: Target) -> Orchestrator:
    """Make an orchestrator by name.

    Raises:
        UsageError: No such orchestrator, or it has no use for this target.
    """
    orchestrator: Orchestrator = find_class(name)(target)
    return orchestrator


def get_compiler(name: str, target: Target) -> Compiler:
    """Make what compiles for an orchestrator: where nothing else does, that itself.

    Raises:
        UsageError: No such orchestrator, or it has no use for this target.
    """
    if name not in COMPILERS:
        return get(name, target)
    compiler: Compiler = _load(COMPILERS[name])()
    return compiler


def check_options(name: str, options: Mapping[str, object]) -> None:
    """Refuse options that are about clusters, where a back end has none.

    Args:
        name: The back end's name.
        options: What was given, by the option's name; what is false was not.

    Raises:
        UsageError: Names the options.
    """
    given = [option for option, value in options.items() if value]
    if given and not find_class(name).takes_cluster_options:
        raise UsageError(
            f"{', '.join(given)}: {name} runs systems without a cluster",
            hint=f"leave {'it' if len(given) == 1 else 'them'} out, or use -b helm",
        )


def _load(place: str) -> Any:
    """Import what has a place, `module:name`."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def _list_points() -> EntryPoints:
    """List the entry points of other packages; finding them takes some 10 ms, which those that are shipped need not."""
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)
