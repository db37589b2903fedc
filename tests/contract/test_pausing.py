"""Systems that are paused and services that are stopped, asked of every orchestrator."""

from __future__ import annotations

import pytest

from tests.contract.conftest import OTHER, QUICK, SHOP, RunStory, compiled
from tycho.errors import Conflict, NotFound, PreconditionFailed, UsageError
from tycho.lifecycle import Lifecycle
from tycho.ownership import Caller
from tycho.release import Release

pytestmark = pytest.mark.xdist_group("cluster")


def list_reasons(release: Release) -> dict[str, str]:
    return {service.name: service.why for service in release.services}


def count_running(release: Release) -> dict[str, int]:
    return {service.name: service.ready for service in release.services}


@pytest.mark.pods
def test_a_paused_system_has_nothing_running_and_keeps_its_address(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        started = await lifecycle.up(compiled(lifecycle, SHOP, "rests"), wait_options=QUICK)
        paused = await lifecycle.pause("rests", wait_options=QUICK)
        assert (paused.identity, paused.notes) == (started.identity, ())
        (listed,) = await lifecycle.status()
        for release in (paused, listed):
            assert (release.state, release.paused, release.ready) == ("paused", True, True)
            assert list_reasons(release) == {"web": "paused", "db": "paused"}
            assert [(service.ready, service.wanted) for service in release.services] == [(0, 0), (0, 0)]
        (known,) = await lifecycle.status(services=False)
        assert known.state == "paused"
        with pytest.raises(Conflict, match="rests is paused: nothing of it runs"):
            await lifecycle.restart("rests", wait_options=QUICK)
        resumed = await lifecycle.resume("rests", wait_options=QUICK)
        assert (resumed.state, resumed.paused, resumed.ready, resumed.notes) == ("deployed", False, True, ())
        assert (list_reasons(resumed), count_running(resumed)) == ({"web": "", "db": ""}, {"web": 1, "db": 1})
        assert resumed.endpoint == started.endpoint

    run_story(story)


def test_pausing_twice_and_resuming_what_runs_change_nothing(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "naps"), wait_options=QUICK)
        running = await lifecycle.resume("naps", wait_options=QUICK)
        assert (running.notes, running.ready) == (("naps is not paused",), True)
        paused = await lifecycle.pause("naps", wait_options=QUICK)
        again = await lifecycle.pause("naps", wait_options=QUICK)
        assert (again.notes, again.revision) == (("naps is paused already",), paused.revision)
        assert again.state == "paused"

    run_story(story)


def test_an_upgrade_leaves_a_system_paused_and_says_so(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "dozes"), wait_options=QUICK)
        await lifecycle.pause("dozes", wait_options=QUICK)
        upgraded = await lifecycle.up(compiled(lifecycle, OTHER, "dozes"), wait_options=QUICK)
        assert (upgraded.state, list_reasons(upgraded)) == ("paused", {"web": "paused"})
        assert upgraded.notes == ("db: removed", "dozes stays paused: `tycho resume dozes` runs it")
        same = await lifecycle.up(compiled(lifecycle, OTHER, "dozes"), wait_options=QUICK)
        assert (same.revision, same.state) == (upgraded.revision, "paused")
        resumed = await lifecycle.resume("dozes", wait_options=QUICK)
        assert (resumed.state, count_running(resumed)) == ("deployed", {"web": 1})

    run_story(story)


def test_an_up_that_changes_nothing_makes_no_revision(run_story: RunStory) -> None:
    """Not after a pause, nor after it has ended: the values of a release come back in another order."""

    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, SHOP, "rests-on")
        await lifecycle.up(made, wait_options=QUICK)
        paused = await lifecycle.pause("rests-on", wait_options=QUICK)
        same = await lifecycle.up(made, wait_options=QUICK)
        assert (same.state, same.revision) == ("paused", paused.revision)
        resumed = await lifecycle.resume("rests-on", wait_options=QUICK)
        assert (await lifecycle.up(made, wait_options=QUICK)).revision == resumed.revision

    run_story(story)


@pytest.mark.pods
def test_a_stopped_service_starts_with_the_replicas_it_had(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, {"services": {"web": {"image": "nginx:1"}, "db": {"image": "nginx:1"}}},
                                    "halves"), wait_options=QUICK)  # fmt: skip
        await lifecycle.scale("halves", {"db": 3}, wait_options=QUICK)
        stopped = await lifecycle.stop("halves", ["db"], wait_options=QUICK)
        assert (stopped.state, stopped.ready, list_reasons(stopped)) == ("deployed", True, {"web": "", "db": "stopped"})
        assert count_running(stopped) == {"web": 1, "db": 0}
        assert {service.name: service.stopped for service in stopped.services} == {"web": False, "db": True}
        again = await lifecycle.stop("halves", ["db", "db"], wait_options=QUICK)
        assert (again.notes, again.revision) == (("db is stopped already",), stopped.revision)
        started = await lifecycle.start("halves", ["db", "web"], wait_options=QUICK)
        assert (started.notes, count_running(started)) == (("web is not stopped",), {"web": 1, "db": 3})
        assert started.ready
        await lifecycle.stop("halves", ["db"], wait_options=QUICK)
        up = await lifecycle.up(compiled(lifecycle, SHOP, "halves"), wait_options=QUICK)
        assert count_running(up) == {"web": 1, "db": 1}

    run_story(story)


