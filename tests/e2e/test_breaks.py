"""`bin/task e2e -- tests/e2e/test_breaks.py`: every scenario fails when what it proves is broken on purpose.

Each on the same node, with a copy of the program in which one text is replaced.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.promises import scenarios

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = scenarios()
BREAKS = yaml.safe_load((Path(__file__).parent / "breaks.yaml").read_text())
PARTS = ("tycho", "chart_templates", "policies", "kubernetes")
SINGLE = ("Dockerfile", "pyproject.toml", "README.md", "LICENSE")  # what an image is built of, beside them


def broken(folder: Path, mutation: dict[str, str]) -> Path:
    """The program, with one break."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in SINGLE:
        shutil.copy(ROOT / name, folder)
    file = folder / mutation["file"]
    text = file.read_text()
    assert mutation["text"] in text, f"{mutation['file']} does not say {mutation['text']!r} any more"
    file.write_text(text.replace(mutation["text"], mutation["instead"]))
    return folder


@pytest.mark.e2e
@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param(mutation, marks=pytest.mark.deep) if SCENARIOS[mutation["scenario"]].deep else mutation
        for mutation in BREAKS
    ],
    ids=lambda mutation: mutation["scenario"],
)
def test_a_break_is_noticed(mutation: dict[str, str], noticed: Callable[[str], BaseException | None]) -> None:
    reason = noticed(mutation["scenario"])
    if isinstance(reason, pytest.skip.Exception):
        raise reason
    assert isinstance(reason, AssertionError | OSError), f"{mutation['breaks']}: nobody noticed"
