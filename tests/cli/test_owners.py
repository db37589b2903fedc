"""Two users, folders of one name, two clusters of one kubeconfig, a service: nobody changes another's system."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.conftest import Service, serving
from tests.certificates import certificate
from tests.cli.conftest import TYCHO
from tests.cluster_fixture import HOME
from tycho import localcluster
from tycho.client import TychoClient
from tycho.orchestrators import Target
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.toolchain import programs

pytestmark = pytest.mark.xdist_group("cluster")

FILE = "services: {web: {image: 'nginx:${TAG:-1}'}}\n"
FOLDERS = ("ada/app", "copy/app", "third/app", "eve/app")


@dataclass(frozen=True)
class Stage:
    """Two clusters in one kubeconfig, and folders that are all called `app`.

    Args:
        folder: Above the projects.
        env: Of every command.
        kubeconfig: Of all users and both clusters.
    """

    folder: Path
    env: dict[str, str]
    kubeconfig: Path

    def run(self, who: str, where: str, *argv: str, rc: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a user, in a project's folder."""
        env = {**self.env, "KUBECONFIG": str(self.kubeconfig), "TYCHO_CONTEXT": who, **variables}
        ran = subprocess.run(
            [TYCHO, *argv], cwd=self.folder / where, env=env, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert ran.returncode == rc, f"{who} in {where}: {argv}: rc {ran.returncode}, not {rc}\n{ran.stderr}"
        return ran

    def seen(self) -> dict[str, tuple[int, str, str]]:
        """What runs in the first cluster: revision, state and user of each system named app."""

        async def look() -> dict[str, tuple[int, str, str]]:
            orchestrator = HelmOrchestrator(Target(kubeconfig=str(self.kubeconfig), context="ada"))
            try:
                releases = await orchestrator.list(name="app", services=False)
            finally:
                await orchestrator.close()
            return {
                release.identity.guid: (release.revision, release.state, release.identity.username)
                for release in releases
            }

        return asyncio.run(look())


@pytest.fixture(scope="module")
def stage(kubeconfig: Path, helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("owners")
    second = localcluster.create(f"{kubeconfig.parent.name}-second", provider="native", home=HOME)
    configs = {"first": yaml.safe_load(kubeconfig.read_text()), "second": yaml.safe_load(second.kubeconfig.read_text())}
    (pki,) = kubeconfig.parent.glob("clusters/*/pki")
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    for name, config in configs.items():
        merged["clusters"].append({"name": name, "cluster": config["clusters"][0]["cluster"]})
    for user in ("ada", "eve"):
        certificate(pki, user, "ca", user)
        credentials = {f"client-{kind}-data": base64.b64encode((pki / f"{user}.{end}").read_bytes()).decode()
                for kind, end in (("certificate", "crt"), ("key", "key"))}  # fmt: skip
        merged["users"].append({"name": user, "user": credentials})
        merged["contexts"].append({"name": user, "context": {"cluster": "first", "user": user}})
        (pki / f"{user}.key").unlink()
        subprocess.run(
            [programs.tool("kubectl"), "--kubeconfig", kubeconfig, "create", "clusterrolebinding", f"admin-{user}",
             "--clusterrole=cluster-admin", f"--user={user}"], check=True, capture_output=True,
        )  # fmt: skip
    merged["users"].append({"name": "second", "user": configs["second"]["users"][0]["user"]})
    merged["contexts"].append({"name": "second", "context": {"cluster": "second", "user": "second"}})
    for project in FOLDERS:
        (folder / project).mkdir(parents=True)
        (folder / project / "compose.yaml").write_text(FILE)
    config = folder / "kubeconfig"
    config.write_text(yaml.safe_dump(merged))
    env = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "TYCHO_HELM": str(helm), "TYCHO_QUIET_TIME": "0",
           "LOGNAME": "login"}  # fmt: skip
    yield Stage(folder, env, config)
    localcluster.delete(second.name, home=HOME)


@pytest.fixture(scope="module")
def systems(stage: Stage) -> Iterator[tuple[str, str]]:
    """Ada's two: one of her folder, and one of a copy of it."""
    stage.run("ada", "ada/app", "up", "-q")
    stage.run("ada", "ada/app", "up", "-q", TAG="2")
    (first,) = stage.seen()
    stage.run("ada", "copy/app", "up", "-q", "--new")
    (second,) = set(stage.seen()) - {first}
    yield first, second
    for guid in stage.seen():
        stage.run("ada", "ada/app", "down", "--force", guid)
    stage.run("second", "ada/app", "down")


@pytest.fixture(scope="module")
def service(stage: Stage) -> Iterator[Service]:
    with serving("--context", "ada", KUBECONFIG=str(stage.kubeconfig), TYCHO_QUIET_TIME="0") as running:
        yield running


# Who, in which folder, what, and the exit code; {0} and {1} are the GUIDs of Ada's systems.
REFUSED = [
    ("eve", "eve/app", "up", 33),
    ("eve", "eve/app", "up --id {0}", 37),
    ("eve", "eve/app", "up --id {1}", 37),
    ("eve", "eve/app", "rollback {0}", 37),
    ("eve", "eve/app", "rollback {0:.8}", 37),
    ("eve", "eve/app", "rollback app-{0}", 37),
    ("eve", "eve/app", "rollback app", 33),
    ("eve", "eve/app", "rollback", 32),
    ("eve", "eve/app", "down {0}", 37),
    ("eve", "eve/app", "down {1:.8}", 37),
    ("eve", "eve/app", "down app-{0:.8}", 37),
    ("eve", "eve/app", "down app", 33),
    ("eve", "eve/app", "down", 0),
    ("eve", "ada/app", "down", 0),
    ("eve", "ada/app", "up", 33),
    ("eve", "eve/app", "restart {0}", 37),
    ("eve", "eve/app", "restart {1} web", 37),
    ("eve", "eve/app", "exec {0} web true", 37),
    ("ada", "third/app", "up", 33),
    ("ada", "third/app", "up --id {0}", 37),
    ("ada", "third/app", "rollback", 32),
    ("ada", "third/app", "rollback app", 33),
    ("ada", "third/app", "down app", 33),
    ("ada", "third/app", "down", 0),
    ("second", "ada/app", "down {0}", 32),
    ("second", "ada/app", "rollback app", 32),
    ("second", "ada/app", "up", 0),
]


@pytest.mark.parametrize(("who", "where", "command", "rc"), REFUSED, ids=str)
def test_others_are_left_alone(
    stage: Stage, systems: tuple[str, str], who: str, where: str, command: str, rc: int
) -> None:
    before = stage.seen()
    ran = stage.run(who, where, *command.format(*systems).split(), rc=rc)
    assert stage.seen() == before
    if rc == 37:
        assert "ada" in ran.stderr
        assert "--force" in ran.stderr or "--replace" in ran.stderr
    if rc == 33:
        assert all(guid in ran.stderr for guid in systems)


def test_a_name_means_the_one_of_this_folder(stage: Stage, systems: tuple[str, str]) -> None:
    first, second = systems
    before = stage.seen()
    stage.run("ada", "copy/app", "up", "-q", TAG="3")
    assert stage.seen() == {**before, second: (before[second][0] + 1, "deployed", "ada")}
    stage.run("ada", "ada/app", "rollback", "app", "-q")
    assert stage.seen()[first] == (before[first][0] + 1, "deployed", "ada")
    assert stage.seen()[second][0] == before[second][0] + 1


BODIES: list[tuple[str, dict[str, Any], str]] = [
    ("delete", {"name": "{0}", "username": "eve"}, "Conflict"),
    ("delete", {"name": "{0:.8}", "username": "eve"}, "Conflict"),
    ("delete", {"name": "app", "username": "eve"}, "Ambiguous"),
    ("delete", {"name": "{0:.8}"}, "Conflict"),
    ("delete", {"name": "app"}, "Ambiguous"),
    ("rollback", {"name": "{0}", "username": "eve"}, "Conflict"),
    ("rollback", {"name": "{1:.8}"}, "Conflict"),
    ("start", {"name": "app", "upgrade": True, "username": "eve"}, "Ambiguous"),
    ("start", {"name": "app", "tycho-guid": "{0}", "username": "eve"}, "Conflict"),
    ("start", {"name": "app", "tycho-guid": "{0}", "username": "ada",
               "origin": {"user": "a", "host": "b", "folder": "/c"}}, "Conflict"),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "body", "error"), BODIES, ids=str)
