"""Targets of the report against what Helm renders: a field that a row names is there, or it is not."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.chart.conftest import Object
from tycho.chart.chart import ReportEntry, ReportTarget
from tycho.chart.translate.key_use import RELEASE

STEP = re.compile(r"\[([^\]]*)\]|([^.\[]+)")
HELD = ("translated", "approximated")
LONGEST = 63


def resolve(target: ReportTarget, objects: Iterable[Object], release: str) -> list[Any]:
    """What objects hold at a target: one value for each object and item that it names."""
    values: list[Any] = []
    for rendered in objects:
        if rendered["kind"] == target.kind and is_named(rendered["metadata"]["name"], target.name, release):
            values += _walk(rendered, target.path)
    return values


def is_named(name: str, target: str, release: str) -> bool:
    """Whether an object is the one that a target names; a name that is too long is cut, and told apart by a digest."""
    if not target.startswith(RELEASE):
        return name == target
    whole = target.replace(RELEASE, release, 1)
    if fnmatch.fnmatchcase(name, whole):
        return True
    stem = name.rpartition("-")[0]
    return len(whole) > 52 and len(stem) > 30 and whole.startswith(stem[: len(release) + 20])


def split(path: str) -> list[str]:
    """The keys of a path, and the names of items."""
    return [match[1] if match[1] is not None else match[2] for match in STEP.finditer(path)]


def _walk(node: Any, path: str) -> list[Any]:
    nodes = [node]
    for key in split(path):
        nodes = [below for each in nodes for below in _below(each, key)]
    return nodes


def _below(node: Any, key: str) -> Iterator[Any]:
    if isinstance(node, dict) and key in node:
        yield node[key]
    elif isinstance(node, list):
        for element in node:
            names = (
                (element.get("name"), (element.get("metadata") or {}).get("name")) if isinstance(element, dict) else ()
            )
            if key in names:
                yield element


def is_within(field: str, target: ReportTarget, release: str) -> bool:
    """Whether a field, as `Kind/name path`, is at or below a target."""
    whole, _, path = field.partition(" ")
    kind, _, name = whole.partition("/")
    if kind != target.kind or not is_named(name, target.name, release):
        return False
    prefix = split(target.path)
    return split(path)[: len(prefix)] == prefix


def find_lies(rows: Iterable[ReportEntry], objects: list[Object], release: str) -> list[tuple[str, ReportTarget]]:
    """Targets of rows that nothing of the objects is at, each with the row's path."""
    return [(row.path, target) for row in rows for target in row.targets if not resolve(target, objects, release)]


def find_silent(rows: Iterable[ReportEntry], same: Iterable[str]) -> list[tuple[str, str]]:
    """Rows that name no field of what they say a key becomes, though that is not nothing."""
    return [
        (row.path, row.target)
        for row in rows
        if row.outcome in HELD
        and row.target
        and not row.targets
        and not any(re.match(words, row.target) for words in same)
    ]
