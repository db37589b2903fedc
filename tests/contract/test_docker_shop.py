"""The shop of the examples on a Docker engine, by the command line: what README shows, seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.behaviour.programs import programs
from tests.contract.engine import load_archive
from tests.e2e.images import images
from tycho.toolchain.files import no_progress

ROOT = Path(__file__).parents[2]
STAND_INS = {"TYCHO_QUIET_TIME": "0.2", "NGINX_TAG": "1", "POSTGREST_TAG": "1", "POSTGRES_TAG": "15"}
pytestmark = pytest.mark.xdist_group("cluster")
Tycho = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tycho(docker_engine: Mapping[str, str], tmp_path: Path) -> Iterator[Tycho]:
    """Runs `tycho` in a copy of the shop's folder, as its user would."""
    load_archive(images(programs(no_progress), no_progress))
    folder = tmp_path / "shop"
    shutil.copytree(ROOT / "examples/shop", folder)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), **STAND_INS, **docker_engine}

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "tycho", *words]
        done = subprocess.run(
            argv, cwd=folder, env=env | variables, check=False, capture_output=True, text=True, timeout=120
        )
        print("$ tycho", *words, "\n", done.stdout, done.stderr, sep="\n")  # noqa: T201 - shown where it fails
        return done

    yield run
    run("down", "-b", "docker", "shop")


@pytest.mark.parametrize("engine", ["docker"])
def test_shop_lives_on_docker(tycho: Tycho, engine: str) -> None:
    up = tycho("up", "--backplane", engine, "-f", "compose.yaml", "--timeout", "100")
    assert up.returncode == 0, up.stderr
    assert up.stdout.splitlines()[0].split()[:2] == ["SYSTEM", "GUID"]
    assert "8080" in up.stdout
    again = tycho("up", "-b", engine, "-f", "compose.yaml")
    assert (again.returncode, "shop is up to date" in again.stderr) == (0, True)
    (system,) = json.loads(tycho("status", "-b", engine, "shop", "-o", "json").stdout)
    assert system["name"] == "shop"
    services = tycho("status", "-b", engine, "shop", "--services").stdout
    assert "2/2" in services
    assert [line.split()[1] for line in services.splitlines()[1:]] == ["api", "db", "web"]
    logs = tycho("logs", "-b", engine, "shop", "db")
    assert logs.returncode == 0
    assert all(line.startswith("db-1 ") for line in logs.stdout.splitlines())
    scaled = tycho("up", "-b", engine, "-f", "compose.yaml", API_REPLICAS="3")
    assert (scaled.returncode, "up to date" in scaled.stderr) == (0, False)
    assert "3/3" in tycho("status", "-b", engine, "shop", "--services").stdout
    refused = tycho("history", "-b", engine, "shop")
    assert (refused.returncode, refused.stdout) == (40, "")
    assert "docker keeps no revisions" in refused.stderr
    down = tycho("down", "-b", engine, "shop")
    assert (down.returncode, "deleted volume goods" in down.stderr + down.stdout) == (0, True)
    assert tycho("status", "-b", engine, "-o", "json").stdout.strip() == "[]"


@pytest.mark.parametrize("engine", ["docker"])
def test_hint_names_the_engine(tycho: Tycho, engine: str) -> None:
    """Where no cluster answers, `tycho up` says that an engine does, and leaves it alone."""
    refused = tycho("up", "-f", "compose.yaml", KUBECONFIG="/nonexistent")
    assert refused.returncode == 30
    assert f"an engine answers here: `tycho up --backplane {engine} -f compose.yaml`" in refused.stderr
    assert tycho("status", "-b", engine, "-o", "json").stdout.strip() == "[]"
