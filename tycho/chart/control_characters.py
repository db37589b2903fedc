"""Find text that no object of a cluster can hold: the API server reads objects as YAML, which forbids some controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from tycho.chart.names import UNWRITABLE_REASON, is_writable
from tycho.errors import Problem
from tycho.model import Live, Project
from tycho.model.compose_paths import SECTIONS
from tycho.text import printable

HINT = "remove it, or take it from a file"
# Judged by rows of their own, kept as bytes, or no part of any object.
SKIPPED_FIELDS = frozenset({
    "environment", "labels", "annotations", "files", "entries", "build", "develop", "models", "provider", "written",
    "environment_pass", "note", "content", "x",
})  # fmt: skip


def find_control_characters(system: Project) -> Iterator[Problem]:
    """Find every text of a system that the API server would refuse once the chart is installed."""
    for section in SECTIONS:
        for name, part in getattr(system, section).items():
            for below in _find(part):
                path = f"{section}.{name}{below}"
                yield Problem(*system.at(path), path, UNWRITABLE_REASON, HINT)
    for below in _find(system.x.get("x-tycho")):
        path = f"x-tycho{below}"
        yield Problem(*system.at(path), path, UNWRITABLE_REASON, HINT)
    for name, config in system.configs.items():
        content: object = config.content
        # A text without variables becomes binary data, which holds anything.
        if isinstance(content, Live) and not is_writable(content.template):
            path = f"configs.{name}.content"
            yield Problem(*system.at(path), path, UNWRITABLE_REASON, HINT)


def _find(value: object) -> list[str]:
    """List the paths below a value at which such a text stands: nearly always none, so that nothing is written."""
    if isinstance(value, str):
        return [] if is_writable(value.template if isinstance(value, Live) else value) else [""]
    paths: list[str] = []
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 - nearly all are, and that is told faster
        for key, child in value.items():
            if not is_writable(str(key)):
                paths.append(f".{printable(str(key))}")
            paths += [f".{printable(str(key))}{below}" for below in _find(child)]
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            paths += [f"[{index}]{below}" for below in _find(child)]
    elif isinstance(value, BaseModel):
        for field in sorted(value.model_fields_set - SKIPPED_FIELDS):
            paths += [f".{field}{below}" for below in _find(getattr(value, field))]
        if not all(is_writable(file.path) for file in getattr(value, "files", None) or ()):
            paths.append("")  # a file of the folder is called so
        ours = getattr(value, "x", {}).get("x-tycho")
        paths += [f".x-tycho{below}" for below in _find(ours)]
    return paths