def test_what_is_stopped_stays_so_when_all_else_resumes(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "partly"), wait_options=QUICK)
        await lifecycle.stop("partly", ["db"], wait_options=QUICK)
        paused = await lifecycle.pause("partly", wait_options=QUICK)
        assert list_reasons(paused) == {"web": "paused", "db": "stopped"}
        assert {service.name: service.stopped for service in paused.services} == {"web": False, "db": True}
        resumed = await lifecycle.resume("partly", wait_options=QUICK)
        assert resumed.notes == ("still stopped: db (`tycho start partly db`)",)
        assert count_running(resumed) == {"web": 1, "db": 0}
        await lifecycle.pause("partly", wait_options=QUICK)
        started = await lifecycle.start("partly", ["db"], wait_options=QUICK)
        assert started.notes == ("partly is paused: they start with `tycho resume partly`",)
        assert count_running(started) == {"web": 0, "db": 0}
        assert count_running(await lifecycle.resume("partly", wait_options=QUICK)) == {"web": 1, "db": 1}

    run_story(story)


def test_scaling_gives_each_service_its_number(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, {"services": {"web": {"image": "nginx:1"}, "db": {"image": "nginx:1"}}},
                                    "grows"), wait_options=QUICK)  # fmt: skip
        preview = await lifecycle.scale("grows", {"web": 3}, dry_run=True, wait_options=QUICK)
        assert [difference.words for difference in preview.differences] == ["web: replicas 1 → 3"]
        scaled = await lifecycle.scale("grows", {"web": 3, "db": 2}, wait_options=QUICK)
        assert [difference.words for difference in scaled.differences] == ["db: replicas 1 → 2", "web: replicas 1 → 3"]
        assert (scaled.release.ready, count_running(scaled.release)) == (True, {"web": 3, "db": 2})
        down = await lifecycle.scale("grows", {"web": 1}, wait_options=QUICK)
        assert count_running(down.release) == {"web": 1, "db": 2}

    run_story(story)


def test_what_cannot_stand_still_is_said_at_once(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        ada = Caller("ada")
        await lifecycle.up(compiled(lifecycle, SHOP, "firm"), caller=ada, wait_options=QUICK)
        with pytest.raises(NotFound, match="firm has no service nosuch"):
            await lifecycle.stop("firm", ["nosuch"], caller=ada, wait_options=QUICK)
        with pytest.raises(NotFound, match="firm has no service nosuch"):
            await lifecycle.start("firm", ["nosuch"], caller=ada, wait_options=QUICK)
        with pytest.raises(UsageError, match="no service is named"):
            await lifecycle.stop("firm", [], caller=ada, wait_options=QUICK)
        with pytest.raises(UsageError, match="no service is named"):
            await lifecycle.scale("firm", {}, caller=ada, wait_options=QUICK)
        with pytest.raises(Conflict, match="is ada's"):
            await lifecycle.pause("firm", caller=Caller("eve"), wait_options=QUICK)
        with pytest.raises(PreconditionFailed):
            await lifecycle.pause("firm", revision=7, caller=ada, wait_options=QUICK)
        with pytest.raises(NotFound, match='no system "nobody" runs here'):
            await lifecycle.resume("nobody", wait_options=QUICK)
        (release,) = await lifecycle.status()
        assert (release.state, count_running(release)) == ("deployed", {"web": 1, "db": 1})

    run_story(story)


def test_a_pause_is_a_revision_that_nobody_goes_back_to_by_chance(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "sleeps", TAG="1"), wait_options=QUICK)
        await lifecycle.pause("sleeps", wait_options=QUICK)
        await lifecycle.resume("sleeps", wait_options=QUICK)
        await lifecycle.stop("sleeps", ["db"], wait_options=QUICK)
        history = await lifecycle.history("sleeps")
        assert [entry.description for entry in history][1:] == ["pause", "resume", "stop db"]
        await lifecycle.pause("sleeps", wait_options=QUICK)
        awake = await lifecycle.rollback("sleeps", wait_options=QUICK)
        assert (awake.state, count_running(awake), awake.notes[0]) == (
            "deployed", {"web": 1, "db": 0}, "rolled back to revision 4 (now revision 6)",
        )  # fmt: skip
        asleep = await lifecycle.rollback("sleeps", 2, wait_options=QUICK)
        assert (asleep.state, count_running(asleep)) == ("paused", {"web": 0, "db": 0})
        resumed = await lifecycle.resume("sleeps", wait_options=QUICK)
        assert (resumed.state, count_running(resumed)) == ("deployed", {"web": 1, "db": 1})
        first, last = await lifecycle.contents("sleeps", 1), await lifecycle.contents("sleeps")
        assert first.values == last.values
        await lifecycle.scale("sleeps", {"web": 2}, wait_options=QUICK)
        assert (await lifecycle.history("sleeps"))[-1].description == "scale web=2"

    run_revised(story)


def test_changes_reach_a_paused_system_and_wait_for_nothing(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "later"), wait_options=QUICK)
        await lifecycle.pause("later", wait_options=QUICK)
        scaled = await lifecycle.scale("later", {"web": 2}, wait_options=QUICK)
        assert scaled.release.notes == ("later stays paused: `tycho resume later` runs it",)
        assert (scaled.release.state, count_running(scaled.release)) == ("paused", {"web": 0, "db": 0})
        resumed = await lifecycle.resume("later", wait_options=QUICK)
        assert count_running(resumed) == {"web": 2, "db": 1}

    run_revised(story)
