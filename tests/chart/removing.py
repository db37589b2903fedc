"""A compose file without one of its keys: what the report says of a key is compared with what its absence changes."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.chart.conftest import Object, Reader
from tycho.chart import COMPOSE_FILE, Chart, emit, release_values
from tycho.chart.chart import REPORT, ReportEntry
from tycho.cli.yaml_output import dump
from tycho.compose import Sources, load
from tycho.model import PolicyResult
from tycho.policy import apply_policies

ENV = {"TAG": "1", "MOTD": "hello", "TOKEN": "t0ken"}
DESCRIBING_FILES = (
    REPORT,
    "Chart.yaml",
    "README.md",
    COMPOSE_FILE,
)  # these name the file, or its digest
INDEX = re.compile(r"\[(\d+)\]\.?")


class Unwritten(Exception):
    """The file does not say this: it follows from something else."""


@dataclass(frozen=True)
class Compiled:
    """What became of a document."""

    chart: Chart
    release: Mapping[str, Any]

    def differs(self, other: Compiled) -> list[str]:
        """The files of which a cluster sees something, and that are not the same; comments of values aside."""
        ours, theirs = (self._seen(), other._seen())
        paths = [path for path in {**ours, **theirs} if ours.get(path) != theirs.get(path)]
        return paths + ["values of the release"] * (self.release != other.release)

    def _seen(self) -> dict[str, object]:
        files = {path: content for path, content in self.chart.files.items() if path not in DESCRIBING_FILES}
        return {**files, "values.yaml": read(str(files["values.yaml"]))}


@dataclass(frozen=True)
class Project:
    """A compose file where it lies, read only.

    Args:
        path: The file.
        policies: Whether the shipped policies have their say.
    """

    path: Path
    policies: bool = True

    @property
    def document(self) -> Any:
        return read(self.path.read_bytes())

    def compile(self, document: Any) -> Compiled:
        """Compile another document as if it lay there."""
        text = dump(document).encode()
        system = load(Sources.from_disk(["-"], env=ENV, name="demo", cwd=str(self.path.parent), stdin=text))
        policy_result = apply_policies(system) if self.policies else PolicyResult(system=system)
        return Compiled(emit(policy_result), release_values(policy_result.system, guid="0" * 32))

    def rows(self, chart: Chart) -> Iterator[tuple[str, list[ReportEntry]]]:
        """Each path that the file itself says something at, with its rows: a policy's are of another file."""
        rows: dict[str, list[ReportEntry]] = {}
        for row in chart.report:
            if row.file in ("", "stdin"):
                rows.setdefault(row.path, []).append(row)
        yield from rows.items()


def read(text: str | bytes) -> Any:
    """The first document of a text, as Kubernetes reads it."""
    return next(yaml.load_all(text, Reader))


def without(document: Any, path: str) -> tuple[Any, Any]:
    """A copy of a document without what stands at a path, and what stood there.

    Raises:
        Unwritten: Nothing does.
    """
    changed = copy.deepcopy(document)
    return changed, _cut(changed, path)


def _cut(node: Any, below: str) -> Any:
    if isinstance(node, dict):
        for key in sorted(node, key=lambda key: -len(str(key))):  # names may hold dots: the longest one is meant
            if below == str(key):
                return node.pop(key)
            if below.startswith((f"{key}.", f"{key}[")):
                return _cut(node[key], below[len(str(key)) :].removeprefix("."))
    elif isinstance(node, list):
        if match := INDEX.match(below):
            number = int(match[1])
            if number >= len(node):
                raise Unwritten(below)
            return node.pop(number) if match.end() == len(below) else _cut(node[number], below[match.end() :])
        for number, element in enumerate(node):  # NAME=value
            if isinstance(element, str) and re.split("[=:]", element)[0] == below:
                return node.pop(number)
    raise Unwritten(below)


def pattern(path: str, document: Any) -> str:
    """The key that a path is about, without names and numbers: `services.ports[].mode`."""
    section, _, below = path.partition(".")
    names = sorted(map(str, document.get(section) or {}), key=len, reverse=True) if section else []
    name = next((name for name in names if below.startswith(f"{name}.")), "")
    key = re.sub(r"\[\d+\]", "[]", below[len(name) + 1 :] if name else below)
    return f"{'services' if section == 'jobs' else section}.{key}" if name else section


def leaves(objects: list[Object]) -> set[tuple[str, str]]:
    """Every field of the objects, as `Kind/name spec.template…containers[web].image`, with its value."""
    return {
        (f"{rendered['kind']}/{rendered['metadata']['name']} {path}", value)
        for rendered in objects
        for path, value in _leaves(rendered, "")
    }


def _leaves(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict) and node:
        for key, value in node.items():
            below = f"{path}[{key}]" if "." in str(key) else f"{path}.{key}"
            yield from _leaves(value, below.lstrip("."))
    elif isinstance(node, list) and node:
        for number, element in enumerate(node):
            fields = {**(element.get("metadata") or {}), **element} if isinstance(element, dict) else {}
            name = fields.get("name", number)
            yield from _leaves(element, f"{path}[{name}]")
    else:
        yield path, repr(node)