def test_a_service_leaves_others_alone(
    stage: Stage, systems: tuple[str, str], service: Service, verb: str, body: dict[str, Any], error: str
) -> None:
    before = stage.seen()
    filled = {key: value.format(*systems) if isinstance(value, str) else value for key, value in body.items()}
    if verb == "start":
        filled["system"] = yaml.safe_load(FILE)
    answer = getattr(TychoClient(service.url), verb)(filled)
    assert type(answer.error).__name__ == error
    assert stage.seen() == before


@pytest.mark.parametrize(
    ("command", "rc"), [("up", 33), ("up --id {0}", 37), ("down {0}", 37), ("down app", 33), ("down {0:.8}", 37)]
)
def test_the_command_line_through_a_service(
    stage: Stage, systems: tuple[str, str], service: Service, command: str, rc: int
) -> None:
    before = stage.seen()
    stage.run("second", "third/app", *command.format(*systems).split(), "--service", service.url, rc=rc,
              TYCHO_CONTEXT="", TYCHO_USERNAME="eve")  # fmt: skip
    assert stage.seen() == before


def test_what_is_forced_is_done(stage: Stage, systems: tuple[str, str]) -> None:
    first, _ = systems
    before = stage.seen()
    stage.run("eve", "eve/app", "rollback", first, "--force", "-q")
    assert stage.seen()[first] == (before[first][0] + 1, "deployed", "ada")
    stage.run("eve", "eve/app", "up", "--id", first, "--replace", "-q")
    assert stage.seen()[first] == (before[first][0] + 2, "deployed", "eve")
    assert "ada" in stage.run("ada", "ada/app", "history", first).stdout
    (release,) = json.loads(stage.run("eve", "eve/app", "status", first, "-o", "json").stdout)
    assert release["origin"]["folder"] == str(stage.folder / "eve/app")
    stage.run("ada", "ada/app", "down", first, rc=37)
    stage.run("ada", "ada/app", "down", first, "--force")
    assert first not in stage.seen()


def test_one_who_is_administrator_is_the_system_s_user(stage: Stage) -> None:
    stage.run("second", "third/app", "up", "-q", "--new", "--name", "other")
    rows = json.loads(stage.run("second", "third/app", "status", "-o", "json").stdout)
    assert {row["username"] for row in rows if row["name"] == "other"} == {"login"}
    stage.run("second", "third/app", "down", "other")


def test_a_project_that_its_file_names_is_one_in_every_folder(stage: Stage) -> None:
    for folder in ("first-checkout", "second-checkout"):
        (stage.folder / folder).mkdir()
        (stage.folder / folder / "compose.yaml").write_text(f"name: named\n{FILE}")
    stage.run("ada", "first-checkout", "up", "-q")
    ran = stage.run("ada", "second-checkout", "up")
    assert "up to date" in ran.stderr
    assert "named" in stage.run("eve", "second-checkout", "up", rc=37).stderr
    stage.run("ada", "second-checkout", "down")
