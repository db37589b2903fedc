"""A broken file is told of wholly, with lines, and touches nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.xdist_group("cluster")

BROKEN = """\
services:
  web:
    image: nginx:1.27
    ports: ["80:eighty"]
    depends_on: [databse]
    healthcheck: {test: [curl, -f, localhost]}
    deploy: {resources: {limits: {memory: 5x}}}
    stop_grace_period: 10
  database:
    image: postgres:16
    volumes: [data:/var/lib/postgresql]
    immage: typo
"""


def test_every_mistake_of_a_phase_at_once(tycho: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        BROKEN.replace("    immage: typo\n", "").replace("period: 10", "period: ten")
    )
    done = tycho("up", rc=10)
    assert done.stdout == ""
    places = [line.split()[0] for line in done.stderr.splitlines() if line.startswith("compose.yaml:")]
    assert [place.split(":")[1] for place in places] == ["4", "5", "6", "7", "8", "11"]
    assert 'did you mean "database"?' in done.stderr
    assert done.stderr.splitlines()[-1] == "6 problems; nothing was changed."
    assert tycho("status").stdout.strip() == "None running"


def test_a_key_that_nobody_knows(tycho: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(BROKEN)
    stderr = tycho("compile", rc=10).stderr
    assert "compose.yaml:12  services.database.immage: services.database additional properties 'immage'" in stderr
    assert 'did you mean "image"?' in stderr


def test_no_file_is_a_message(tycho: Run) -> None:
    assert "-f names one" in tycho("compile", rc=11).stderr
    assert "nothing.yaml: no such file" in tycho("compile", "-f", "nothing.yaml", rc=11).stderr


def test_an_unknown_command_suggests_the_nearest(tycho: Run) -> None:
    assert "status" in tycho("statsu", rc=2).stderr
