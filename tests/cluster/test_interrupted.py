"""A cluster whose making is interrupted: no process is left that nobody knows of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tycho import localcluster
from tycho.localcluster.native import COMMANDS
from tycho.localcluster.state import State, load
from tycho.toolchain.process import until
from tycho.toolchain.programs import tools

pytestmark = pytest.mark.xdist_group("cluster")
STARTED = ["etcd", "kube-apiserver"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    tools(COMMANDS, print)  # a build takes longer than a start
    home = tmp_path / "tycho/clusters"
    yield home
    for made in localcluster.clusters(home=home):
        localcluster.delete(made.name, home=home)


def test_a_command_cut_short_leaves_no_process_or_one_that_is_found_again(home: Path):
    env = {**os.environ, "XDG_STATE_HOME": str(home.parents[1]), "DOCKER_HOST": "unix:///nonexistent"}
    argv = [sys.executable, "-m", "tycho", "cluster", "create", "five"]
    folder = home / "five"
    for sent, survivors in ((signal.SIGINT, False), (signal.SIGKILL, True)):
        with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
            assert until(lambda: started(folder), 60)
            command.send_signal(sent)
        assert command.returncode != 0
        seen = localcluster.status("five", home=home)
        assert [component.alive for component in seen.components] == [survivors] * 2
    again = localcluster.create("five", home=home)
    assert again.running
    assert again.components[:2] == seen.components
    known = load(folder)
    assert known
    assert all(process.alive for process in known.processes.values())
    localcluster.delete("five", home=home)
    assert not any(process.alive for process in known.processes.values())


def started(folder: Path) -> bool:
    """Whether the API server has been started, and nothing after it."""
    known = load(folder)
    return known is not None and list(known.processes) == STARTED and all(one.alive for one in known.processes.values())


def test_a_signal_between_a_start_and_its_note_leaves_no_process(home: Path, monkeypatch: pytest.MonkeyPatch):
    keep = State.keep

    def keep_and_be_struck(state: State, **changes: Any) -> State:
        kept = keep(state, **changes)
        if list(changes.get("processes", ())) == STARTED:
            signal.raise_signal(signal.SIGINT)
        return kept

    monkeypatch.setattr(State, "keep", keep_and_be_struck)
    with pytest.raises(KeyboardInterrupt):
        localcluster.create("six", provider="native", home=home)
    seen = localcluster.status("six", home=home)
    assert [component.alive for component in seen.components] == [False, False]
    localcluster.delete("six", home=home)
