"""Whole projects: which files there are, how they become one, with their variables replaced or left as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compose import oracle

PROJECTS = [
    pytest.param(project, id=project["what"])
    for path in sorted((Path(__file__).parent / "projects").glob("*.yaml"))
    for project in yaml.load(path.read_bytes(), yaml.CSafeLoader)
]
OF_THE_PROGRAM = [project for project in PROJECTS if project.values[0].get("only") != "the library"]
OF_THE_LIBRARY = [project for project in PROJECTS if project.values[0].get("only") != "the program"]


@pytest.mark.parametrize("project", OF_THE_PROGRAM)
@pytest.mark.parametrize("interpolate", [True, False], ids=["resolved", "verbatim"])
def test_a_project(project: dict[str, Any], tmp_path: Path, interpolate: bool) -> None:
    oracle.write(tmp_path, project["files"])
    folder, env, options = tmp_path / project.get("cwd", ""), project.get("env", {}), project.get("options", {})
    main = project.get("main", ())
    oracle.theirs(folder, *main, env=env, options=oracle.flags(options))  # what they refuse would prove little
    assert oracle.disagreement(folder, *main, env=env, interpolate=interpolate, **options) == []
