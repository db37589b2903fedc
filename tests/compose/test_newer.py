"""Docker Compose's own library, newer than any release of the program: where they differ, it is the one to follow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.compose import oracle
from tests.compose.test_agreement import CASES, ENV, FILES, SAMPLE, indented
from tests.compose.test_errors import CASES as REFUSALS
from tests.compose.test_projects import OF_THE_LIBRARY

NEWER = (Path(__file__).parent / "newer.yaml").read_text().split("\n- ")[1:]
FOLLOWED = [
    difference
    for difference in oracle.differences()
    if "2.16" in difference["reason"] and "nobody" not in difference["reason"]
]


@pytest.mark.parametrize("text", [*CASES, *NEWER])
def test_a_case(text: str, tmp_path: Path, newer: Path) -> None:
    oracle.write(tmp_path, {"compose.yaml": indented(text), **FILES})
    oracle.theirs(tmp_path, "compose.yaml", env=ENV, newer=newer)
    assert oracle.disagreement(tmp_path, "compose.yaml", env=ENV, newer=newer) == []


@pytest.mark.parametrize("file", SAMPLE, ids=lambda file: file.parent.name)
def test_a_public_file(file: Path, newer: Path) -> None:
    assert oracle.disagreement(file.parent, file.name, newer=newer) == []


@pytest.mark.parametrize("project", OF_THE_LIBRARY)
def test_a_project(project: dict[str, Any], tmp_path: Path, newer: Path) -> None:
    oracle.write(tmp_path, project["files"])
    folder, env, options = tmp_path / project.get("cwd", ""), project.get("env", {}), project.get("options", {})
    if "COMPOSE_ENV_FILES" in env:
        options, env = {"env_files": env["COMPOSE_ENV_FILES"].split(",")}, {}  # the program's, not the library's
    assert oracle.disagreement(folder, *project.get("main", ()), env=env, newer=newer, **options) == []


# What the library leaves to the program.
PROGRAMS = ("is already in use by service",)


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal(case: dict[str, Any], tmp_path: Path, newer: Path) -> None:
    oracle.write(tmp_path, {"compose.yaml": case["text"], **case.get("files", {})})
    names = [name for name in ("compose.yaml", "two.yaml") if (tmp_path / name).exists()]
    if any(word in problem["says"] for word in PROGRAMS for problem in case["problems"]):
        return
    with pytest.raises(oracle.Refused):
        oracle.theirs(tmp_path, *names, env=case.get("env"), options=oracle.flags(case.get("options", {})), newer=newer)


@pytest.mark.parametrize("difference", FOLLOWED, ids=lambda difference: difference["what"])
def test_a_difference_is_its(difference: Mapping[str, Any], tmp_path: Path, newer: Path) -> None:
    example = difference["example"]
    files = {"compose.yaml": example} if isinstance(example, str) else example
    oracle.write(tmp_path, files)
    names = [name for name in files if name.endswith(".yaml")]
    assert oracle.disagreement(tmp_path, *names, env=ENV, newer=newer) == []
