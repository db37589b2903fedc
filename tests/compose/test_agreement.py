"""Files that Docker Compose reads, too: the same meaning, or both refuse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.compose import drawn, oracle
from tycho.cli.yaml_output import dump
from tycho.compose import Sources, canonical, load

CASES = [
    pytest.param(text, id=f"{path.stem}-{number}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for number, text in enumerate(path.read_text().split("\n- ")[1:])
]
CORPUS = (Path(__file__).resolve().parents[3] / "shared/corpus").resolve()
PUBLIC = sorted(CORPUS.rglob("*.y*ml"))
DEEP = settings.default.max_examples >= 1000
SAMPLE = PUBLIC if DEEP else PUBLIC[::6]  # the others only in the deep profile: a tenth of a second each
ENV = {"FOO": "foo", "SECRET": "s", "N": "3", "F": "0.25", "T": "yes", "W": "two words"}
FILES = {"a.env": "A=1\n", "a.label": "l=1\n", "cases.yaml": "content", "src/x": ""}


def indented(text: str) -> str:
    """One item of a case file, as the file of its own that it is about."""
    return "  " + text


@pytest.mark.parametrize("text", CASES)
def test_a_case(text: str, tmp_path: Path) -> None:
    oracle.write(tmp_path, {"compose.yaml": indented(text), **FILES})
    oracle.theirs(tmp_path, "compose.yaml", env=ENV)  # a case that they refuse would prove little
    assert oracle.disagreement(tmp_path, "compose.yaml", env=ENV) == []
    assert oracle.disagreement(tmp_path, "compose.yaml", env=ENV, interpolate=False) == []


@pytest.mark.parametrize("text", CASES)
def test_what_is_printed_loads_again(text: str, tmp_path: Path) -> None:
    oracle.write(tmp_path, {"compose.yaml": indented(text), **FILES})

    def written(name: str, env: Mapping[str, str]) -> dict[str, Any]:
        sources = Sources.from_disk([name], env=oracle.environment(tmp_path, env), cwd=str(tmp_path))
        return canonical(load(sources), sources, written=True)

    once, env = written("compose.yaml", ENV), {"SECRET": ENV["SECRET"]}  # all else is decided
    oracle.write(tmp_path, {"printed.yaml": dump(once)})
    assert list(oracle.differing(written("printed.yaml", env), once)) == []
    assert oracle.disagreement(tmp_path, "printed.yaml", env=env) == []


@pytest.mark.parametrize("file", SAMPLE, ids=lambda file: str(file.relative_to(CORPUS)))
def test_a_public_file(file: Path) -> None:
    assert oracle.unlisted(oracle.disagreement(file.parent, file.name)) == []
    assert oracle.unlisted(oracle.disagreement(file.parent, file.name, interpolate=False)) == []


def test_the_public_files_are_there() -> None:
    if not PUBLIC:
        pytest.skip(f"NO PUBLIC FILES: put compose files into {CORPUS}, and all of them are compared")
    assert len(PUBLIC) > 100


@settings(max_examples=max(12, settings.default.max_examples // 2), suppress_health_check=list(HealthCheck))
@given(drawn.project(), drawn.override())
def test_two_files_that_merge(
    tmp_path_factory: pytest.TempPathFactory, arbiter: Path | None, base: object, override: object
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    oracle.write(folder, {**drawn.FILES, "one.yaml": base, "two.yaml": override})  # type: ignore[dict-item]
    assert oracle.unsettled(folder, "one.yaml", "two.yaml", env=ENV, newer=arbiter) == []


@pytest.mark.parametrize("difference", oracle.differences(), ids=lambda difference: difference["what"])
def test_a_difference_is_one(difference: Mapping[str, Any], tmp_path: Path) -> None:
    example = difference["example"]
    files = {"compose.yaml": example} if isinstance(example, str) else example
    oracle.write(tmp_path, files)
    lines = oracle.disagreement(tmp_path, *(name for name in files if name.endswith(".yaml")), env=ENV)
    assert difference["reason"]
    assert lines
    assert [line for line in lines if not re.fullmatch(difference["sign"], line)] == []
