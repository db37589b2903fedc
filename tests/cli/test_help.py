"""What `--help` shows, of the program and of every verb."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tycho.cli import CLUSTER, COMMANDS

TYCHO = Path(sys.executable).with_name("tycho")
VERBS = [[name] for name in COMMANDS] + [["cluster", name] for name in CLUSTER]


@pytest.mark.parametrize("verb", [[], *VERBS], ids=" ".join)
def test_help_is_laid_out_as_it_was_written(verb: list[str]) -> None:
    done = subprocess.run([TYCHO, *verb, "--help"], capture_output=True, text=True, check=True)
    assert "\\b" not in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    examples = [line for line in done.stdout.splitlines() if line.startswith("    tycho ")]
    assert ("Example" in done.stdout) == bool(examples)
