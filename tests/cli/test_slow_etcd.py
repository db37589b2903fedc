"""An etcd that answers late: it is stopped and goes on in turns, and every verb comes to its right end."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_session import objects
from tycho.toolchain.process import find_processes

pytestmark = pytest.mark.xdist_group("cluster")
FILE = (
    "name: patient\nservices: {{web: {{image: 'nginx:{0}', ports: ['80'], volumes: ['d:/d']}}}}\nvolumes: {{d: {{}}}}\n"
)
STOPPED, GOES_ON = 0.4, 0.05  # seconds of each turn: an answer takes some of them, and most requests two answers


@contextmanager
def slow_down(pid: int) -> Iterator[None]:
    """Let a process run for short moments alone."""
    ends = threading.Event()

    def take_turns() -> None:
        try:
            while not ends.is_set():
                os.kill(pid, signal.SIGSTOP)
                ends.wait(STOPPED)
                os.kill(pid, signal.SIGCONT)
                ends.wait(GOES_ON)
        finally:
            os.kill(pid, signal.SIGCONT)

    turns = threading.Thread(target=take_turns)
    turns.start()
    try:
        yield
    finally:
        ends.set()
        turns.join()


@pytest.fixture
def slow_etcd(kubeconfig: Path) -> Callable[[], AbstractContextManager[None]]:
    pid = find_processes(kubeconfig.parent, ["etcd"])["etcd"]
    return lambda: slow_down(pid)


def test_every_verb_ends_right(
    tycho: Run, tool: Run, folder: Path, slow_etcd: Callable[[], AbstractContextManager[None]]
) -> None:
    with slow_etcd():
        for tag in ("1", "2"):
            (folder / "compose.yaml").write_text(FILE.format(tag))
            tycho("up", cwd=folder)
        (system,) = json.loads(tycho("status", "-o", "json", cwd=folder).stdout)
        assert (system["revision"], system["state"], system["is_ready"]) == (2, "deployed", True)
        tycho("rollback", cwd=folder)
        manifest = tool("helm", "get", "manifest", system["release"], "-n", system["namespace"]).stdout
        assert "nginx:1" in manifest
        tycho("down", cwd=folder)
        assert json.loads(tycho("status", "-o", "json", cwd=folder).stdout) == []
    assert objects(tool, system["sid"]) == []


def test_a_time_that_is_too_short_ends_the_verb(
    tycho: Run, tool: Run, folder: Path, slow_etcd: Callable[[], AbstractContextManager[None]]
) -> None:
    """The message says so, and the next one goes on from what there is."""
    (folder / "compose.yaml").write_text(FILE.format("1"))
    with slow_etcd():
        stderr = tycho("up", "--timeout", "2", cwd=folder, rc=39).stderr
        assert "Traceback" not in stderr
    tycho("up", cwd=folder)
    (system,) = json.loads(tycho("status", "-o", "json", cwd=folder).stdout)
    assert (system["state"], system["is_ready"]) == ("deployed", True)
    with slow_etcd():
        tycho("down", "--timeout", "2", cwd=folder, rc=39)
    tycho("down", cwd=folder)
    assert objects(tool, system["sid"]) == []
