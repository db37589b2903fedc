"""Kills and signals at random moments: what comes next finds nothing in its way, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import settings

from tests.cli.conftest import TYCHO, Run
from tests.cli.test_session import objects

pytestmark = pytest.mark.xdist_group("cluster")

DEEP = settings.default.max_examples >= 1000
ROUNDS = 12 if DEEP else 2  # each cuts six commands short
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
WEB = "services: {{web: {{image: 'nginx:1.{0}', ports: ['80'], environment: {{N: '{0}'}}}}}}\n"
# Where nothing of Tycho's may stay: what it calls its temporary files, whichever folder they lie in.
OURS = ("tycho-*", ".*.tycho-*", "**/.tycho-*", "**/.*.tycho-*")


def family(mark: str) -> dict[int, str]:
    """Processes whose environment holds a mark: Tycho's and all that it has started."""
    killed = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environment, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
                dead = (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
            except OSError:
                continue
            if mark.encode() in environment and not dead:
                killed[int(entry.name)] = command.replace(b"\0", b" ").decode()
    return killed


def left(*folders: Path) -> list[Path]:
    return [path for folder in folders for pattern in OURS for path in folder.glob(pattern)]


def await_ears(process: subprocess.Popen[str]) -> None:
    """Python itself has started, and Tycho catches signals."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return


def await_none(mark: str) -> None:
    """The kernel ends what belonged to a killed process, a moment later."""
    end = time.monotonic() + 60
    while running := family(mark):
        assert time.monotonic() < end, running
        time.sleep(0.01)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_is_left(tycho: Run, tool: Run, env: dict[str, str], tmp_path: Path, seed: int) -> None:
    """One system's life, in which each command is cut short once at a random moment, and then done in peace."""
    chance = random.Random(seed)  # noqa: S311 - to be told again, not to be secret
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    mark = f"TMPDIR={temporary}"
    file = tmp_path / "compose.yaml"

    def cut(*argv: str) -> None:
        number = chance.choice(SIGNALS)
        process = subprocess.Popen(
            [TYCHO, *argv], cwd=tmp_path, env={**env, "TMPDIR": str(temporary)}, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        await_ears(process)
        try:
            process.wait(chance.random() * 2.5)  # any moment of its life, not one that a test could name
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode in (0, -number if number == signal.SIGKILL else 128 + number), (number, stderr)
        assert "internal error" not in stderr
        assert "Traceback" not in stderr
        await_none(mark)
        if process.returncode != -signal.SIGKILL:
            assert left(temporary, tmp_path) == []

    def whole(*argv: str) -> str:
        stdout = tycho(*argv, TMPDIR=str(temporary)).stdout
        await_none(mark)
        assert left(temporary, tmp_path) == []
        assert list(temporary.iterdir()) == []
        return stdout

    for tag in (27, 28):
        file.write_text(WEB.format(tag))
        cut("compile", "-o", "chart", "--values", "values.yaml")
        whole("compile", "-o", "chart", "--values", "values.yaml")
        assert tool("helm", "lint", tmp_path / "chart", "-f", tmp_path / "values.yaml").returncode == 0
        cut("up", "--name", f"cut{seed}", "-q")
        whole("up", "--name", f"cut{seed}", "-q")
        (release,) = (system for system in json.loads(whole("status", "-o", "json")) if system["name"] == f"cut{seed}")
        assert (release["state"], release["is_ready"]) == ("deployed", True)
        assert f'"{tag}"' in tool("helm", "get", "manifest", release["release"], "-n", release["namespace"]).stdout
    cut("rollback", f"cut{seed}", "-q")
    whole("up", "--name", f"cut{seed}", "-q")
    (release,) = (system for system in json.loads(whole("status", "-o", "json")) if system["name"] == f"cut{seed}")
    assert (release["state"], release["is_ready"]) == ("deployed", True)
    assert '"28"' in tool("helm", "get", "manifest", release["release"], "-n", release["namespace"]).stdout
    cut("down", f"cut{seed}")
    done = {system["name"] for system in json.loads(whole("status", "-o", "json"))}
    if f"cut{seed}" in done:
        whole("down", f"cut{seed}")
    assert objects(tool, release["sid"]) == []
