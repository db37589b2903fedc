"""What is refused: every problem, with its place, in Compose's words, and what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compose import oracle
from tests.compose.conftest import Load
from tycho.errors import ComposeError, Problem, SourceError

CASES = [
    pytest.param(case, id=f"{path.stem}-{number}")
    for path in sorted((Path(__file__).parent / "errors").glob("*.yaml"))
    for number, case in enumerate(yaml.load(path.read_bytes(), yaml.CSafeLoader))
]


def describe(problem: Problem, folder: Path) -> dict[str, str]:
    """A problem as the case files write it."""
    fields = {"at": f"{problem.place} {problem.path}".strip(), "says": problem.message, "hint": problem.hint}
    return {key: value.replace(str(folder), "…") for key, value in fields.items() if value}


@pytest.mark.parametrize("case", CASES)
def test_a_refusal(case: dict[str, Any], loaded: Load, tmp_path: Path) -> None:
    files, env, options = case.get("files", {}), case.get("env", {}), case.get("options", {})
    names = [name for name in ("compose.yaml", "two.yaml") if name in {"compose.yaml", *files}]
    with pytest.raises((ComposeError, SourceError)) as error:
        loaded(case["text"], files, *names, env=env, **options)
    problems = error.value.problems or [Problem("", 0, "", error.value.message, error.value.hint)]
    assert [describe(problem, tmp_path) for problem in problems] == case["problems"]
    with pytest.raises(oracle.Refused):
        oracle.theirs(tmp_path, *names, env=env, options=oracle.flags(options))
