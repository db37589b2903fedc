"""Find text that no object of a cluster can hold: the API server reads objects as YAML, which forbids some controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.chart.names import UNWRITABLE, UNWRITABLE_REASON
from tycho.chart.yaml_writer import LIST, MAPPING
from tycho.errors import Problem
from tycho.model import Live, Node, Project, template
from tycho.model.compose_paths import SECTIONS
from tycho.text import printable

HINT = "remove it, or take it from a file"
# Judged by rows of their own, kept as bytes, or no part of any object.
SKIPPED_FIELDS = frozenset({
    "environment", "labels", "annotations", "files", "entries", "build", "develop", "models", "provider", "written",
    "environment_pass", "note", "content",
})  # fmt: skip


def find_control_characters(system: Project) -> Iterator[Problem]:
    """Find every text of a system that the API server would refuse once the chart is installed."""
    for section in SECTIONS:
        for name, part in getattr(system, section).items():
            for path in _paths(part, f"{section}.{name}") if _holds_any(part) else ():
                yield system.make_problem(path, UNWRITABLE_REASON, HINT)
    for path in _paths(system.x.get("x-tycho"), "x-tycho"):
        yield system.make_problem(path, UNWRITABLE_REASON, HINT)
    for name, config in system.configs.items():
        content: object = config.content
        # A text without variables becomes binary data, which holds anything.
        if isinstance(content, Live) and UNWRITABLE.search(content.template):
            yield system.make_problem(f"configs.{name}.content", UNWRITABLE_REASON, HINT)


def _holds_any(value: object) -> bool:
    """Tell whether such a text may be below a value, in any field: nearly always none is, so that no path is needed."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, str):
            text = part.template if isinstance(part, Live) else part
            if not text.isprintable() and UNWRITABLE.search(text):
                return True
        elif isinstance(part, MAPPING):
            left += part
            left += part.values()
        elif isinstance(part, LIST):
            left += part
        elif isinstance(part, Node):
            left += vars(part).values()
    return False


def _paths(value: object, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if UNWRITABLE.search(template(value)):
            yield path
    elif isinstance(value, Mapping):
        for key, child in value.items():
            below = f"{path}.{printable(str(key))}"
            if UNWRITABLE.search(str(key)):
                yield below
            yield from _paths(child, below)
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from _paths(child, f"{path}[{index}]")
    elif isinstance(value, Node):
        for field in sorted(value.model_fields_set - SKIPPED_FIELDS - {"x"}):
            yield from _paths(getattr(value, field), f"{path}.{field}")
        if any(UNWRITABLE.search(file.path) for file in getattr(value, "files", None) or ()):
            yield path  # a file of the folder is called so
        ours = getattr(value, "x", {}).get("x-tycho")
        yield from _paths(ours, f"{path}.x-tycho")
