"""How long a system runs, in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run

FILE = "name: timed\nservices: {web: {image: nginx}}\n"


def test_a_system_ends_in_time(tycho: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(FILE)
    up = tycho("up", "--ttl", "8h")
    assert "expires in 8 h; then it is paused" in up.stderr
    header, row = up.stdout.splitlines()
    place = header.index("EXPIRES IN")
    assert row[place : place + 3] == "8h "
    assert "no system's time is over" in tycho("reap", "--dry-run").stderr
    assert json.loads(tycho("reap", "--dry-run", "--warn", "8h", "-o", "json").stdout) == []  # not half of it is over
    touched = json.loads(tycho("touch", "-o", "json").stdout)
    assert touched[0]["expires"] == json.loads(tycho("status", "-o", "json").stdout)[0]["expires"]
    assert tycho("up", "--ttl", "8", rc=2).stderr.startswith('ttl: "8" is not a time that a system may run')
    assert tycho("reap", "--warn", "soon", rc=2).stderr.startswith('--warn: "soon" is not a time')


def test_docker_says_that_it_ends_nothing(tycho: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(FILE + "x-tycho: {ttl: 8h}\n")
    report = tycho("compile", TYCHO_BACKPLANE="docker").stdout
    assert "x-tycho.ttl  ignored" in report
    assert "docker ends no systems in time" in report
    refused = tycho("up", "--ttl", "8h", TYCHO_BACKPLANE="docker", rc=40).stderr
    assert refused.startswith("ttl: this back end ends no systems in time")
