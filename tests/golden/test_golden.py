"""One folder per feature: what its compose file becomes, readable by eye. `bin/task golden` writes them anew."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tycho.chart import emit
from tycho.compose import Sources, load
from tycho.policy import apply_policies

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/compose.yaml"))
ENV = {"TAG": "never-in-the-chart"}
DIGEST = re.compile(r"\b[0-9a-f]{12}(?:[0-9a-f]{52})?\b")  # of everything: they say nothing of the feature
WHOLE = "smallest"
VARIABLE = re.compile(r"(?<!\$)\$\{?([A-Z_]+)")
NEEDED = {"CPUS", "MEMORY", "PORT", "REPLICAS", "SITE"}  # numbers, and a name that a file of the chart has
SAME = ("values.schema.json", "README.md", ".helmignore", "templates/_", "templates/NOTES.txt", "templates/tests/")


def variables(case: Path) -> set[str]:
    """List the variables of a case whose values a chart does not need."""
    return set(VARIABLE.findall((case / "compose.yaml").read_text(encoding="utf-8"))) - NEEDED


READING = [case for case in CASES if variables(case)]


def compiled(case: Path, env: Mapping[str, str] = ENV) -> dict[str, bytes]:
    sources = Sources.from_disk([str(case / "compose.yaml")], env=env, name=case.name, cwd=str(case))
    chart = emit(apply_policies(load(sources)))
    return {
        path: DIGEST.sub("…", content).encode() if isinstance(content, str) else content
        for path, content in chart.files.items()
        if case.name == WHOLE or not _same(path)
    }


def _same(path: str) -> bool:
    """Whether a file is all but the same in every chart."""
    return path.startswith(SAME)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Path) -> None:
    expected, made = case / "chart", compiled(case)
    if os.environ.get("TYCHO_GOLDEN"):
        shutil.rmtree(expected, ignore_errors=True)
        for path, content in made.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_bytes(content)
    stored = {
        path.relative_to(expected).as_posix(): path.read_bytes() for path in expected.rglob("*") if path.is_file()
    }
    assert sorted(stored) == sorted(made)
    for path, content in made.items():
        assert stored[path].decode(errors="replace") == content.decode(errors="replace"), path


@pytest.mark.parametrize("case", READING, ids=lambda case: case.name)
def test_no_value_of_a_variable_is_in_the_chart(case: Path) -> None:
    """A chart holds the names of variables; what they are worth is in the release's values."""
    names = variables(case)
    env = {name: f"planted-{number}" for number, name in enumerate(sorted(names))}
    files = compiled(case, env)
    assert [path for path, content in files.items() if b"planted-" in content] == []
    assert all(any(name.encode() in content for content in files.values()) for name in names)


def test_templates_are_tidy() -> None:
    """Two spaces, no trailing blanks, no empty lines inside, no tabs."""
    for case in CASES:
        for path in sorted((case / "chart" / "templates").rglob("*.yaml")):
            lines: list[Any] = path.read_text(encoding="utf-8").splitlines()
            assert lines, path
            assert lines[0].strip(), path
            for number, line in enumerate(lines, 1):
                assert line == line.rstrip(), f"{path}:{number}"
                assert "\t" not in line, f"{path}:{number}"
                assert line or lines[number - 2 : number - 1] != [""], f"{path}:{number}"
                assert (len(line) - len(line.lstrip())) % 2 == 0 or line.lstrip().startswith("#"), f"{path}:{number}"
