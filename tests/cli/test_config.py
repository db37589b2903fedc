"""`tycho config` beside `docker compose config`: the same words, the same answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compose import oracle

TYCHO = Path(sys.executable).with_name("tycho")
TEXT = """
services:
  web: {image: "nginx:${TAG:-1}", profiles: [p], environment: {A: "080", B: $$x}, ports: ["80:80"]}
  db: {image: postgres, volumes: ["data:/data"]}
  built: {build: .}
volumes: {data: }
"""


def run(program: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = oracle.environment(folder, {"TAG": "2"})
    return subprocess.run([program, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/compose.yaml").write_text(TEXT)
    return tmp_path / "shop"


@pytest.mark.parametrize("what", ["--services", "--images"])
@pytest.mark.parametrize("profile", [(), ("--profile", "p")], ids=["plain", "profile"])
def test_names(what: str, profile: tuple[str, ...], folder: Path) -> None:
    ours = run(TYCHO, folder, "config", *profile, what)
    theirs = run(oracle.program(), folder, *profile, "config", what)
    assert (ours.returncode, theirs.returncode) == (0, 0)
    assert sorted(ours.stdout.split()) == sorted(theirs.stdout.split())


@pytest.mark.parametrize("flags", [(), ("--no-interpolate",)], ids=["resolved", "verbatim"])
def test_json(flags: tuple[str, ...], folder: Path) -> None:
    ours = run(TYCHO, folder, "config", "--format", "json", *flags)
    theirs = run(oracle.program(), folder, "config", "--format", "json", *flags)
    assert oracle.normal(json.loads(ours.stdout)) == oracle.normal(json.loads(theirs.stdout))


def test_yaml_is_read_by_docker_compose(folder: Path) -> None:
    theirs = run(oracle.program(), folder, "config")
    (folder / "compose.yaml").write_text(run(TYCHO, folder, "config").stdout)
    assert run(oracle.program(), folder, "config").stdout == theirs.stdout


def test_hashes_follow_what_a_service_says(folder: Path) -> None:
    def hashes() -> dict[str, str]:
        return dict(line.split() for line in run(TYCHO, folder, "config", "--hash", "*").stdout.splitlines())

    before = hashes()
    (folder / "compose.yaml").write_text(TEXT.replace("image: postgres", "image: postgres:17"))
    after = hashes()
    assert {name for name in before if before[name] != after[name]} == {"db"}
    assert run(TYCHO, folder, "config", "--hash", "db").stdout.split() == ["db", after["db"]]
    wrong = run(TYCHO, folder, "config", "--hash", "bd")
    assert (wrong.returncode, wrong.stderr.split("\n")[0]) == (2, "no such service: bd")


def test_quiet_says_only_what_is_wrong(folder: Path) -> None:
    assert run(TYCHO, folder, "config", "-q").stdout == ""
    (folder / "compose.yaml").write_text(TEXT.replace("data:/data", "date:/data"))
    refused = run(TYCHO, folder, "config", "-q")
    assert (refused.returncode, refused.stdout) == (10, "")
    assert refused.stderr.startswith('compose.yaml:4  services.db.volumes[0]: service "db" refers to undefined volume')
