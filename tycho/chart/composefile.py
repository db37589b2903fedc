"""`files/compose.yaml`: the compose file that a chart was made of, for those who have only the chart.

It is the project after the policies, with its variables, and it compiles to the same chart. It holds what the chart
holds: nothing of the environment, nothing secret, and no key that means nothing to a cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tycho.canonical import to_compose_file
from tycho.chart.chart import ReportEntry
from tycho.chart.hidden import Concealed, Hiding
from tycho.chart.layout import ChartLayout
from tycho.chart.services import is_implied
from tycho.chart.yaml_writer import dump
from tycho.credentials import find_text
from tycho.model import Dependency, Hook, Json, PolicyResult, Project, Service, Variable, template
from tycho.model.compose_paths import SECTIONS
from tycho.model.expression import Reference, parse

UNHELD = (
    "build", "profiles", "develop", "stop_signal", "pull_refresh_after", "external_links", "deploy.rollback_config",
)  # fmt: skip
"""Keys of services that a chart holds nothing of as they are written, and that may say what a chart must not."""
EXTENSION = "x-tycho"
NAMED = frozenset({"networks", "volumes", "configs", "secrets"})  # sections whose entries may say nothing
_HOOK = re.compile(r"\.pre_start\[\d+\]$")
_STEP = re.compile(r"\[(\d+)\]\.?")


def write_compose_file(layout: ChartLayout, policy_result: PolicyResult, rows: Sequence[ReportEntry]) -> str:
    """Write the compose file that a chart carries.

    Args:
        layout: What the chart holds.
        policy_result: The system, and what the file itself said where policies said more.
        rows: What became of each key.
    """
    tree = to_compose_file(_withhold(layout, policy_result.own))
    for section in ("services", "jobs"):
        for service in tree.get(section, {}).values():
            for key in UNHELD:
                if key.partition(".")[0] in service:
                    _cut(service, key)
    for path in reversed(list(_list_meaningless(rows))):
        _cut(tree, path)
    return dump(tree)


def _list_meaningless(rows: Sequence[ReportEntry]) -> Iterator[str]:
    """List the paths of which every row says that they mean nothing to a cluster."""
    outcomes: dict[str, set[str]] = {}
    for row in rows:
        if not _HOOK.search(row.path):  # what is said there is said of the keys below
            outcomes.setdefault(row.path, set()).add("local" if row.local else row.outcome)
    return (path for path, of_path in outcomes.items() if of_path == {"ignored"})


def _cut(node: Any, path: str, above: str = "") -> None:
    """Take away what stands at a path, if anything does, and what is empty then; names may hold dots."""
    if isinstance(node, list):
        if (match := _STEP.match(path)) and int(match[1]) < len(node):
            if match.end() == len(path):
                del node[int(match[1])]
            else:
                _cut(node[int(match[1])], path[match.end() :])
        return
    if not isinstance(node, dict):
        return
    if path in node:
        del node[path]
        return
    ends = (end for end in range(len(path) - 1, 0, -1) if path[end] in ".[" and path[:end] in node)
    if (end := next(ends, 0)) > 0:
        key = path[:end]
        _cut(node[key], path[end:].removeprefix("."), key)
        if not node[key]:
            del node[key]
            if above in NAMED:
                node[key] = None


def _withhold(layout: ChartLayout, own: Mapping[str, Json]) -> Project:
    """Take out of a system what it has from policies alone, from other tools, and what is secret."""
    images = {container.service: container.image.text for container in layout.containers}
    system, _ = conceal_entries(layout.system, layout.concealed)
    changed: dict[str, Any] = {"x": _own_extension(system.x, own, "")}
    for section in SECTIONS:
        changed[section] = {}
        for name, part in getattr(system, section).items():
            update: dict[str, Any] = {"x": _own_extension(part.x, own, f"{section}.{name}")}
            if isinstance(part, Service):
                update |= {"image": part.image or images[name], "depends_on": _list_needed(layout.system, name, part)}
                if part.pre_start:
                    written = getattr(layout.system, section)[name]
                    update["pre_start"] = tuple(_without_inherited(hook, written) for hook in part.pre_start)
            changed[section][name] = part.model_copy(update=update)
    return system.model_copy(update=changed)


def _list_needed(system: Project, name: str, service: Service) -> Mapping[str, Dependency]:
    """List what a service depends on by its own word: what follows from other keys follows again."""
    return {
        other: dependency
        for other, dependency in service.depends_on.items()
        if not (dependency.restart and is_implied(system, name, other))
    }


def _own_extension(x: Mapping[str, Json], own: Mapping[str, Json], path: str) -> Mapping[str, Json]:
    """Keep what a part of the file says to Tycho: policies say theirs again, and refuse it in a file."""
    written = own[path] if path in own else x.get(EXTENSION)
    return {EXTENSION: written} if written else {}


def conceal_entries(system: Project, concealed: Sequence[Concealed]) -> tuple[Project, Mapping[str, Variable]]:
    """Put variables in the place of what secret entries of the environment are worth.

    Args:
        system: What `hide_credentials` made.
        concealed: What that hid.

    Returns:
        The system, and the variables, which the release knows by the entries alone.
    """
    hiding = Hiding(system)
    reasons = {entry.path: entry.why for entry in concealed}
    changed: dict[str, Any] = {}
    for section in ("services", "jobs"):
        changed[section] = {}
        for name, service in getattr(system, section).items():
            path = f"{section}.{name}.environment"
            entries = {
                key: _conceal(hiding, value, f"{path}.{key}", named=reasons.get(f"{path}.{key}") == "name")
                for key in service.environment_secret
                if (value := service.environment[key]) is not None
            }
            environment = {**service.environment, **entries}
            changed[section][name] = service.model_copy(update={"environment": environment}) if entries else service
    return system.model_copy(update=changed), hiding.variables


def _conceal(hiding: Hiding, value: str, path: str, *, named: bool) -> str:
    """Conceal an entry: all of it that is no variable, where its name says that it is secret."""
    if not named:
        return hiding.text(value, path)
    written = template(value)
    return value if _are_references(parse(written)) else hiding.replace(written, find_text(written), path, "name")


def _without_inherited(hook: Hook, service: Service) -> Hook:
    """Leave to a hook what it does not have from its service anyway."""
    passed = hook.inherited.get("environment_pass", ())
    theirs = service.environment
    kept = {
        name: value
        for name, value in hook.environment.items()
        if name not in passed
        and not (name in theirs and _as_written(value) == _as_written(theirs[name]))
        and not (name in service.environment_secret and value == theirs[name])
    }
    passed = tuple(name for name in passed if name not in service.environment_pass)
    return hook.model_copy(update={"environment": kept, "inherited": {"environment_pass": passed}})


def _as_written(value: str | None) -> str | None:
    return None if value is None else template(value)


def _are_references(pieces: Sequence[object]) -> bool:
    """Tell whether a text is nothing but variables, without a default of any worth."""
    return all(
        isinstance(piece, Reference) and (piece.operator.endswith("?") or _are_references(piece.operand))
        for piece in pieces
    )
