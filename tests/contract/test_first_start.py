"""First starts of one project at once: they are one system, whoever is quicker."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.conftest import QUICK, SHOP, RunStory, compiled
from tycho.errors import OperationInProgress
from tycho.lifecycle import Lifecycle
from tycho.ownership import Caller
from tycho.release import Origin, Release

pytestmark = pytest.mark.xdist_group("cluster")
ADA = Caller("ada", origin=Origin(user="ada", host="here", folder="/shop", project="first"))


@pytest.mark.pods
def test_two_at_once_are_one_system(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        system = compiled(lifecycle, SHOP, "first")

        async def start() -> Release | None:
            try:
                return await lifecycle.up(system, caller=ADA, wait_options=QUICK)
            except OperationInProgress:
                return None

        started = [release for release in await asyncio.gather(start(), start()) if release]
        assert len({release.identity.guid for release in started}) == 1
        (release,) = await lifecycle.status(name="first")
        assert (release.identity, release.ready) == (started[0].identity, True)
        again = await lifecycle.up(system, caller=ADA, wait_options=QUICK)
        assert again.identity == release.identity
        other = await lifecycle.up(system, caller=ADA, new=True, wait_options=QUICK)
        assert other.identity.guid != release.identity.guid

    run_revised(story)


def test_others_start_their_own(run_revised: RunStory) -> None:
    """Another user, another folder and another name have other GUIDs; one that somebody else took is left to him."""

    async def story(lifecycle: Lifecycle) -> None:
        system = compiled(lifecycle, SHOP, "theirs")

        async def choose(caller: Caller) -> tuple[str, Release | None]:
            return lifecycle._finder.choose_first(await lifecycle.status(services=False), "theirs", caller)

        assert len({(await choose(caller))[0] for caller in (ADA, Caller("eve"), Caller())}) == 3
        guid, running = await choose(ADA)
        assert running is None
        await lifecycle.up(system, caller=Caller("eve"), guid=guid, wait_options=QUICK)
        assert await choose(ADA) == ("", None)

    run_revised(story)
