"""What every orchestrator promises of a system that runs: restarts, events, logs, programs, some of its services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contract.conftest import ONE, QUICK, Story, compiled
from tycho.compose import Sources
from tycho.errors import NotFound, UsageError
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Patience, Program
from tycho.release import Release

pytestmark = pytest.mark.xdist_group("cluster")


def test_restart_leaves_the_revision(told: Story) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        seen: list[Release] = []
        started = await lifecycle.up(compiled(lifecycle, ONE, "again"), patience=QUICK)
        watching = Patience(timeout=90, watch=seen.append)
        for services in (["web"], []):
            restarted = await lifecycle.restart("again", services, patience=watching)
            assert restarted.ready
            assert restarted.revision == started.revision
            assert [service.name for service in restarted.services] == ["web", "db"]
        assert seen
        same = await lifecycle.up(compiled(lifecycle, ONE, "again"), patience=QUICK)
        assert same.notes == ("again is up to date (revision 1)",)

    told(story)


def test_events_are_told_oldest_first(told: Story) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, ONE, "eventful"), patience=QUICK)
        events = [event async for event in lifecycle.events("eventful")]
        assert [event.time for event in events] == sorted(event.time for event in events)
        assert all(event.time.tzinfo for event in events)
        assert {event.service for event in events} >= {"web", "db"}
        alone = [event async for event in lifecycle.events("eventful", ["db"])]
        assert {event.service for event in alone} == {"db"}
        assert all("/" in event.object and event.reason for event in alone)

    told(story)


def test_an_unknown_service_lists_the_known(told: Story) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, ONE, "known"), patience=QUICK)

        async def read(lines: AsyncIterator[Any]) -> None:
            async for _ in lines:
                pass

        asked: list[Awaitable[Any]] = [
            lifecycle.restart("known", ["nosuch"], patience=QUICK),
            read(lifecycle.events("known", ["nosuch"])),
            read(lifecycle.logs("known", ["nosuch"], since=datetime.now(UTC))),
            lifecycle.exec("known", "nosuch", Program(("ls",)), NoStreams()),
        ]
        for question in asked:
            with pytest.raises(NotFound, match="known has no service nosuch") as error:
                await question
            assert error.value.hint == "it has: web, db"

    told(story)


def test_services_are_chosen_with_what_they_need(told: Story) -> None:
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
            return [service.name for service in (await lifecycle.up(chosen, patience=QUICK)).services]

        assert await up("web") == ["web", "db"]
        assert "mail" in await up("mail")
        assert "beside" not in lifecycle.compile(sources, services=["mail"]).woven.system.services
        assert "beside" in lifecycle.compile(sources, services=["web"], keep=["mail"]).woven.system.services
        with pytest.raises(UsageError, match="some has no service nosuch"):
            await up("nosuch")

    told(story)


class NoStreams:
    """Streams of a program that never runs."""

    tty = False

    async def read(self) -> bytes:
        return b""

    async def write(self, data: bytes, *, error: bool) -> None:
        raise AssertionError(data)

    async def sizes(self) -> AsyncIterator[tuple[int, int]]:
        yield 80, 24
