"""What goes wrong in the middle: processes that die, people who change their mind, pods that cannot start."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import TYCHO, Run

pytestmark = pytest.mark.xdist_group("cluster")

WEB = "services: {web: {image: 'nginx:1.27', ports: ['80']}}\n"
TROUBLED = """
services:
  web:
    image: nginx:1.27
    annotations: {tycho.dev/simulate: %s}
"""


def children(pid: int) -> list[str]:
    """Command lines of every process in the sessions that a process started."""
    pids = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if int(parent) == pid:
                pids.append(words[0].decode())
    return pids


def await_child(process: subprocess.Popen[bytes], name: str) -> None:
    """Until the process runs a program of this name."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if any(Path(program).name == name for program in children(process.pid)):
            return
    raise AssertionError(f"{name} was never run")


def slow(helm: Path, folder: Path) -> Path:
    """A helm that takes its time before it installs: long enough to be interrupted."""
    program = folder / "helm"
    program.write_text(f'#!/bin/sh\ncase "$1" in install|upgrade) sleep 5;; esac\nexec {helm} "$@"\n')
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_up_works_after_one_that_was_cut_short(
    tycho: Run, env: dict[str, str], tmp_path: Path, helm: Path, sent: signal.Signals
) -> None:
    (tmp_path / "compose.yaml").write_text(WEB)
    slower = {**env, "TYCHO_HELM": str(slow(helm, tmp_path))}
    process = subprocess.Popen(
        [TYCHO, "up", "--name", "cut"], cwd=tmp_path, env=slower, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    await_child(process, "sh")
    process.send_signal(sent)
    process.wait(30)
    if sent == signal.SIGINT:
        assert process.returncode == 130
        marks = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        assert not any(str(tmp_path).encode() in mark for mark in marks)
    assert process.stderr
    stderr = process.stderr.read().decode()
    process.stderr.close()
    assert sent == signal.SIGKILL or "interrupted: cut may be changed in part; `tycho up` goes on with it" in stderr
    tycho("up", "--name", "cut")
    running = [system for system in json.loads(tycho("status", "-o", "json").stdout) if system["name"] == "cut"]
    assert [system["is_ready"] for system in running if system["state"] == "deployed"] == [True]


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        ("ImagePullBackOff", "the image cannot be pulled (nginx:1.27)"),
        ("CrashLoopBackOff", 'back-off restarting: exit 1 "simulated"\n  web  starting\n  web  simulated\n'),
    ],
)
def test_up_stops_early_and_says_why(tycho: Run, tmp_path: Path, trouble: str, expected: str) -> None:
    (tmp_path / "compose.yaml").write_text(TROUBLED % trouble)
    done = tycho("up", "--name", "sick", "--timeout", "120", rc=38)
    assert f"sick cannot start: web: {expected}" in done.stderr
    assert "tycho down sick" in done.stderr
    (tmp_path / "compose.yaml").write_text(WEB)
    assert "1/1" in tycho("up", "--name", "sick").stdout


def test_the_second_of_two_is_told_at_once(tycho: Run, env: dict[str, str], tmp_path: Path, helm: Path) -> None:
    (tmp_path / "compose.yaml").write_text(WEB)
    tycho("up", "--name", "busy")
    (tmp_path / "compose.yaml").write_text(WEB.replace("1.27", "1.28"))
    slower = {**env, "TYCHO_HELM": str(slow(helm, tmp_path))}
    process = subprocess.Popen(
        [TYCHO, "up", "--name", "busy"], cwd=tmp_path, env=slower, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    await_child(process, "sh")
    assert "is being changed by another process of this machine" in tycho("restart", "busy", rc=34).stderr
    assert process.wait(60) == 0


def test_no_wait_returns_before_the_pods(tycho: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(TROUBLED % "ImagePullBackOff")
    assert "0/1" in tycho("up", "--name", "later", "--no-wait").stdout
