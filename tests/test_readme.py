"""The README's commands do what it says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tycho import localcluster

ROOT = Path(__file__).resolve().parents[1]


def commands() -> list[str]:
    """The lines of the block under "Two commands"."""
    text = (ROOT / "README.md").read_text().partition("## Two commands")[2]
    block = re.search(r"```\n(.*?)```", text, re.DOTALL)
    assert block
    return block[1].split("\n")[:-1]


@pytest.mark.xdist_group("cluster")
def test_the_first_command_ends_with_a_running_system(helm: Path, tmp_path: Path) -> None:
    first, _ = commands()
    kept = ("PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR", "TYCHO_QUIET_TIME")
    env = {key: value for key, value in os.environ.items() if key in kept}
    home = tmp_path / "state"
    env |= {"XDG_STATE_HOME": str(home), "TYCHO_HELM": str(helm)}
    try:
        done = subprocess.run(first.split(), cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        header, row = done.stdout.splitlines()
        assert header.split()[:4] == ["SYSTEM", "GUID", "IP_ADDRESS", "PORT"]
        assert row.split()[0] == "shop"
        assert row.split()[4] == "3/3"
    finally:
        localcluster.delete("tycho", home=home / "tycho/clusters")


def test_the_second_command_runs_tests() -> None:
    """All of them would run this one again: a small file stands for the others."""
    _, second = commands()
    argv = [*second.split(), "--", "-q", "--no-header", "tests/test_slots.py"]
    completed = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    assert re.search(r"^\d+ passed in ", completed.stdout, re.MULTILINE)
