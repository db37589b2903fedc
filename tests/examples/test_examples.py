"""The examples: Docker Compose takes them as Tycho does, and their parts fit together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tycho import Sources, apply_policies, load
from tycho.toolchain import programs

ROOT = Path(__file__).parents[2] / "examples"
FILES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("*/*compose.yaml"))


def docker_compose(file: Path) -> dict[str, Any]:
    """The file as the real Docker Compose understands it."""
    package = find_spec("compose")
    assert package
    assert package.origin
    binary = Path(package.origin).with_name("docker-compose")
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    arguments = [binary, "-f", file, "config", "--format", "json"]
    done = subprocess.run(arguments, env=env, capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("file", FILES)
def test_docker_compose_reads_the_same(file: str) -> None:
    theirs, ours = docker_compose(ROOT / file), load(Sources.from_disk([str(ROOT / file)], env={}))
    assert ours.name == theirs["name"]
    assert {name: service.image for name, service in ours.services.items()} == {
        name: service["image"] for name, service in theirs["services"].items()
    }
    assert {
        name: [(port.target, port.published or "") for port in service.ports] for name, service in ours.services.items()
    } == {
        name: [(port["target"], port.get("published", "")) for port in service.get("ports", ())]
        for name, service in theirs["services"].items()
    }
    assert set(ours.volumes) == set(theirs.get("volumes", ()))


def test_the_shop_reads_its_env_file() -> None:
    shop = load(Sources.from_disk([str(ROOT / "shop" / "compose.yaml")], env={}))
    written = dict(line.split("=") for line in (ROOT / "shop" / ".env").read_text().splitlines() if "=" in line)
    assert {name: variable.value for name, variable in shop.variables.items() if name in written} == written
    assert shop.services["api"].deploy.replicas == int(written["API_REPLICAS"])


def test_the_shop_has_one_password() -> None:
    secrets = ROOT / "shop" / "secrets"
    password = (secrets / "db_password.sample").read_text()
    assert (secrets / "api_database.sample").read_text() == f"postgres://shop:{password}@db:5432/shop"


def test_only_the_api_is_between_the_nets() -> None:
    shop = apply_policies(load(Sources.from_disk([str(ROOT / "shop" / "compose.yaml")], env={}))).system
    assert shop.networks["back"].internal
    assert {name: set(service.networks) for name, service in shop.services.items()} == {
        "web": {"front"}, "api": {"front", "back"}, "db": {"back"}
    }  # fmt: skip


@contextmanager
def started(kubeconfig: Path, helm: Path, file: str, *words: str) -> Iterator[dict[str, Any]]:
    """Start an example by the command line, as its README does, and remove it."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "XDG_CACHE_HOME")}
    env = {**kept, "KUBECONFIG": str(kubeconfig), "TYCHO_HELM": str(helm), "TYCHO_QUIET_TIME": "0"}
    tycho = Path(sys.executable).with_name("tycho")
    up = [tycho, "up", "-f", ROOT / file, "-q", "-o", "json", *words]
    completed = subprocess.run(up, env=env, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    (release,) = json.loads(completed.stdout)
    try:
        yield release
    finally:
        subprocess.run([tycho, "down", release["sid"], *words], env=env, capture_output=True, check=True)


@pytest.mark.xdist_group("cluster")
def test_the_pipeline_starts_with_its_job(kubeconfig: Path, helm: Path) -> None:
    with started(kubeconfig, helm, "events/compose.yaml") as release:
        kinds = {service["name"]: service["kind"] for service in release["services"]}
        assert kinds == {"broker": kinds["broker"], "prepare": "Job", "worker": "Deployment", "source": "Deployment"}
        assert release["is_ready"]


@pytest.mark.xdist_group("cluster")
def test_a_notebook_leaves_the_volume_of_its_user(kubeconfig: Path, helm: Path) -> None:
    kubectl = [programs.tool("kubectl"), "--kubeconfig", kubeconfig]
    subprocess.run([*kubectl, "create", "namespace", "lab"], check=True, capture_output=True)
    claim = ROOT / "user-volume/claim.yaml"
    try:
        subprocess.run([*kubectl, "-n", "lab", "apply", "-f", claim], check=True, capture_output=True)
        with started(kubeconfig, helm, "user-volume/compose.yaml", "-n", "lab") as release:
            assert release["is_ready"]
        left = subprocess.run(
            [*kubectl, "-n", "lab", "get", "persistentvolumeclaims", "-o", "name"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert left.stdout.split() == ["persistentvolumeclaim/home-ada"]
    finally:
        subprocess.run([*kubectl, "delete", "namespace", "lab", "--wait=false"], check=True, capture_output=True)
