"""Every command that makes sense there, asked of a service: the same words on stdout as on a cluster of one's own."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.conftest import TYCHO, Service, serving

FILE = "services: {web: {image: 'nginx:${TAG:-1}', ports: ['80'], environment: {DB_PASSWORD: hush-3f9a17}}}\n"
Tycho = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving("-b", "memory") as server:
        yield server


@pytest.fixture
def tycho(service: Service, tmp_path: Path) -> Iterator[Tycho]:
    """Runs the command in a project's folder; TYCHO_SERVICE says whom to ask."""
    project = tmp_path / "shop"
    project.mkdir()
    (project / "compose.yaml").write_text(FILE)

    def run(*argv: str, rc: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TYCHO_SERVICE": service.url, **variables}
        done = subprocess.run([TYCHO, *argv], cwd=project, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == rc, f"rc {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    yield run
    run("down", "--force", *run("status", "-terse").stdout.split())


def test_the_project_of_the_folder_is_meant(tycho: Tycho) -> None:
    started = tycho("up")
    guid = tycho("status", "-terse").stdout.strip()
    assert started.stdout.splitlines()[1].split()[:2] == ["shop", guid]
    assert "shop · 1 service · namespace shop-" in started.stderr
    assert re.search(r"^  web: ready \([0-9.]+ s\)$", started.stderr, re.MULTILINE)
    assert tycho("wait").stdout.split() == tycho("wait", "shop", "web", "-q").stdout.split() == started.stdout.split()
    assert "shop has no service db" in tycho("wait", "shop", "db", rc=32).stderr
    assert tycho("ps").stdout.splitlines()[1].split()[:4] == ["shop", "web", "Deployment", "1/1"]
    assert tycho("ps", "-o", "json").stdout == tycho("status", "-o", "json").stdout == tycho("ls", "-o", "json").stdout
    (row,) = json.loads(tycho("status", "-o", "json").stdout)
    assert (row["sid"], row["is_ready"], row["simulated"]) == (guid, True, True)
    assert row["chart"].startswith("shop-")
    assert "note: the node is simulated" in tycho("status").stderr
    assert tycho("logs").stdout == ""
    assert "Deployment/web  Started  revision 1" in tycho("events", "web").stdout
    assert json.loads(tycho("history", "-o", "json").stdout)[0]["state"] == "deployed"
    assert tycho("up", TAG="2").stdout.split() == started.stdout.split()
    assert [line.split()[0] for line in tycho("history", "shop").stdout.splitlines()] == ["REVISION", "1", "2", "web:"]
    assert "rolled back to revision 1 (now revision 3)" in tycho("rollback").stderr
    assert tycho("restart", "web").stdout.split() == started.stdout.split()
    assert tycho("down").stdout == f"{guid}\n"
    assert tycho("status").stdout == "None running\n"
    assert "nothing to remove: shop (compose.yaml of this folder) does not run" in tycho("down").stderr


def test_what_runs_is_changed_and_read(tycho: Tycho) -> None:
    tycho("up")
    planned = tycho("modify", "--replicas", "web=3", "--label", "team=blue", "--dry-run").stdout.splitlines()
    changed = tycho("modify", "--replicas", "web=3", "--label", "team=blue")
    assert len(planned) == 2
    assert [line for line in changed.stderr.splitlines() if line in planned] == planned
    values = tycho("values", "shop").stdout
    assert "replicas: 3" in values
    assert "hush-3f9a17" not in values + tycho("values", "--all", "-o", "json").stdout
    assert "replicas: 3" not in tycho("values", "--revision", "1").stdout
    assert tycho("report").stdout.startswith(("KEY", "every key keeps its meaning"))
    assert isinstance(json.loads(tycho("report", "-o", "json").stdout), list)
    assert "services.nosuch: no such service" in tycho("modify", "--replicas", "nosuch=1", rc=2).stderr


def test_a_system_stands_still_and_runs_again(tycho: Tycho) -> None:
    started = tycho("up")
    paused = tycho("pause")
    assert paused.stdout.split() == started.stdout.replace("1/1", "paused").split()
    assert "  web: paused" in paused.stderr
    assert json.loads(tycho("status", "-o", "json").stdout)[0]["state"] == "paused"
    assert "shop is paused already" in tycho("pause", "shop", "--no-wait").stderr
    assert "shop stays paused: `tycho resume shop` runs it" in tycho("up", TAG="2").stderr
    resumed = tycho("resume")
    assert "  web: ready" in resumed.stderr
    assert "shop is not paused" in tycho("resume").stderr
    assert "web: replicas 1 → 3" in tycho("scale", "web=3").stderr
    assert "  web: stopped" in tycho("stop", "web").stderr
    assert "  web: 3/3 ready" in tycho("start", "shop", "web").stderr
    assert "shop has no service db" in tycho("stop", "shop", "db", rc=32).stderr


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("stop",), "no service is named"),
        (("scale",), "scale takes a system, and how many of each service"),
        (("scale", "shop", "other", "web=1"), "scale takes a system, and how many of each service"),
        (("scale", "web=many"), '"web=many" is not a number of replicas'),
        (("scale", "db=1"), "services.db: no such service"),
        (("modify",), "no change is given"),
        (("modify", "--replicas", "web=many"), "is not a number"),
        (("modify", "--label", "team"), "is no label"),
        (("modify", "--image", "nginx"), "names no service"),
        (("doctor",), "doctor works on the cluster itself"),
        (("exec", "web", "sh"), "exec takes the cluster itself"),
        (("logs", "-f"), "a service does not follow logs"),
        (("ps", "-n", "x"), "--namespace: with TYCHO_SERVICE, the service decides this"),
        (("up", "web"), "services cannot be chosen"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_makes_no_sense_is_refused(tycho: Tycho, argv: tuple[str, ...], expected: str) -> None:
    tycho("up")
    done = tycho(*argv, rc=2)
    assert expected in done.stderr
    assert done.stdout == ""


def test_what_needs_no_cluster_asks_no_service(tycho: Tycho) -> None:
    assert "web" in tycho("config", "--services", TYCHO_SERVICE="http://127.0.0.1:9").stdout
    assert tycho("status", "--service", "http://127.0.0.1:9", rc=30).stderr.startswith("no Tycho answers at")


def test_an_option_goes_before_the_variable(tycho: Tycho, service: Service) -> None:
    listed = tycho("status", "--service", service.url, TYCHO_SERVICE="http://127.0.0.1:9")
    assert listed.stdout == "None running\n"
