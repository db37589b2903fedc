"""How long a system runs, asked of every orchestrator that keeps revisions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.contract.conftest import QUICK, SHOP, RunStory, compiled
from tycho.compose import Sources
from tycho.errors import NotFound, NotSupported
from tycho.expiry import Expiry
from tycho.lifecycle import Lifecycle
from tycho.release import Release

pytestmark = pytest.mark.xdist_group("cluster")
TIMED = {**SHOP, "x-tycho": {"ttl": "8h", "idle": {"after": "2h", "service": "web", "port": 80}}}


def expiry(release: Release) -> Expiry:
    assert release.expiry
    return release.expiry


def test_status_tells_the_end_from_lists_alone(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        started = await lifecycle.up(compiled(lifecycle, TIMED, "timed"), wait_options=QUICK)
        assert started.notes[-1] == "expires in 8 h, or when it was not used for 2 h; then it is paused"
        (listed,) = await lifecycle.status(services=False)
        clock = expiry(listed)
        assert (clock.ttl, clock.idle, clock.expire, clock.active, clock.warned) == (28800, 7200, "pause", None, None)
        assert clock.expires == clock.started + timedelta(hours=8)
        assert abs(clock.started - lifecycle.orchestrator.now()) < timedelta(minutes=5)
        asked = expiry((await lifecycle.status(["timed"]))[0]).question
        assert asked
        assert (asked.service, asked.port, asked.path) == ("web", 80, "/")

    run_revised(story)


def test_each_start_begins_the_time_anew(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        first = expiry(await lifecycle.up(compiled(lifecycle, TIMED, "again"), wait_options=QUICK))
        same = await lifecycle.up(compiled(lifecycle, TIMED, "again"), wait_options=QUICK)
        assert (same.revision, expiry(same).started > first.started) == (1, True)
        longer = lifecycle.compile(Sources.from_document(TIMED, env={}, name="again"), ttl="2d")
        second = await lifecycle.up(longer, wait_options=QUICK)
        assert (second.revision, expiry(second).ttl) == (2, 172800)
        endless = await lifecycle.up(compiled(lifecycle, SHOP, "again"), wait_options=QUICK)
        assert endless.expiry is None
        back = expiry(await lifecycle.rollback("again", 1, wait_options=QUICK))
        assert (back.ttl, back.started >= expiry(second).started) == (28800, True)

    run_revised(story)


def test_use_moves_the_idle_end_alone(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        before = expiry(await lifecycle.up(compiled(lifecycle, TIMED, "used"), wait_options=QUICK))
        after = expiry(await lifecycle.touch("used"))
        assert after.idle_since
        assert after.idle_since > before.started
        assert after.expires == before.expires
        past = expiry(await lifecycle.touch("used", after.idle_since - timedelta(hours=1)))
        assert past.idle_since == after.idle_since
        ahead = expiry(await lifecycle.touch("used", after.idle_since + timedelta(days=1)))
        assert ahead.active
        assert ahead.active <= lifecycle.orchestrator.now() + timedelta(seconds=1)
        with pytest.raises(NotFound):
            await lifecycle.touch("nobody")

    run_revised(story)


@pytest.mark.pods
def test_a_warning_is_an_event(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        release = await lifecycle.up(compiled(lifecycle, TIMED, "warned"), wait_options=QUICK)
        moment = expiry(release).started + timedelta(seconds=1)
        assert await lifecycle.orchestrator.warn(release.identity, "warned expires soon", moment)
        assert expiry((await lifecycle.status(["warned"]))[0]).warned == moment
        warnings = [event async for event in lifecycle.events("warned") if event.reason == "ExpiresSoon"]
        assert [(event.service, event.type, event.message) for event in warnings] == [
            ("", "Warning", "warned expires soon")
        ]

    run_revised(story)


def test_docker_refuses_what_it_cannot_end(run_docker: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(NotSupported, match="ttl: this back end ends no systems in time"):
            lifecycle.compile(Sources.from_document(SHOP, env={}, name="shop"), ttl="8h")

    run_docker(story)
