"""What the judge showed of each Compose key: the committed result, which every run compares with what it saw itself."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.behaviour.law import Finding
from tests.behaviour.project import Json, Project

HERE = Path(__file__).parent
RESULT = HERE / "judged.json"
BY_CHANCE = frozenset({"order"})  # kinds that may come out equal in one run and reported in the next
SECTIONS = ("networks", "volumes", "configs", "secrets")


def load_kinds(path: Path = HERE / "keys.yaml") -> dict[str, list[str]]:
    """Read which kinds of observation show each key."""
    kinds: dict[str, list[str]] = yaml.safe_load(path.read_text())
    return kinds


def find_kinds(key: str, table: Mapping[str, list[str]]) -> list[str]:
    """Return the kinds that show a key: its own, or those of the nearest key above it; none where nothing does."""
    path = key
    while path not in table and "." in path and path.partition(".")[0] not in SECTIONS:
        path = path.rpartition(".")[0].removesuffix("[]")
    return table.get(path, [])


def list_uses(tree: Json) -> Iterator[tuple[str, str]]:
    """Yield each key that a file uses, and the service that uses it; "" where it is the whole system's."""
    for name, service in tree.get("services", {}).items():
        yield from ((key, name) for key in _paths(service))
    for section in SECTIONS:
        for part in (tree.get(section) or {}).values():
            yield from ((f"{section}.{key}", "") for key in _paths(part or {}))
    yield from ((key, "") for key in ("name", "include") if key in tree)


def _paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield every key below a part of a file, with its parents: `deploy.resources.limits`, `ports[].target`."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield f"{path}{key}"
            yield from _paths(below, f"{path}{key}.")
    elif isinstance(value, list):
        for entry in value:
            if isinstance(entry, Mapping):
                yield from _paths(entry, f"{path.rstrip('.')}[].")


def summarize(findings: Iterable[Finding], projects: Mapping[str, Project], keys: Iterable[str]) -> Json:
    """Count what was found, by kind of observation and by Compose key.

    Args:
        findings: Of the whole run.
        projects: The systems that ran.
        keys: Every key of the table of Compose's keys.

    Returns:
        `systems`: their names; `kinds`: for each the outcomes and their counts; `keys`: for each the systems that use
        it, and the outcomes of each kind that shows it.
    """
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    by_place: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    shared = set()  # kinds that are about a whole system, whichever service uses a key
    for finding in findings:
        if not finding.service:
            shared.add(finding.kind)
        by_kind[finding.kind][finding.outcome] += 1
        for service in {finding.service, ""}:
            by_place[finding.system, finding.kind, service][finding.outcome] += 1
    table, users = load_kinds(), defaultdict(set)
    for name, project in projects.items():
        for key, service in list_uses(project.tree):
            users[key].add((name, service))
    shown = {}
    for key in keys:
        kinds = {}
        for kind in find_kinds(key, table):
            places = {(name, kind, "" if kind in shared else service) for name, service in users[key]}
            kinds[kind] = sum((by_place[place] for place in places), Counter())
        if seen := {kind: dict(sorted(counts.items())) for kind, counts in kinds.items() if counts}:
            shown[key] = {"systems": sorted({name for name, _ in users[key]}), "kinds": seen}
    return {
        "systems": sorted(projects),
        "kinds": {kind: dict(sorted(counts.items())) for kind, counts in sorted(by_kind.items())},
        "keys": shown,
    }


def compare_result(summary: Json, committed: Json, *, whole: bool) -> Iterator[str]:
    """Tell where a run and the committed result do not agree.

    Args:
        summary: Of the run.
        committed: Of the whole choice.
        whole: Whether the run was of the whole choice, and must show all that the result says.
    """
    for section in ("kinds", "keys"):
        here, there = (
            {(name, *outcome) for name, entry in result[section].items() for outcome in _outcomes(name, entry)}
            for result in (summary, committed)
        )
        for place in sorted(here - there):
            yield f"{RESULT.name} does not say what was seen: {section[:-1]} {' '.join(place)}"
        for place in sorted(there - here) if whole else ():
            yield f"{RESULT.name} says what was not seen: {section[:-1]} {' '.join(place)}"
    for name in sorted(set(summary["systems"]) - set(committed["systems"])):
        yield f"{RESULT.name} does not know the system {name}"


def _outcomes(name: str, entry: Json) -> set[tuple[str, ...]]:
    """List the outcomes of a kind, or those of each kind of a key; never how often each was."""
    if "kinds" in entry:
        kinds = entry["kinds"].items()
        return {(kind, outcome) for kind, counts in kinds if kind not in BY_CHANCE for outcome in counts}
    return set() if name in BY_CHANCE else {(outcome,) for outcome in entry}


def load_result(path: Path = RESULT) -> Json:
    """Read the committed result."""
    result: Json = json.loads(path.read_text())
    return result


def save_result(summary: Json, path: Path = RESULT) -> None:
    """Write the result, a key a line, so that its diff can be read."""
    lines = [f'"systems": {json.dumps(summary["systems"])}']
    for section in ("kinds", "keys"):
        entries = ",\n ".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in summary[section].items())
        lines.append(f'"{section}": {{\n {entries}\n}}')
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
