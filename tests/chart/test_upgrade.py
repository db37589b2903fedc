"""From any chart to any other: a real Helm upgrades a real release, and no field stands in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, given
from hypothesis import settings as profile

from tests.chart.test_cluster import SYSTEMS, Server, document
from tycho.compose import Sources
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Target, WaitOptions
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.settings import settings

pytestmark = pytest.mark.xdist_group("chart-cluster")
EXAMPLES = max(2, profile.default.max_examples // 50)
ASKED = WaitOptions(wait=False, timeout=60)


@pytest.fixture(scope="module")
def target(kubeconfig: Path, helm: Path) -> Iterator[Target]:
    """A namespace that is there already."""
    server, namespace = Server(kubeconfig), f"upgrades-{uuid4().hex[:8]}"
    server.run("create", "namespace", namespace)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TYCHO_HELM", str(helm))
        settings.cache_clear()
        yield Target(kubeconfig=str(kubeconfig), namespace=namespace)
    server.run("delete", "namespace", namespace, "--wait=false")


@given(before=SYSTEMS, after=SYSTEMS)
@profile(max_examples=EXAMPLES, phases=set(Phase) - {Phase.shrink})  # a cluster is slow
def test_up_and_up_again(target: Target, before: dict[str, Any], after: dict[str, Any]) -> None:
    """`up` with one file, `up` with another, and back to the first revision; kinds, selectors, claims, Services."""

    async def story() -> None:
        lifecycle = Lifecycle(HelmOrchestrator(target), target)
        try:
            first = await lifecycle.up(compiled(lifecycle, before), wait_options=ASKED)
            second = await lifecycle.up(compiled(lifecycle, after), wait_options=ASKED)
            assert second.identity == first.identity
            if document(before) != document(after):
                await lifecycle.rollback(second.identity.guid, wait_options=ASKED)
                revisions = await lifecycle.orchestrator.history(second.identity)
                assert [entry.state for entry in revisions] == ["superseded", "superseded", "deployed"]
        finally:
            guids = [entry.identity.guid for entry in await lifecycle.status(services=False)]
            await lifecycle.down(guids, wait_options=WaitOptions(timeout=60), each=lambda removal: None)
            await lifecycle.orchestrator.close()

    asyncio.run(story())


def compiled(lifecycle: Lifecycle, services: dict[str, Any]) -> Any:
    return lifecycle.compile(Sources.from_document(document(services), env={"B": "b"}, name="changing"))
