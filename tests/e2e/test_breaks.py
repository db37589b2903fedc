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
FOUND = scenarios()
BREAKS = yaml.safe_load((Path(__file__).parent / "breaks.yaml").read_text())
PARTS = ("tycho", "chart_templates", "policies", "kubernetes")
SINGLE = ("Dockerfile", "pyproject.toml", "README.md", "LICENSE")  # what an image is built of, beside them


def broken(folder: Path, one: dict[str, str]) -> Path:
    """The program, with one break."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in SINGLE:
        shutil.copy(ROOT / name, folder)
    file = folder / one["file"]
    text = file.read_text()
    assert one["text"] in text, f"{one['file']} does not say {one['text']!r} any more"
    file.write_text(text.replace(one["text"], one["instead"]))
    return folder


@pytest.mark.e2e
@pytest.mark.parametrize(
    "one",
    [pytest.param(one, marks=pytest.mark.deep) if FOUND[one["scenario"]].deep else one for one in BREAKS],
    ids=lambda one: one["scenario"],
)
def test_a_break_is_noticed(one: dict[str, str], noticed: Callable[[str], BaseException | None]):
    reason = noticed(one["scenario"])
    if isinstance(reason, pytest.skip.Exception):
        raise reason
    assert isinstance(reason, AssertionError | OSError), f"{one['breaks']}: nobody noticed"
