"""A cluster whose making is interrupted: no process is left that nobody knows of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tycho import localcluster
from tycho.localcluster.native import PROGRAMS, find_processes
from tycho.localcluster.state import State, load
from tycho.toolchain.process import until
from tycho.toolchain.programs import tools

pytestmark = pytest.mark.xdist_group("cluster")
STARTED = {"etcd", "kube-apiserver"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    tools(PROGRAMS, print)  # a build takes longer than a start
    home = tmp_path / "tycho/clusters"
    yield home
    for made in localcluster.clusters(home=home):
        localcluster.delete(made.name, home=home)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_command_cut_short_leaves_no_process_or_one_that_is_found_again(home: Path, number: signal.Signals) -> None:
    env = {**os.environ, "XDG_STATE_HOME": str(home.parents[1]), "DOCKER_HOST": "unix:///nonexistent"}
    argv = [sys.executable, "-m", "tycho", "cluster", "create", "five"]
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        assert until(lambda: list_running(home / "five") >= STARTED, 60)
        command.send_signal(number)
    assert command.returncode != 0
    state = load(home / "five")
    assert state
    if number == signal.SIGINT:
        assert find_processes(state, ("kwokctl", *STARTED)) == {}
    survivors = find_processes(state, ("etcd", "kube-apiserver"))
    again = localcluster.create("five", home=home)
    assert again.running
    assert survivors.items() <= again.processes.items()
    localcluster.delete("five", home=home)
    assert find_processes(state, ("kwokctl", *again.processes)) == {}


def list_running(folder: Path) -> set[str]:
    state = load(folder)
    return set(find_processes(state)) if state else set()


def test_what_is_found_is_the_clusters_own(home: Path) -> None:
    bystander = subprocess.Popen(["tail", "-f", "/dev/null", f"{home}/five/kwokctl.log"], stderr=subprocess.DEVNULL)
    try:
        processes = {"tail": bystander.pid}
        names = ("kwokctl", "etcd", "tail")
        assert until(lambda: find_processes(State(home / "five", "native"), names) == processes, 10)
        assert find_processes(State(home / "five", "native")) == {}
        assert find_processes(State(home / "fiv", "native"), ("tail",)) == {}
    finally:
        bystander.kill()
        bystander.wait()
