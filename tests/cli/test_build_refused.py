"""What keeps `tycho build` and `tycho up --build` from building: one message each, and no secret in it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import TYCHO, Run
from tests.cli.docker import FILE, NETRC, PREFIX, SECRETS, TOKEN, Fake
from tycho.toolchain.process import until

pytestmark = pytest.mark.xdist_group("cluster")


@pytest.mark.parametrize(
    ("state", "rc", "message", "hint"),
    [
        ("down", 31, "the images cannot be built here", "Cannot connect to the Docker daemon"),
        ("down", 31, "the images cannot be built here", f"hint: web, worker: {PREFIX}/shop-web:latest"),
        ("no-compose", 31, "the images cannot be built here", "docker has no compose plugin"),
        ("broken", 30, "docker compose build failed: failed to solve: exit code: 1", ""),
        ("denied", 36, f"docker push {PREFIX}/shop-web:latest failed: denied: requested access",
         "log in with `docker login localhost:5000`"),
    ],
    ids=["down", "what-to-push", "no-compose", "broken", "denied"],
)  # fmt: skip
def test_what_fails(apart: Run, docker: Fake, state: str, rc: int, message: str, hint: str) -> None:
    docker.has(state)
    done = apart("build", "--push", PREFIX, rc=rc)
    assert message in done.stderr
    assert hint in done.stderr
    assert TOKEN not in done.stderr + done.stdout
    assert NETRC not in done.stderr + done.stdout
    quiet = apart("build", "-q", "--push", PREFIX, rc=rc).stderr
    assert TOKEN not in quiet
    assert NETRC not in quiet


def test_no_docker_at_all(apart: Run, env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = apart("build", rc=31, PATH=str(tmp_path / "empty"))
    assert done.stderr.splitlines()[0] == "the images cannot be built here"
    assert "there is no docker program on PATH" in done.stderr
    assert "hint: web, worker: shop-web" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--build",), "a cluster pulls its images from a registry, and nothing says where to push shop-web"),
        (("--build", "--push", "https://localhost:5000"), '"https://localhost:5000" is no place for images'),
        (("--push", PREFIX), "--push goes with --build"),
        (("--build", "-c", "nginx:1"), "--build and -c exclude each other"),
    ],
)
def test_what_makes_no_sense(shop: Run, docker: Fake, words: tuple[str, ...], message: str) -> None:
    named = ("--name", "shop") if "-c" in words else ()
    assert message in shop("up", *named, *words, rc=2).stderr
    assert docker.asked == []


def test_a_policy_is_asked_before_the_push(shop: Run, docker: Fake, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "registry.yaml").write_text(
        "description: Images of one registry.\nmatch: {image: 'localhost:5000/*'}\ndeny: images come from elsewhere\n"
    )
    done = shop("up", "--build", "--push", PREFIX, "--policies", policies, rc=21)
    assert "images come from elsewhere" in done.stderr
    assert docker.asked == []


def test_nothing_to_build(apart: Run, docker: Fake, folder: Path) -> None:
    (folder / "compose.yaml").write_text("name: shop\nservices: {db: {image: 'postgres:15'}}\n")
    assert apart("build").stderr == "shop builds no images\n"
    assert docker.asked == []


def test_an_end_from_outside_ends_docker_too(folder: Path, docker: Fake) -> None:
    docker.has("slow")
    env = {"PATH": f"{docker.here}:{os.environ['PATH']}", "HOME": str(folder.parent), **SECRETS}
    tycho = subprocess.Popen([TYCHO, "build"], cwd=folder, env=env, stderr=subprocess.PIPE, text=True)
    known = docker.here / "pid"
    assert until(lambda: known.exists() and bool(known.read_text().strip()), 60)
    child = int(known.read_text())
    tycho.terminate()
    _, errors = tycho.communicate(timeout=60)
    assert (tycho.returncode, errors.splitlines()[-1]) == (128 + signal.SIGTERM, "interrupted by SIGTERM")
    assert not Path(f"/proc/{child}").exists()


def test_what_cannot_be_started_is_not_built(shop: Run, docker: Fake, folder: Path) -> None:
    """What is absent is said once, and before anything is done."""
    file = folder / "compose.yaml"
    file.write_text(f"{FILE}configs:\n  page: {{file: ./absent.html}}\n".replace('ports: ["80"]', "configs: [page]"))
    done = shop("up", "--build", "--push", PREFIX, rc=10)
    assert done.stderr.count("./absent.html: no such file") == 1
    assert done.stderr.endswith("1 problem; nothing was changed.\n")
    assert docker.asked == []
