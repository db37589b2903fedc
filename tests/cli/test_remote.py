"""`--service URL`: the project's files go along, and the verbs mean the same as on a cluster of one's own."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import Service, serving
from tests.cli.conftest import TYCHO, Run

pytestmark = pytest.mark.xdist_group("cluster")

FILE = """
services:
  web:
    image: nginx:${TAG:-1}
    volumes: [./conf:/etc/nginx/conf.d:ro, ./run.sh:/run.sh:ro]
    env_file: [web.env]
    configs: [site]
configs: {site: {file: ./site.conf}}
"""
FILES = {"conf/a.conf": "a", "conf/deep/b.conf": "b", "conf/server.key": "-- planted --", "run.sh": "#!/bin/sh\n",
         "web.env": "LEVEL=debug\n", "site.conf": "site"}  # fmt: skip


@pytest.fixture(scope="module")
def service(kubeconfig: Path, helm: Path) -> Iterator[Service]:
    with serving(KUBECONFIG=str(kubeconfig), TYCHO_HELM=str(helm), TYCHO_QUIET_TIME="0") as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, content in {"compose.yaml": FILE, **FILES}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    (tmp_path / "run.sh").chmod(0o755)
    return tmp_path


def test_the_project_s_files_go_along(tycho: Run, tool: Run, service: Service, project: Path) -> None:
    tycho("up", "--service", service.url, "--name", "far")
    (there,) = json.loads(tycho("status", "far", "-o", "json").stdout)
    assert (there["is_ready"], there["origin"]["folder"]) == (True, str(project))
    objects = json.loads(tool("kubectl", "get", "configmap,secret,deployment", "-n", there["namespace"],
                              "-l", "executor=tycho", "-o", "json").stdout)["items"]  # fmt: skip
    carried = {
        value for object in objects if object["kind"] == "ConfigMap" for value in object.get("data", {}).values()
    }
    assert {"a", "b", "#!/bin/sh\n", "site"} <= carried
    assert "-- planted --" not in carried
    (deployment,) = (object for object in objects if object["kind"] == "Deployment")
    assert '"mode": 493' in json.dumps(deployment["spec"]) or '"defaultMode": 493' in json.dumps(deployment["spec"])

    again = tycho("up", "--service", service.url, "--name", "far")
    assert "far is up to date (revision 1)" in again.stderr
    (project / "conf/a.conf").write_text("changed")
    tycho("up", "--service", service.url, "--name", "far")
    assert [row["revision"] for row in json.loads(tycho("history", "far", "-o", "json").stdout)] == [1, 2]
    tycho("up", "--service", service.url, "--name", "far", "--new")
    guids = {row["sid"] for row in json.loads(tycho("status", "-o", "json").stdout)
             if row["name"] == "far"}  # fmt: skip
    assert len(guids) == 2
    (first,) = guids - {there["sid"]}
    tycho("down", "--service", service.url, first)
    done = tycho("down", "--service", service.url, "--name", "far")
    assert done.stdout.split() == [there["sid"]]
    done = tycho("down", "--service", service.url, "--name", "far")
    assert done.stderr == "nothing to remove: far (compose.yaml of this folder) does not run\n"


def test_only_what_runs_is_modified(tycho: Run, service: Service, project: Path) -> None:
    assert project.is_dir()
    refused = tycho("up", "-m", "--service", service.url, "--name", "nowhere", rc=32)
    assert 'no system "nowhere" runs here' in refused.stderr


def test_what_cannot_go_along_is_refused(tycho: Run, service: Service, project: Path) -> None:
    below = project / "below"
    below.mkdir()
    (below / "compose.yaml").write_text("services: {web: {image: nginx, volumes: ['../site.conf:/site:ro']}}\n")
    outside = tycho("up", "--root", "..", "--service", service.url, cwd=below, rc=2)
    assert "../site.conf: only files below the project's folder can travel" in outside.stderr
    (project / "conf/large").write_bytes(b"x" * 800_000)
    assert "conf/large" in tycho("up", "--service", service.url, rc=2).stderr
    (project / "conf/large").unlink()
    several = tycho("up", "-f", "compose.yaml", "-f", "compose.yaml", "--service", service.url, rc=2)
    assert "a request is one compose document" in several.stderr


@pytest.mark.parametrize(
    "argv",
    [("up", "--policies", "p"), ("up", "--strict"), ("up", "-n", "x"), ("down", "x", "-n", "y"), ("status", "--local")],
    ids=" ".join,
)
def test_options_of_the_service_are_not_the_caller_s(
    tycho: Run, service: Service, project: Path, argv: tuple[str, ...]
) -> None:
    assert project.is_dir()
    assert "the service decides this" in tycho(*argv, "--service", service.url, rc=2).stderr


def test_a_watch_of_a_service_goes_on_when_it_is_back(
    tycho: Run, env: dict[str, str], kubeconfig: Path, helm: Path, project: Path
) -> None:
    """What changes is told by the service; that it is away is said, and what changed meanwhile is shown then."""
    variables = {"KUBECONFIG": str(kubeconfig), "TYCHO_HELM": str(helm), "TYCHO_QUIET_TIME": "0"}
    pipe = subprocess.PIPE
    with serving(**variables) as service:
        port = service.url.rpartition(":")[2]
        tycho("up", "--service", service.url, "--name", "far")
        watching = subprocess.Popen(
            [TYCHO, "status", "--watch", "--name", "far", "--service", service.url],
            cwd=project, env=env, stdout=pipe, stderr=pipe, text=True,
        )  # fmt: skip
        assert watching.stdout
        assert watching.stderr
        assert watching.stdout.readline().startswith("SYSTEM ")
        assert watching.stdout.readline().startswith("far ")
        tycho("stop", "web", "--id", "far")
        assert watching.stdout.readline().startswith("far ")
    assert "trying again" in watching.stderr.readline()
    tycho("down", "far")
    with serving("--port", port, **variables):
        assert watching.stderr.readline() == "far is gone\n"
        watching.send_signal(signal.SIGINT)
        assert watching.wait() == 0
        watching.stdout.close()
        watching.stderr.close()


def test_fields_of_others_are_taken_back_through_a_service(
    tycho: Run, tool: Run, service: Service, project: Path
) -> None:
    assert project.is_dir()
    tycho("up", "--service", service.url, "--name", "far")
    (there,) = json.loads(tycho("status", "far", "-o", "json").stdout)
    for argv in (("scale", "far", "web=2"), ("modify", "far", "--replicas", "web=1"), ("pause", "far"),
                 ("rollback", "far", "1")):  # fmt: skip
        tool("kubectl", "scale", "deployment", "-n", there["namespace"], "--all", "--replicas=3")
        refused = tycho(*argv, "--no-wait", "--service", service.url, rc=37)
        assert "hint: --force-conflicts takes it back" in refused.stderr
        tycho(*argv, "--no-wait", "--force-conflicts", "--service", service.url)
