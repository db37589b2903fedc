"""A real API server for every test that asks: one cluster a run, shared by its workers, gone at the end."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path

import pytest

from tycho import cluster

_RUN = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RUN] = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)[:8]


def _name(config: pytest.Config) -> str:
    workerinput = getattr(config, "workerinput", {})
    return f"test-{workerinput.get('testrunuid', config.stash[_RUN])[:8]}"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """The workers name the cluster as the controller will when it removes it."""
    node.workerinput["testrunuid"] = node.config.stash[_RUN]  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """The way into a running cluster."""
    made = cluster.create(_name(request.config), progress=lambda line: print(line, file=sys.__stderr__, flush=True))
    return made.kubeconfig


@pytest.fixture(scope="session")
def helm() -> Path:
    """The real program."""
    return cluster.tool("helm", progress=lambda line: print(line, file=sys.__stderr__, flush=True))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The last one out turns off the light."""
    if not hasattr(session.config, "workerinput"):
        cluster.delete(_name(session.config))
