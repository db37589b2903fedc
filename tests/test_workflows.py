"""The files that a forge reads are what it takes; jobs are short, bounded, and call `bin/task`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-issue-forms": [ROOT / f".github/ISSUE_TEMPLATE/{name}.yml" for name in ("bug", "feature")],
    "vendor.github-issue-config": [ROOT / ".github/ISSUE_TEMPLATE/config.yml"],
    "vendor.taskfile": [ROOT / "Taskfile.yml"],
}
JOBS = [
    pytest.param(job, id=f"{path.stem}-{name}")
    for path in WORKFLOWS
    for name, job in yaml.safe_load(path.read_text())["jobs"].items()
]


@pytest.mark.parametrize(("schema", "files"), SCHEMAS.items(), ids=SCHEMAS)
def test_files_follow_their_schema(schema: str, files: list[Path]) -> None:
    argv = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", schema, *files]
    completed = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout


def test_workflows_pass_actionlint(actionlint: Path) -> None:
    """What the schema cannot know: expressions, shell commands, contexts, needs."""
    completed = subprocess.run([actionlint, *WORKFLOWS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout


def test_actionlint_reports_a_mistake(actionlint: Path, tmp_path: Path) -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    (tmp_path / "ci.yml").write_text(text.replace("${{ matrix.python }}", "${{ matrix.pyhton }}"))
    completed = subprocess.run([actionlint, tmp_path / "ci.yml"], capture_output=True, text=True, check=False)
    assert 'property "pyhton" is not defined' in completed.stdout


@pytest.mark.parametrize("job", JOBS)
def test_a_job_is_bounded_and_pins_its_actions(job: dict[str, Any]) -> None:
    assert job["timeout-minutes"] > 0
    for step in job["steps"]:
        assert "run" in step or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step
        assert re.match(r"(sudo )?bin/task \w|sudo apt-get ", step.get("run", "bin/task x")), step


def test_workflows_call_tasks_that_exist() -> None:
    tasks = yaml.safe_load((ROOT / "Taskfile.yml").read_text())["tasks"]
    called = {name for path in WORKFLOWS for name in re.findall(r"bin/task (\w+)", path.read_text())}
    assert called <= set(tasks)
    assert called >= {"lint", "test", "e2e", "behaviour", "deep", "dist"}


def test_ci_tests_every_version_that_is_promised() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]


def test_hooks_fetch_nothing() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert {hook["language"] for repo in config["repos"] for hook in repo["hooks"]} == {"system"}
