"""Stories that are told to every orchestrator through the same verbs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from tests.cluster_fixture import aloud
from tests.contract import engine
from tests.contract.node import run_node
from tests.e2e import room
from tests.e2e.node import Node
from tycho import orchestrators
from tycho.compose import Sources
from tycho.lifecycle import Compiled, Lifecycle
from tycho.orchestrators import Target, WaitOptions
from tycho.settings import settings

SHOP = {"services": {"web": {"image": "nginx:${TAG:-1}", "ports": ["8080:80"]}, "db": {"image": "postgres:16"}}}
UNPUBLISHED = {"services": {"web": {"image": "nginx:2"}}}
OTHER = {"services": {"web": {"image": "nginx:2", "ports": ["8080:80"]}}}
QUICK = WaitOptions(timeout=90)

NODE = pytest.param("node", marks=pytest.mark.node)
RunStory = Callable[[Callable[[Lifecycle], Awaitable[Any]]], Any]


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Mapping[str, str]]:
    """An engine for all stories; where there is none, they are skipped, and say so."""
    if not room.inside():
        pytest.skip("not run on docker: `bin/task e2e` makes the room that an engine needs (root)")
    if lacking := engine.find_lacking():
        pytest.skip(f"not run on docker: it takes {lacking}")
    with engine.run_engine() as variables:
        yield variables


@pytest.fixture(scope="session")
def real_node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """A node for all stories; where there is none, they are skipped, and say so."""
    if not room.inside():
        pytest.skip("not run on a node: `bin/task e2e` makes the room that it needs (root)")
    with run_node(aloud(request.config)) as node:
        yield node


def _find_target(name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Target:
    """Make ready what an orchestrator runs on."""
    match name:
        case "helm":
            monkeypatch.setenv("TYCHO_HELM", str(request.getfixturevalue("helm")))
            target = Target(kubeconfig=str(request.getfixturevalue("kubeconfig")))
        case "node":
            real_node = request.getfixturevalue("real_node")
            monkeypatch.setenv("TYCHO_HELM", str(real_node.programs["helm"]))
            target = Target(kubeconfig=str(real_node.kubeconfig))
        case "docker":
            for variable, value in request.getfixturevalue("docker_engine").items():
                monkeypatch.setenv(variable, value)
            monkeypatch.setenv("TYCHO_QUIET_TIME", "0.2")  # what is to fail here does so at once
            target = Target()
        case _:
            return Target(kubeconfig=str(uuid4()))
    settings.cache_clear()
    return target


@asynccontextmanager
async def _open_lifecycle(name: str, target: Target) -> AsyncIterator[Lifecycle]:
    lifecycle = Lifecycle(orchestrators.get("helm" if name == "node" else name, target), target)
    try:
        yield lifecycle
    finally:
        left = [release.identity.guid for release in await lifecycle.status(services=False)]
        await lifecycle.down(left, wait_options=QUICK, each=lambda removal: None)
        await lifecycle.orchestrator.close()


def _make_runner(name: str, target: Target) -> RunStory:
    def run(story: Callable[[Lifecycle], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            async with _open_lifecycle(name, target) as lifecycle:
                return await story(lifecycle)

        return asyncio.run(whole())

    return run


@pytest.fixture(params=["memory", "helm", NODE, "docker"])
def run_story(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RunStory:
    """Runs a story on an orchestrator, and removes what it started."""
    return _make_runner(request.param, _find_target(request.param, request, monkeypatch))


@pytest.fixture(params=["memory", "helm", NODE])
def run_revised(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RunStory:
    """Runs a story on an orchestrator that keeps revisions; test_docker.py tells what the other one says."""
    return _make_runner(request.param, _find_target(request.param, request, monkeypatch))


@pytest.fixture(params=["docker"])
def run_docker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RunStory:
    """Runs a story on an engine."""
    return _make_runner(request.param, _find_target(request.param, request, monkeypatch))


def compiled(lifecycle: Lifecycle, document: dict[str, object], name: str, **env: str) -> Compiled:
    return lifecycle.compile(Sources.from_document(document, env=env, name=name))
