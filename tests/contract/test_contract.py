"""What every orchestrator promises, asked of each through the same verbs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.conftest import OTHER, QUICK, SHOP, UNPUBLISHED, RunStory, compiled
from tycho import orchestrators
from tycho.compose import Sources
from tycho.errors import Ambiguous, NotFound, UsageError, WaitTimeout
from tycho.lifecycle import Compiled, Lifecycle
from tycho.orchestrators import ExecRequest, Target, WaitOptions
from tycho.ownership import Caller
from tycho.release import Release

pytestmark = pytest.mark.xdist_group("cluster")


@pytest.mark.pods
def test_a_system_lives(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        seen: list[Release] = []
        started = await lifecycle.up(
            compiled(lifecycle, SHOP, "alive"),
            caller=Caller("ada"),
            wait_options=WaitOptions(timeout=90, watch=seen.append),
        )
        assert seen
        assert seen[-1].ready
        assert started.ready
        assert sorted(service.name for service in started.services) == ["db", "web"]
        assert started.endpoint is not None
        assert started.endpoint.service == "web"
        assert (started.endpoint.published, started.endpoint.target) == (8080, 80)
        assert started.identity.release.startswith("alive-")
        (listed,) = await lifecycle.status(username="ada")
        assert listed.identity == started.identity
        assert list(await lifecycle.status(username="eve")) == []
        removals = await lifecycle.down([started.identity.guid], wait_options=QUICK, each=lambda removal: None)
        assert [removal.error for removal in removals] == [None]
        assert list(await lifecycle.status()) == []

    run_story(story)


@pytest.mark.pods
def test_up_again_is_an_upgrade_and_nothing_new_is_nothing(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        first = await lifecycle.up(compiled(lifecycle, SHOP, "grows"), wait_options=QUICK)
        same = await lifecycle.up(compiled(lifecycle, SHOP, "grows"), wait_options=QUICK)
        assert same.identity == first.identity
        assert same.notes == ("grows is up to date (revision 1)",)
        tagged = await lifecycle.up(compiled(lifecycle, SHOP, "grows", TAG="3"), wait_options=QUICK)
        other = await lifecycle.up(compiled(lifecycle, OTHER, "grows"), wait_options=QUICK)
        assert [first.revision, tagged.revision, other.revision] == [1, 2, 3]
        assert [service.name for service in other.services] == ["web"]
        assert other.notes == ("db: removed",)
        history = await lifecycle.history("grows")
        assert [(entry.revision, entry.state) for entry in history] == [
            (1, "superseded"), (2, "superseded"), (3, "deployed"),
        ]  # fmt: skip
        back = await lifecycle.rollback("grows", wait_options=QUICK)
        assert back.revision == 4
        assert back.notes[0] == "rolled back to revision 2 (now revision 4)"
        assert [service.name for service in back.services] == ["web", "db"]
        with pytest.raises(NotFound) as error:
            await lifecycle.rollback("grows", 9, wait_options=QUICK)
        assert "1, 2, 3, 4" in error.value.hint

    run_revised(story)


@pytest.mark.pods
def test_a_port_that_nodes_have_is_published_as_it_is(run_revised: RunStory) -> None:
    text = {"services": {"web": {"image": "nginx:1", "ports": ["${PORT:-30123}:80", "8080:81"]}}}

    async def story(lifecycle: Lifecycle) -> None:
        release = await lifecycle.up(compiled(lifecycle, text, "noded"), wait_options=QUICK)
        ends = {end.published: end for end in release.services[0].endpoints}
        assert (ends[30123].port, ends[30123].target) == (30123, 80)
        assert ends[8080].port == 8080 or ends[8080].port in range(30000, 32768)  # of a load balancer, or of a node
        moved = await lifecycle.up(compiled(lifecycle, text, "noded", PORT="30124"), wait_options=QUICK)
        assert {end.port for end in moved.services[0].endpoints} > {30124}

    run_revised(story)


def test_ids(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        guid = uuid4().hex
        first = await lifecycle.up(compiled(lifecycle, UNPUBLISHED, "named"), guid=guid, wait_options=QUICK)
        retried = await lifecycle.up(compiled(lifecycle, UNPUBLISHED, "named"), guid=guid, wait_options=QUICK)
        assert retried.identity == first.identity
        second = await lifecycle.up(compiled(lifecycle, UNPUBLISHED, "named"), new=True, wait_options=QUICK)
        assert second.identity.guid != guid
        for id in (guid, guid[:8], first.identity.release, f"named-{guid}"):
            assert (await lifecycle.find(id)).identity == first.identity
        with pytest.raises(Ambiguous) as many:
            await lifecycle.find("named")
        assert guid in many.value.hint
        with pytest.raises(NotFound):
            await lifecycle.find("nobody")
        with pytest.raises(UsageError):
            await lifecycle.up(compiled(lifecycle, UNPUBLISHED, "named"), guid="no-guid", wait_options=QUICK)

    run_story(story)


def test_secret_files_make_revisions(run_revised: RunStory) -> None:
    """The chart is the same; what it holds travels in the values, and back with a rollback."""
    text = {"services": {"web": {"image": "nginx:1", "volumes": ["./conf:/conf:ro"]}}}

    def made(lifecycle: Lifecycle, key: bytes) -> Compiled:
        files = {"conf/a.key": key, "conf/plain": b"plain"}
        return lifecycle.compile(Sources.from_document(text, env={}, name="keys", files=files))

    async def story(lifecycle: Lifecycle) -> None:
        first, second = made(lifecycle, b"planted-1"), made(lifecycle, b"planted-2")
        assert first.artifact.digest == second.artifact.digest
        revisions = [(await lifecycle.up(compiled, wait_options=QUICK)).revision for compiled in (first, first, second)]
        assert revisions == [1, 1, 2]
        assert (await lifecycle.rollback("keys", wait_options=QUICK)).revision == 3

    run_revised(story)


@pytest.mark.pods
def test_restart_leaves_the_revision(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        seen: list[Release] = []
        started = await lifecycle.up(compiled(lifecycle, SHOP, "again"), wait_options=QUICK)
        watching = WaitOptions(timeout=90, watch=seen.append)
        for services in (["web"], []):
            restarted = await lifecycle.restart("again", services, wait_options=watching)
            assert restarted.ready
            assert restarted.revision == started.revision
            assert [service.name for service in restarted.services] == ["web", "db"]
        assert seen
        same = await lifecycle.up(compiled(lifecycle, SHOP, "again"), wait_options=QUICK)
        assert same.notes == ("again is up to date (revision 1)",)

    run_revised(story)


@pytest.mark.pods
def test_events_are_told_oldest_first(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "eventful"), wait_options=QUICK)
        events = [event async for event in lifecycle.events("eventful")]
        assert [event.time for event in events] == sorted(event.time for event in events)
        assert all(event.time.tzinfo for event in events)
        assert {event.service for event in events} >= {"web", "db"}
        alone = [event async for event in lifecycle.events("eventful", ["db"])]
        assert {event.service for event in alone} == {"db"}
        assert all("/" in event.object and event.reason for event in alone)

    run_revised(story)


def test_an_unknown_service_lists_the_known(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "known"), wait_options=QUICK)

        async def read(lines: AsyncIterator[Any]) -> None:
            async for _ in lines:
                pass

        asked: list[Awaitable[Any]] = [
            lifecycle.restart("known", ["nosuch"], wait_options=QUICK),
            read(lifecycle.events("known", ["nosuch"])),
            read(lifecycle.logs("known", ["nosuch"], since=datetime.now(UTC))),
            lifecycle.exec("known", "nosuch", ExecRequest(("ls",)), NoStreams()),
        ]
        for question in asked:
            with pytest.raises(NotFound, match="known has no service nosuch") as error:
                await question
            assert error.value.hint == "it has: web, db"

    run_revised(story)


@pytest.mark.pods
def test_services_are_chosen_with_what_they_need(run_story: RunStory) -> None:
    document = {
        "services": {
            "web": {"image": "nginx:1", "depends_on": ["db"]},
            "db": {"image": "postgres:16"},
            "mail": {"image": "mailhog"},
            "beside": {"image": "proxy", "network_mode": "service:mail"},
        }
    }

    async def story(lifecycle: Lifecycle) -> None:
        sources = Sources.from_document(document, env={}, name="some")

        async def up(*services: str) -> list[str]:
            keep = await lifecycle.running_services("some")
            chosen = lifecycle.compile(sources, services=services, keep=keep)
            return sorted(service.name for service in (await lifecycle.up(chosen, wait_options=QUICK)).services)

        assert await up("web") == ["db", "web"]
        assert "mail" in await up("mail")
        assert "beside" not in lifecycle.compile(sources, services=["mail"]).policy_result.system.services
        assert "beside" in lifecycle.compile(sources, services=["web"], keep=["mail"]).policy_result.system.services
        with pytest.raises(UsageError, match="some has no service nosuch"):
            await up("nosuch")

    run_story(story)


class NoStreams:
    """Streams of a program that never runs."""

    tty = False

    async def read(self) -> bytes:
        return b""

    async def write(self, content: bytes, *, error: bool) -> None:
        raise AssertionError(content)

    async def sizes(self) -> AsyncIterator[tuple[int, int]]:
        yield 80, 24


def test_down_goes_on_past_one_that_fails(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        running = await lifecycle.up(compiled(lifecycle, OTHER, "goes"), wait_options=QUICK)
        removals = await lifecycle.down(
            ["nobody", running.identity.guid], wait_options=QUICK, each=lambda removal: None
        )
        assert [type(removal.error) for removal in removals] == [NotFound, type(None)]
        assert list(await lifecycle.status()) == []

    run_story(story)


def test_down_begins_nothing_once_its_time_is_over(run_story: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        running = await lifecycle.up(compiled(lifecycle, OTHER, "stays"), wait_options=QUICK)
        (removal,) = await lifecycle.down(
            [running.identity.guid], wait_options=WaitOptions(timeout=0), each=lambda removal: None
        )
        assert isinstance(removal.error, WaitTimeout)
        assert [release.identity for release in await lifecycle.status()] == [running.identity]

    run_story(story)


def test_an_unknown_orchestrator_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        orchestrators.get("swarm", Target())
    assert error.value.hint == "known: docker, helm, memory"
