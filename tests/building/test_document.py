"""What Docker Compose is given to build means what the compose file says: it prints the same plan for both."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.compose.oracle import program
from tycho.building import list_targets
from tycho.building.document import list_secret_variables, write_document
from tycho.compose import Sources, load

HOME = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
GIVEN = "hush-31f7c0"
DOCUMENT = """
name: shop
services:
  web:
    image: acme/web:${TAG:-1}
    platform: linux/amd64
    environment: {LATER: "$$VALUE"}
    env_file: web.env
    depends_on: [db]
    build:
      context: web
      dockerfile: Dockerfile.prod
      args: {COLOUR: "${COLOUR}", PRICE: "5$$", GIVEN: }
      labels: [team=blue, "price=5$$"]
      target: last
      tags: ["registry.example.org/web:${TAG:-1}"]
      cache_from: [type=registry,ref=acme/web:cache]
      cache_to: [type=inline]
      no_cache: true
      pull: true
      network: host
      shm_size: 128m
      extra_hosts: {api: 192.0.2.7}
      ulimits: {nofile: 1024}
      platforms: [linux/amd64]
      privileged: true
      entitlements: [network.host]
      ssh: [default, "deploy=keys/deploy"]
      secrets: [token, {source: netrc, target: login}]
      additional_contexts: {shared: ../shared, base: "service:base", remote: "https://example.org/repo.git"}
  base:
    build: {context: ., dockerfile_inline: "FROM busybox:1\\nRUN echo $${HOME}\\n"}
  tools:
    profiles: [debug]
    build: tools
  db: {image: "postgres:15"}
secrets:
  token: {environment: BUILD_TOKEN}
  netrc: {file: ./netrc}
  unused: {file: ./unused}
"""


def plan(folder: Path, text: bytes | None, env: dict[str, str]) -> Any:
    """What Docker Compose would build of the folder's file, or of a text."""
    words = [] if text is None else ["-f", "-", "--project-directory", str(folder)]
    done = subprocess.run(
        [program(), *words, "build", "--print"], cwd=folder, env={**HOME, **env}, input=text, check=False,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return in_order(json.loads(done.stdout))


def in_order(tree: Any) -> Any:
    """Sort every list: Compose writes some of them in an order of the moment."""
    if isinstance(tree, dict):
        return {key: in_order(value) for key, value in tree.items()}
    return sorted(map(in_order, tree), key=json.dumps) if isinstance(tree, list) else tree


@pytest.mark.parametrize("profiles", [(), ("debug",)], ids=["default", "profile"])
def test_compose_plans_the_same(tmp_path: Path, profiles: tuple[str, ...]) -> None:
    (tmp_path / "compose.yaml").write_text(DOCUMENT)
    (tmp_path / "web.env").write_text("A=1\n")
    env = {"COLOUR": "blue $HOME", "GIVEN": "yes", "BUILD_TOKEN": GIVEN}
    sources = Sources.from_disk([], env=env, cwd=tmp_path, profiles=profiles)
    project = load(sources)
    targets = list_targets(project)
    document = write_document(project, sources, targets)
    assert GIVEN.encode() not in document
    assert list_secret_variables(project, targets) == ["BUILD_TOKEN"]
    whole = json.loads(document)
    assert set(whole) == {"name", "services", "secrets"}
    assert "unused" not in whole["secrets"]
    assert "db" not in whole["services"]
    theirs = plan(tmp_path, None, {**env, "COMPOSE_PROFILES": ",".join(profiles)})
    assert plan(tmp_path, document, {"BUILD_TOKEN": GIVEN}) == theirs
    assert ("tools" in theirs["target"]) == bool(profiles)


def test_one_image_of_many_services_is_built_once(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "x-app: &app {image: acme/app, build: .}\n"
        "services: {web: *app, worker: *app, cron: {image: acme/app}, other: {image: acme/app, build: {target: b}}}\n"
    )
    sources = Sources.from_disk([], env={}, cwd=tmp_path)
    project = load(sources)
    (target,) = list_targets(project)
    assert (target.builders, set(target.users)) == (("web", "worker", "other"), {"cron", "other", "web", "worker"})
    document = json.loads(write_document(project, sources, [target]))
    assert list(document["services"]) == ["web", "other"]


def test_what_an_image_stands_on_is_built_with_it(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services:\n"
        "  web: {build: {context: ., additional_contexts: {base: 'service:middle'}}}\n"
        "  middle: {build: {context: ., additional_contexts: {base: 'service:base'}}}\n"
        "  base: {build: .}\n"
        "  other: {build: .}\n"
    )
    sources = Sources.from_disk([], env={}, cwd=tmp_path)
    project = load(sources)
    document = json.loads(write_document(project, sources, list_targets(project, ["web"])))
    assert set(document["services"]) == {"web", "middle", "base"}
