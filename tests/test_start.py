"""What a command loads before it does anything: each library that it does without is time that nobody waits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"pydantic", "pydantic_core", "fastapi"}


def loaded(code: int, *arguments: str, backplane: str = "memory") -> set[str]:
    """Run a command that ends with a code, and return which heavy libraries it loaded."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tycho", *arguments],
        cwd=ROOT / "examples" / "shop",
        env={**os.environ, "TYCHO_BACKPLANE": backplane},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr[-1000:]
    return HEAVY & {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}


@pytest.mark.parametrize("backplane", ["helm", "memory"])
def test_a_compile_with_the_shipped_policies_loads_no_pydantic(backplane: str, tmp_path: Path) -> None:
    assert loaded(0, "compile", "-o", str(tmp_path / "chart"), backplane=backplane) == set()


@pytest.mark.parametrize("verb", ["up", "status", "ls"])
def test_a_verb_loads_no_pydantic(verb: str) -> None:
    assert loaded(0, verb) == set()


def test_a_wrong_value_of_a_caller_is_what_loads_it(tmp_path: Path) -> None:
    metadata = tmp_path / "metadata.yaml"
    metadata.write_text("web: {port: 65536}")
    assert loaded(2, "compile", "-o", str(tmp_path / "chart"), "--metadata", str(metadata)) == {
        "pydantic",
        "pydantic_core",
    }
