"""Ending systems whose time is over, asked of every orchestrator that keeps revisions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.contract.conftest import QUICK, SHOP, RunStory, compiled
from tycho.compose import Sources
from tycho.errors import NotFound
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Orchestrator, Target
from tycho.reaping import ReapOptions, ReapResult, reap
from tycho.release import Release

pytestmark = pytest.mark.xdist_group("cluster")
AT_ONCE = ReapOptions(warn=0)
STORING: Mapping[str, Any] = {
    "services": {"web": {"image": "nginx:1", "volumes": ["files:/files"]}}, "volumes": {"files": {}},
}  # fmt: skip


async def start(lifecycle: Lifecycle, name: str, ttl: str = "1s", **extension: object) -> Release:
    document = {**STORING, "x-tycho": extension} if extension else dict(STORING)
    sources = Sources.from_document(document, env={}, name=name)
    return await lifecycle.up(lifecycle.compile(sources, ttl=ttl), wait_options=QUICK)


async def reap_some(lifecycle: Lifecycle, options: ReapOptions = AT_ONCE) -> list[tuple[str, str, str]]:
    """Make passes until one does something."""
    results: list[ReapResult] = []
    async with asyncio.timeout(60):
        while not results:
            results = await reap(lifecycle, options)
            await asyncio.sleep(0.05)
    return [(result.identity.name, result.outcome, result.reason) for result in results]


async def reap_until_paused(lifecycle: Lifecycle, name: str) -> None:
    async with asyncio.timeout(60):
        while (await lifecycle.status([name]))[0].state != "paused":
            await reap(lifecycle, AT_ONCE)


@pytest.mark.pods
def test_a_whole_life(run_revised: RunStory) -> None:
    """It runs, is warned of and paused, and its time begins again when it is resumed."""

    async def story(lifecycle: Lifecycle) -> None:
        started = await start(lifecycle, "short")
        assert await reap_some(lifecycle) == [("short", "paused", "its time of 1 s is over")]
        (paused,) = await lifecycle.status(["short"])
        assert (paused.state, paused.expiry) == ("paused", None)
        assert await reap(lifecycle, AT_ONCE) == []
        assert (await lifecycle.history("short"))[-1].description == "paused by tycho reap: its time of 1 s is over"
        warnings = [event async for event in lifecycle.events("short") if event.reason == "ExpiresSoon"]
        assert [event.message for event in warnings] == [
            "short expires in 0 s, 1 s after its start; then it is paused; `tycho up` lets it run on"
        ]
        resumed = await lifecycle.resume("short", wait_options=QUICK)
        assert started.expiry
        assert resumed.expiry
        assert resumed.expiry.started > started.expiry.started
        assert await reap_some(lifecycle) == [("short", "paused", "its time of 1 s is over")]

    run_revised(story)


@pytest.mark.pods
def test_removal_is_written_and_keeps_volumes(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await start(lifecycle, "gone", expire="down")
        await lifecycle.up(compiled(lifecycle, SHOP, "stays"), wait_options=QUICK)
        assert await reap_some(lifecycle) == [("gone", "removed", "its time of 1 s is over")]
        left = {each.identity.name: each for each in await lifecycle.status(services=False)}
        assert left["stays"].state == "deployed"
        if "gone" in left:  # a memory keeps no volumes
            assert (left["gone"].state, left["gone"].volumes) == ("kept", ("files",))
        assert await reap(lifecycle, AT_ONCE) == []

    run_revised(story)


def test_nothing_ends_without_a_warning(run_revised: RunStory) -> None:
    """However late a pass comes: half of a short time lies between the two."""

    async def story(lifecycle: Lifecycle) -> None:
        await start(lifecycle, "far", "30m")
        assert await reap(lifecycle) == []
        await start(lifecycle, "soon", "2s")
        ((name, outcome, _),) = await reap_some(lifecycle, ReapOptions(dry_run=True))
        assert (name, outcome) == ("soon", "warned")
        assert [event async for event in lifecycle.events("soon") if event.reason == "ExpiresSoon"] == []
        ((name, outcome, reason),) = await reap_some(lifecycle, ReapOptions())
        assert (name, outcome) == ("soon", "warned")
        assert reason.endswith(", 2 s after its start; then it is paused")
        assert await reap_some(lifecycle, ReapOptions()) == [("soon", "paused", "its time of 2 s is over")]
        (release,) = await lifecycle.status(["soon"])
        assert release.state == "paused"

    run_revised(story)


@pytest.mark.pods
def test_use_lets_it_run_on(run_revised: RunStory) -> None:
    """A service that does not answer counts as used, and so does one that somebody touches."""

    async def story(lifecycle: Lifecycle) -> None:
        asked = {"after": "1s", "service": "web", "port": 80}
        release = await start(lifecycle, "used", "1h", idle=asked)
        ((name, outcome, reason),) = await reap_some(lifecycle)
        assert (name, outcome) == ("used", "kept")
        assert reason.startswith("web did not answer")
        assert reason.endswith("; it counts as used")
        (looked,) = await lifecycle.status(["used"])
        assert release.expiry
        assert looked.expiry
        assert looked.expiry.active
        assert looked.expiry.active > release.expiry.started

    run_revised(story)


def test_an_idle_system_is_paused(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        release = await start(lifecycle, "idle", "1h", idle={"after": "1s"})
        await lifecycle.touch("idle", lifecycle.orchestrator.now() + timedelta(days=1))
        assert await reap_some(lifecycle) == [("idle", "paused", "it was not used for 1 s")]
        assert (await lifecycle.status([release.identity.guid]))[0].state == "paused"
        with pytest.raises(NotFound):
            await lifecycle.touch("nobody")

    run_revised(story)


def test_three_reapers_are_one(run_revised: RunStory) -> None:
    """Each with connections and a view of its own, as replicas of the service have them."""

    async def reap_apart(target: Target, kind: type[Orchestrator]) -> None:
        replica = Lifecycle(kind(target), target)
        try:
            async with replica.orchestrator.keep_view():
                await reap_until_paused(replica, "twice")
        finally:
            await replica.orchestrator.close()

    async def story(lifecycle: Lifecycle) -> None:
        await start(lifecycle, "twice", "1s")
        kind = type(lifecycle.orchestrator)
        await asyncio.gather(*(reap_apart(lifecycle.target, kind) for _ in range(3)))
        assert len([entry for entry in await lifecycle.history("twice") if "reap" in entry.description]) == 1
        events = [event async for event in lifecycle.events("twice") if event.reason == "ExpiresSoon"]
        assert len(events) == 1

    run_revised(story)
