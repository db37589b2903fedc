"""Which systems CI has time for: every public case, ten pairs of keys, and the cheapest that use every key once."""

from __future__ import annotations

from collections.abc import Mapping

from tests.behaviour.project import Project
from tests.behaviour.shown import find_kinds, list_uses, load_kinds
from tests.e2e.promises import keys

PAIRS = 10
START = 3  # what a start costs, in containers


def choose_bounded(projects: Mapping[str, Project]) -> list[str]:
    """Name the bounded choice, in the order of the names."""
    kinds = load_kinds()
    shown = {key for key in keys() if find_kinds(key, kinds)}
    uses = {name: shown & {key for key, _ in list_uses(project.tree)} for name, project in projects.items()}
    pairs = sorted(name for name in projects if name.startswith("pair-"))
    chosen = {name for name in projects if name.startswith("case-")}
    chosen |= set(sorted(pairs, key=lambda name: -len(uses[name]) / _cost(projects[name]))[:PAIRS])
    missing = set[str]().union(*uses.values()).difference(*(uses[name] for name in chosen))
    while missing:
        best = max(sorted(projects), key=lambda name: len(missing & uses[name]) / _cost(projects[name]))
        chosen.add(best)
        missing -= uses[best]
    return sorted(chosen)


def _cost(project: Project) -> float:
    return (len(project.tree["services"]) + START) * (1 + len(project.moments))
