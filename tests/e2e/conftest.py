"""The node, and the scenarios that run on it side by side."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.e2e.system", "tests.e2e.scenarios")

from tests.e2e import node as nodes  # noqa: E402
from tests.e2e import room  # noqa: E402
from tests.e2e.node import Node  # noqa: E402
from tests.e2e.system import ROOT, System  # noqa: E402
from tests.e2e.test_breaks import broken  # noqa: E402

HERE = Path(__file__).parent
ARTEFACTS = HERE / "artefacts"  # of scenarios that failed
AT_ONCE = 3


@pytest.fixture(scope="session")
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """A cluster with a real node, for the whole run."""
    if not room.inside():
        pytest.skip("`bin/task e2e` makes the room that a node needs")
    terminal = request.config.pluginmanager.getplugin("terminalreporter")
    started = nodes.start(terminal.write_line)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def running(
    node: Node, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Any]]:
    """All scenarios that were asked for, at once; each is waited for by its own test."""
    shutil.rmtree(ARTEFACTS, ignore_errors=True)
    names = [_params(test)["scenario"] for test in request.session.items if "scenario" in _params(test)]
    home = tmp_path_factory.mktemp("scenarios")
    pool = ThreadPoolExecutor(AT_ONCE)
    order = sorted(names, key=lambda name: -getattr(_verify(name), "SECONDS", 20))
    futures: dict[str, Future[None]] = {name: pool.submit(_run, node, name, home / name) for name in order}
    yield lambda name: futures[name].result()
    pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def noticed(
    node: Node, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Any]]:
    """What each scenario says of its break, all that were asked for at once; None where it says nothing."""
    home = tmp_path_factory.mktemp("breaks")
    mutations = [_params(test)["mutation"] for test in request.session.items if "mutation" in _params(test)]
    pool = ThreadPoolExecutor(AT_ONCE)
    futures = {
        mutation["scenario"]: pool.submit(
            _run,
            node,
            mutation["scenario"],
            home / mutation["scenario"],
            broken(home / f"{mutation['scenario']}-code", mutation),
        )
        for mutation in mutations
    }
    yield lambda name: futures[name].exception()
    pool.shutdown(cancel_futures=True)


def _params(test: pytest.Item) -> dict[str, Any]:
    return test.callspec.params if hasattr(test, "callspec") else {}


def _verify(name: str) -> ModuleType:
    return import_module(f"tests.e2e.scenarios.{name}.verify")


def _run(node: Node, name: str, folder: Path, code: Path = ROOT) -> None:
    """One scenario, in a copy of its folder, with the program of another; then nothing of it may be left."""
    shutil.copytree(HERE / "scenarios" / name, folder, ignore=shutil.ignore_patterns("verify.py", "__pycache__"))
    system = System(node, folder, name.replace("_", "-"), code=code)
    try:
        _verify(name).verify(system)
    except BaseException:
        for copy in (system, *system.others):
            _keep(copy, ARTEFACTS / name)
            with suppress(AssertionError, subprocess.TimeoutExpired):
                _end(copy)
        raise
    for copy in (system, *system.others):
        _end(copy)


def _end(system: System) -> None:
    if system.release:
        system.down()


def _keep(system: System, folder: Path) -> None:
    """What tells why it failed: objects, events, logs."""
    if not system.release:
        return
    place = folder / system.name
    place.mkdir(parents=True, exist_ok=True)
    asked = {
        "objects.yaml": ("get", "all,endpointslices,persistentvolumeclaims,networkpolicies,configmaps", "-o", "yaml"),
        "pods.txt": ("get", "pods", "-o", "wide"),
        "describe.txt": ("describe", "pods"),
        "events.txt": ("get", "events", "--sort-by=.lastTimestamp"),
    }
    for file, words in asked.items():
        with suppress(AssertionError, subprocess.TimeoutExpired):
            (place / file).write_text(system.kubectl(*words))
    with suppress(AssertionError, subprocess.TimeoutExpired):
        for pod in system.kubectl("get", "pods", "-o", "name").split():
            log = system.kubectl("logs", pod, "--all-containers", "--prefix", "--ignore-errors")
            (place / f"{pod.rpartition('/')[2]}.log").write_text(log)
