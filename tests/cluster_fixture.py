"""A real API server and a real Helm, for every test that asks: one cluster for each process that runs tests.

What a test sees in its cluster is its own doing. It is gone when the run ends; the cluster of a run that was killed
goes when the next one starts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tycho import localcluster
from tycho.settings import settings
from tycho.toolchain import programs

HOME = settings().state_dir / "tests"  # read before any test changes the environment


def _run(config: pytest.Config) -> str:
    """The run, as its controller and its workers both know it."""
    return f"run-{os.getppid() if hasattr(config, 'workerinput') else os.getpid()}-"


def _name(config: pytest.Config) -> str:
    """This process's cluster."""
    return _run(config) + getattr(config, "workerinput", {}).get("workerid", "main")


def aloud(config: pytest.Config) -> Callable[[str], None]:
    """Builds take minutes: whoever waits should see why."""
    terminal, capture = (config.pluginmanager.getplugin(name) for name in ("terminalreporter", "capturemanager"))

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            if terminal:
                terminal.write_line(line)

    return say


@pytest.fixture(scope="session")
def helm(request: pytest.FixtureRequest) -> Path:
    """The helm program."""
    return programs.tool("helm", aloud(request.config))


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """The way into a running cluster with a simulated node (stages.yaml tells how its pods can fail)."""
    for left in localcluster.clusters(home=HOME):
        if not Path("/proc", left.name.split("-")[1]).exists():
            localcluster.delete(left.name, home=HOME)
    name = _name(request.config)
    return localcluster.create(name, progress=aloud(request.config), provider="native", home=HOME).kubeconfig


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The last one out turns off the light."""
    if not hasattr(session.config, "workerinput"):
        for ours in localcluster.clusters(home=HOME):
            if ours.name.startswith(_run(session.config)):
                localcluster.delete(ours.name, home=HOME)
