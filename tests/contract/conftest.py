"""Stories that are told to every orchestrator through the same verbs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from tycho import orchestrators
from tycho.compose import Sources
from tycho.lifecycle import Compiled, Lifecycle
from tycho.orchestrators import Target, WaitOptions
from tycho.settings import settings

ONE = {"services": {"web": {"image": "nginx:${TAG:-1}", "ports": ["8080:80"]}, "db": {"image": "postgres:16"}}}
OTHER = {"services": {"web": {"image": "nginx:2", "ports": ["8080:80"]}}}
QUICK = WaitOptions(timeout=90)

Story = Callable[[Callable[[Lifecycle], Awaitable[Any]]], Any]


@pytest.fixture(params=["memory", "helm"])
def told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Runs a story on an orchestrator, and removes what it started."""
    target = Target(kubeconfig=str(uuid4()))
    if request.param == "helm":
        monkeypatch.setenv("TYCHO_HELM", str(request.getfixturevalue("helm")))
        settings.cache_clear()
        target = Target(kubeconfig=str(request.getfixturevalue("kubeconfig")))

    @asynccontextmanager
    async def open_() -> AsyncIterator[Lifecycle]:
        lifecycle = Lifecycle(orchestrators.get(request.param, target), target)
        try:
            yield lifecycle
        finally:
            left = [release.identity.guid for release in await lifecycle.status(services=False)]
            await lifecycle.down(left, wait_options=QUICK, each=lambda removal: None)
            await lifecycle.orchestrator.close()

    def tell(story: Callable[[Lifecycle], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            async with open_() as lifecycle:
                return await story(lifecycle)

        return asyncio.run(whole())

    return tell


def compiled(lifecycle: Lifecycle, document: dict[str, object], name: str, **env: str) -> Compiled:
    return lifecycle.compile(Sources.from_document(document, env=env, name=name))
