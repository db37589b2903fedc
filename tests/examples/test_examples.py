"""The examples: Docker Compose takes them as Tycho does, and their parts fit together."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tycho import Sources, apply_policies, load

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
        name: [(port.target, port.published) for port in service.ports] for name, service in ours.services.items()
    } == {
        name: [(port["target"], port["published"]) for port in service.get("ports", ())]
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
