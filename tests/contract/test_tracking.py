"""Waiting for what runs, and looking on, asked of every orchestrator."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from tests.contract.conftest import QUICK, SHOP, UNPUBLISHED, RunStory, compiled
from tycho.errors import NotFound
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.release import Release

pytestmark = pytest.mark.xdist_group("cluster")
AT_ONCE = WaitOptions(wait=False)


@pytest.mark.pods
def test_wait_until_all_is_ready(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        looks: list[Release] = []
        started = await lifecycle.up(compiled(lifecycle, SHOP, "late"), wait_options=AT_ONCE)
        options = WaitOptions(timeout=90, watch=looks.append)
        release = await lifecycle.wait(started.identity.guid, wait_options=options)
        assert release.ready
        assert release.identity == started.identity
        assert looks[-1] == release

    run_story(story)


def test_wait_for_some_services(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        looks: list[Release] = []
        await lifecycle.up(compiled(lifecycle, SHOP, "part"), wait_options=AT_ONCE)
        options = WaitOptions(timeout=90, watch=looks.append)
        release = await lifecycle.wait("part", ["db"], wait_options=options)
        assert {service.name for service in release.services} == {"web", "db"}
        assert [[service.name for service in look.services] for look in looks] == [["db"]] * len(looks)
        with pytest.raises(NotFound, match="part has no service cache") as unknown:
            await lifecycle.wait("part", ["db", "cache"], wait_options=QUICK)
        assert unknown.value.hint in ("it has: web, db", "it has: db, web")
        with pytest.raises(NotFound):
            await lifecycle.wait("nobody", wait_options=QUICK)

    run_story(story)


@pytest.mark.pods
def test_follow_shows_what_changes(run_story: RunStory) -> None:
    """One system, and all of them; somebody else's change is seen."""

    async def story(lifecycle: Lifecycle) -> None:
        guid = (await lifecycle.up(compiled(lifecycle, UNPUBLISHED, "seen"), wait_options=QUICK)).identity.guid
        await lifecycle.up(compiled(lifecycle, UNPUBLISHED, "other"), wait_options=QUICK)
        for ids in ([guid], []):
            async with aclosing(lifecycle.follow(ids)) as looks:  # type: ignore[type-var]
                first = await anext(looks)
                assert sorted(release.identity.name for release in first) == (["seen"] if ids else ["other", "seen"])
                names = {*[service.name for release in first for service in release.services]}
                document = {"services": {**UNPUBLISHED["services"], f"more{len(names)}": {"image": "busybox"}}}
                await lifecycle.up(compiled(lifecycle, document, "seen"), wait_options=AT_ONCE)
                async for releases in looks:
                    services = {service.name for release in releases for service in release.services}
                    if f"more{len(names)}" in services:
                        break
        with pytest.raises(NotFound):
            await anext(lifecycle.follow(["nobody"]))

    run_story(story)


def test_systems_are_chosen_by_labels(run_story: RunStory) -> None:
    """Those of a compose file are found, of any of its services; all that are asked for must be there."""

    async def story(lifecycle: Lifecycle) -> None:
        for name, labels in (("blue", {"team": "blue", "tier": "web"}), ("red", {"team": "red", "tier": "web"})):
            document = {"services": {"bare": {"image": "busybox"}, "web": {"image": "nginx:2", "labels": labels}}}
            await lifecycle.up(compiled(lifecycle, document, name), wait_options=QUICK)
        for labels, names in (
            ({"tier": "web"}, ["blue", "red"]), ({"team": "blue"}, ["blue"]), ({"team": "blue", "tier": "db"}, []),
        ):  # fmt: skip
            releases = await lifecycle.status(labels=labels)
            assert [release.identity.name for release in releases] == names
            looks = lifecycle.follow(labels=labels)
            async with aclosing(looks):  # type: ignore[type-var]
                assert [release.identity.name for release in await anext(looks)] == names
        (web,) = [service for service in (await lifecycle.status(["red"]))[0].services if service.name == "web"]
        assert web.image == "nginx:2"

    run_story(story)
