"""`tycho wait` in a process of its own: what it writes, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tycho.errors import StartFailed, WaitTimeout

pytestmark = pytest.mark.xdist_group("cluster")
FILE = """
services:
  well: {image: nginx:1}
  slow: {image: nginx:1, annotations: {tycho.dev/simulate: NotReady}}
  sick: {image: nginx:1, annotations: {tycho.dev/simulate: CrashLoopBackOff}}
"""


def test_each_end_has_its_code(tycho: Run, folder: Path) -> None:
    (folder / "compose.yaml").write_text(FILE)
    tycho("up", "--no-wait", cwd=folder)
    ready = tycho("wait", "well", cwd=folder)
    assert "  well: ready (" in ready.stderr
    assert ready.stdout.splitlines()[1].split()[0] == "shop"
    late = tycho("wait", "shop", "well", "slow", "--timeout", "1", rc=WaitTimeout.exit_code)
    assert "shop is not ready after 1 s: slow (not ready yet)" in late.stderr
    sick = tycho("wait", "shop", rc=StartFailed.exit_code)
    assert "shop cannot start: sick: back-off restarting" in sick.stderr
