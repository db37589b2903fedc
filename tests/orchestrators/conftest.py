"""One system at a time on a real cluster, most in a namespace that is there already: they come and go in a second."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tycho.compose import Sources
from tycho.lifecycle import Compiled, Lifecycle
from tycho.orchestrators import Target, WaitOptions
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.settings import settings
from tycho.toolchain import programs

QUICK = WaitOptions(timeout=90)
Story = Callable[[Lifecycle], Awaitable[Any]]
Kubectl = Callable[..., str]


@pytest.fixture(scope="session")
def kubectl(kubeconfig: Path) -> Kubectl:
    """The judge: says what is really there."""
    program = programs.tool("kubectl")

    def run(*argv: object, input: str = "", rc: int = 0) -> str:
        done = subprocess.run(
            [program, "--kubeconfig", kubeconfig, *map(str, argv)],
            input=input, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == rc, done.stderr
        return done.stdout

    return run


@pytest.fixture
def shared(kubectl: Kubectl) -> Iterator[str]:
    """A namespace that is there already."""
    name = f"shared-{uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def tell(kubeconfig: Path, helm: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a story with the verbs, in a namespace or with one per system, and removes what it started."""
    monkeypatch.setenv("TYCHO_HELM", str(helm))
    settings.cache_clear()

    @asynccontextmanager
    async def verbs(namespace: str, way: Path) -> Any:
        target = Target(kubeconfig=str(way), namespace=namespace)
        lifecycle = Lifecycle(HelmOrchestrator(target), target)
        before = {release.identity.guid for release in await lifecycle.status(services=False)}
        try:
            yield lifecycle
        finally:
            left = [release.identity.guid for release in await lifecycle.status(services=False)]
            await lifecycle.down(
                [system for system in left if system not in before], wait_options=QUICK, each=lambda removal: None
            )
            await lifecycle.orchestrator.close()

    def run(story: Story, namespace: str = "", *, kubeconfig: Path = kubeconfig) -> Any:
        async def whole() -> Any:
            async with verbs(namespace, kubeconfig) as lifecycle:
                return await story(lifecycle)

        return asyncio.run(whole())

    return run


def compiled(lifecycle: Lifecycle, services: dict[str, Any], name: str = "one", **options: Any) -> Compiled:
    return lifecycle.compile(Sources.from_document({"services": services, **options}, env={}, name=name))


def web(tag: str = "1", **keys: Any) -> dict[str, Any]:
    return {"web": {"image": f"nginx:{tag}", "ports": ["80"], **keys}}
