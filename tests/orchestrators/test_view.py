"""A kept view of the cluster: it answers as lists do, shows what was written, and survives being cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, compiled, web
from tests.orchestrators.test_requests import count_requests
from tycho.errors import NotFound, StartFailed, WaitTimeout
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.orchestrators.helm.view import ClusterView

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]


@asynccontextmanager
async def viewed(lifecycle: Lifecycle) -> AsyncIterator[ClusterView]:
    """The view, once it is complete."""
    orchestrator = lifecycle.orchestrator
    assert isinstance(orchestrator, HelmOrchestrator)
    async with orchestrator.keep_view():
        view = orchestrator.source
        assert isinstance(view, ClusterView)
        async with asyncio.timeout(60):
            await view.begun()
        assert [name for name, feed in view.feeds.items() if not feed.synced.is_set()] == []
        yield view


async def start_some(lifecycle: Lifecycle) -> list[str]:
    """Systems that run, that cannot, that are not ready, and one of which volumes are left; their GUIDs."""
    jobs = {"once": {"image": "busybox", "restart": "no"}, "db": {"image": "postgres", "volumes": ["data:/data"]}}
    made = [
        await lifecycle.up(compiled(lifecycle, web(), "well"), wait_options=QUICK),
        await lifecycle.up(compiled(lifecycle, jobs, "jobs", volumes={"data": {}}), wait_options=QUICK),
        await lifecycle.up(compiled(lifecycle, jobs, "kept", volumes={"data": {}}), wait_options=QUICK),
    ]
    for trouble, error in (("ImagePullBackOff", StartFailed), ("NotReady", WaitTimeout)):
        sick = compiled(lifecycle, web(annotations={"tycho.dev/simulate": trouble}), trouble.lower())
        with pytest.raises(error):
            await lifecycle.up(sick, wait_options=WaitOptions(timeout=20 if error is StartFailed else 2))
    await lifecycle.down([made[2].identity.guid], wait_options=QUICK, keep_volumes=True, each=lambda removal: None)
    return [release.identity.guid for release in await lifecycle.status(services=False)]


async def read_all(lifecycle: Lifecycle) -> list[Any]:
    """Every answer of the verbs that look."""
    listed = await lifecycle.status()
    ids = [release.identity.guid for release in listed]
    names = [release.identity.name for release in listed]
    return [
        listed,
        await lifecycle.status(services=False),
        await lifecycle.status(ids),
        await lifecycle.status(names),
        [await lifecycle.find(release.identity.release) for release in listed],
    ]


def apart_from_nodes(asked: list[str]) -> list[str]:
    """The requests but for the one a minute that reads the nodes' addresses."""
    return [request for request in asked if not request.startswith("GET /api/v1/nodes?")]


@pytest.mark.parametrize("alone", [False, True], ids=["in all namespaces", "in one"])
def test_the_answers_are_those_of_lists(tell: Tell, shared: str, alone: bool) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        guids = await start_some(lifecycle)
        assert len(guids) == 5
        read = await read_all(lifecycle)
        states = {release.identity.name: (release.state, release.ready) for release in read[2]}
        assert states["imagepullbackoff"] == ("deployed", False)
        assert states["kept"][0] == "kept"
        async with viewed(lifecycle):
            asked = count_requests(lifecycle)
            assert await read_all(lifecycle) == read
            assert apart_from_nodes(asked) == []
        assert await read_all(lifecycle) == read

    tell(story, shared if alone else "")


def test_looks_at_once_ask_for_nothing(tell: Tell, shared: str) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        guid = (await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)).identity.guid
        async with viewed(lifecycle):
            asked = count_requests(lifecycle)
            answers = await asyncio.gather(*(lifecycle.status([guid]) for _ in range(32)))
            assert all(release.ready for (release,) in answers)
            assert apart_from_nodes(asked) == []

    tell(story, shared)


def test_who_writes_sees_it(tell: Tell, shared: str) -> None:
    """Each verb's next look shows what it did, though only watches are asked."""

    async def story(lifecycle: Lifecycle) -> None:
        async with viewed(lifecycle) as view:
            guid = (await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)).identity.guid
            for revision in (2, 3, 4):
                await lifecycle.up(compiled(lifecycle, web(str(revision))), wait_options=WaitOptions(wait=False))
                asked = count_requests(lifecycle)
                (release,) = await lifecycle.status([guid])
                assert release.revision == revision
                assert apart_from_nodes(asked) == []
            assert (await lifecycle.rollback(guid, wait_options=QUICK)).revision == 5
            assert [release.revision for release in await lifecycle.status()] == [5]
            await lifecycle.down([guid], wait_options=QUICK, each=lambda removal: None)
            asked = count_requests(lifecycle)
            assert await lifecycle.status() == []
            assert apart_from_nodes(asked) == []
            with pytest.raises(NotFound):
                await lifecycle.status([guid])
            assert all(feed.listings == 1 for feed in view.feeds.values())

    tell(story, shared)


def test_a_namespace_that_is_gone(tell: Tell) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        async with viewed(lifecycle):
            guid = (await lifecycle.up(compiled(lifecycle, web(), "gone"), wait_options=QUICK)).identity.guid
            await lifecycle.down([guid], wait_options=QUICK, each=lambda removal: None)
            assert guid not in {release.identity.guid for release in await lifecycle.status()}

    tell(story)
