"""`tycho pause` and its kin in processes of their own, on a cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.xdist_group("cluster")
FILE = """
services:
  web: {image: nginx:1, ports: ["80"]}
  agent: {image: nginx:1, deploy: {mode: global}}
"""


def test_one_sees_what_stands_still(tycho: Run, folder: Path) -> None:
    (folder / "compose.yaml").write_text(FILE)
    tycho("up", cwd=folder)
    paused = tycho("pause", cwd=folder)
    assert {"  web: paused", "  agent: paused"} <= {line.partition(" (")[0] for line in paused.stderr.splitlines()}
    assert [line.split()[3] for line in tycho("ps", cwd=folder).stdout.splitlines()[1:]] == ["paused", "paused"]
    (row,) = json.loads(tycho("status", "-o", "json", cwd=folder).stdout)
    assert (row["state"], row["paused"]) == ("paused", True)
    refused = tycho("scale", "agent=2", cwd=folder, rc=2).stderr
    assert "services.agent.replicas: it has none" in refused
    resumed = tycho("resume", cwd=folder)
    assert "  web: ready" in resumed.stderr
