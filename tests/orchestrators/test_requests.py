"""How much a verb asks of the API server: an id costs a request by label, a list as many as there are pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.orchestrators.conftest import QUICK, compiled, web
from tycho.errors import NotFound
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import HelmOrchestrator

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]


def count_requests(lifecycle: Lifecycle) -> list[str]:
    """Every request from now on, as method and address."""
    orchestrator = lifecycle.orchestrator
    assert isinstance(orchestrator, HelmOrchestrator)
    asked: list[str] = []
    call = orchestrator.api.call

    async def counted(method: str, path: str, *arguments: Any, query: Any = None, **more: Any) -> Any:
        asked.append(f"{method} {path}?{urlencode(dict(sorted((query or {}).items())))}")
        return await call(method, path, *arguments, query=query, **more)

    orchestrator.api.call = counted  # type: ignore[method-assign]
    return asked


def of_releases(asked: list[str]) -> list[str]:
    return [each.partition("labelSelector=")[2] for each in asked if "/secrets?" in each and "owner%3Dhelm" in each]


def test_an_id_costs_one_request(tell: Tell) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        names = ("first", "second", "third")
        identities = [
            (await lifecycle.up(compiled(lifecycle, web(), name), wait_options=QUICK)).identity for name in names
        ]
        asked = count_requests(lifecycle)
        guid, release = identities[1].guid, identities[1].release
        for id, label in (
            (guid, f"tycho-guid%3D{guid}"), (f"second-{guid}", f"tycho-guid%3D{guid}"), (release, f"name%3D{release}"),
        ):  # fmt: skip
            asked.clear()
            assert (await lifecycle.find(id)).identity == identities[1]
            (only,) = asked
            assert label in only
        asked.clear()
        assert len(await lifecycle.status([identity.guid for identity in identities])) == 3
        assert all("tycho-guid" in each for each in of_releases(asked))
        asked.clear()
        # A project's name or a prefix takes a list: one for all of them.
        assert len(await lifecycle.status(["first", identities[1].guid[:8], "third"])) == 3
        listed = [each for each in of_releases(asked) if "tycho-guid" not in each]
        assert len(listed) == 1
        asked.clear()
        ids = [identities[0].guid, identities[1].release]
        removed = await lifecycle.down(ids, wait_options=QUICK, each=lambda removal: None)
        assert [removal.error for removal in removed] == [None, None]
        assert all("name%3D" in each or "tycho-guid%3D" in each for each in of_releases(asked))

    tell(story)


def test_a_first_start_asks_nothing_twice(tell: Tell) -> None:
    """One look at what runs is enough, and a namespace that was just made holds nothing."""

    async def story(lifecycle: Lifecycle) -> None:
        asked = count_requests(lifecycle)
        identity = (await lifecycle.up(compiled(lifecycle, web()), wait_options=WaitOptions(wait=False))).identity
        within = f"/namespaces/{identity.namespace}"
        leases = f"/apis/coordination.k8s.io/v1{within}/leases"
        once = [each for each in asked if not each.startswith("PUT")]  # a Lease is renewed as often as time asks for it
        paths = [each.partition("?")[0] for each in once]
        given_back = paths.index(f"DELETE {leases}/tycho-{identity.release}")
        assert paths[:given_back] == [
            "GET /api/v1/secrets",
            "GET /api/v1/persistentvolumeclaims",
            "GET /api/v1/namespaces",
            f"GET /api/v1{within}/persistentvolumeclaims",
            "POST /api/v1/namespaces",
            f"POST {leases}",
        ]
        assert len(set(once)) == len(once)

    tell(story)


def test_what_is_ready_is_looked_at_once(tell: Tell, shared: str) -> None:
    """Only what a watch has told needs a list that confirms it; the first look is a list."""

    async def story(lifecycle: Lifecycle) -> None:
        identity = (await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)).identity
        asked = count_requests(lifecycle)
        assert (await lifecycle.orchestrator.wait(identity, (), QUICK)).ready
        assert len(set(asked)) == len(asked) > 5

    tell(story, shared)


def test_ids_of_nothing_are_listed_once(tell: Tell, shared: str) -> None:
    """Their message says what runs."""

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        asked = count_requests(lifecycle)
        ids = [f"{number:032x}" for number in range(5)]
        removed = await lifecycle.down(ids, wait_options=QUICK, each=lambda removal: None)
        assert all(isinstance(removal.error, NotFound) for removal in removed)
        assert {removal.error.hint for removal in removed if removal.error} == {"running: one"}
        assert len([each for each in of_releases(asked) if "tycho-guid" not in each]) == 1

    tell(story, shared)


def test_a_page_follows_another(tell: Tell, shared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is listed in pages of one is what is listed at once."""

    async def story(lifecycle: Lifecycle) -> None:
        await asyncio.gather(
            *(lifecycle.up(compiled(lifecycle, web(), f"system-{n}"), wait_options=QUICK) for n in range(3))
        )
        whole = await lifecycle.status()
        asked = count_requests(lifecycle)
        orchestrator = lifecycle.orchestrator
        assert isinstance(orchestrator, HelmOrchestrator)
        pages = orchestrator.api.list_versioned
        monkeypatch.setattr(
            orchestrator.api, "list_versioned", lambda path, **query: pages(path, **{**query, "limit": "1"})
        )
        assert await lifecycle.status() == whole
        assert len(of_releases(asked)) == 3

    tell(story, shared)
