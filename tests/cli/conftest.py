"""A terminal: the installed command in a process of its own, on a real cluster."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.docker import FILE, SECRETS, Fake

ROOT = Path(__file__).resolve().parents[2]
TYCHO = Path(sys.executable).with_name("tycho")
NOTEBOOK = ROOT / "examples/notebook/docker-compose.yaml"
SHOP = ROOT / "examples/shop/compose.yaml"

KEPT = ("PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR", "TYCHO_QUIET_TIME")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def env(kubeconfig: Path, helm: Path) -> dict[str, str]:
    """What a user's shell would hold."""
    return {
        **{key: value for key, value in os.environ.items() if key in KEPT},
        "KUBECONFIG": str(kubeconfig),
        "TYCHO_HELM": str(helm),
    }


@pytest.fixture
def tycho(env: dict[str, str], tmp_path: Path) -> Iterator[Run]:
    """Runs the command; the systems that it started are gone afterwards."""

    def run(*argv: object, rc: int = 0, cwd: Path = tmp_path, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [TYCHO, *map(str, argv)], cwd=cwd, env={**env, **variables}, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == rc, f"rc {done.returncode}, not {rc}\n{done.stdout}\n{done.stderr}"
        return done

    before = set(run("status", "-terse").stdout.split())
    yield run
    left = set(run("status", "-terse").stdout.split()) - before
    run("down", *left)


@pytest.fixture
def tool(env: dict[str, str], helm: Path) -> Run:
    """Runs helm, kubectl: the judges."""

    def run(program: str, *argv: object, rc: int = 0) -> subprocess.CompletedProcess[str]:
        known = {"helm": str(helm)}
        done = subprocess.run(
            [known.get(program, program), *map(str, argv)],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == rc, f"{program} {argv}: rc {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def docker(tmp_path: Path) -> Fake:
    return Fake(tmp_path / "docker")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The project's."""
    made = tmp_path / "shop"
    made.mkdir()
    (made / "compose.yaml").write_text(FILE)
    return made


@pytest.fixture
def shop(folder: Path, docker: Fake, env: dict[str, str], tycho: Run) -> Run:
    """Runs the command in the project's folder, with that Docker on PATH."""
    given = {"cwd": folder, "PATH": f"{docker.here}:{env['PATH']}", **SECRETS}
    return lambda *words, **more: tycho(*words, **{**given, **more})


@pytest.fixture
def apart(folder: Path, docker: Fake) -> Run:
    """Runs the command there without any cluster."""

    def run(*words: object, rc: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        others = [place for place in os.environ["PATH"].split(":") if not Path(place, "docker-compose").exists()]
        path = ":".join([str(docker.here), *others])
        env = {"PATH": path, "HOME": str(folder.parent), **SECRETS, **more}
        argv = [str(word) for word in (TYCHO, *words)]
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == rc, f"rc {done.returncode}, not {rc}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """`127.0.0.1:port` of a registry that lives as long as the test."""
    program = shutil.which("docker-registry")
    if not program:
        pytest.skip("docker-registry is not installed: apt-get install docker-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = tmp_path / "registry.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/store}}}}\n"
        f"http: {{addr: {address}}}\n"
    )
    process = subprocess.Popen([program, "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    host, port = address.split(":")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            socket.create_connection((host, int(port)), 1).close()
            break
        except OSError:
            assert process.poll() is None
    yield address
    process.terminate()
    process.wait(10)
