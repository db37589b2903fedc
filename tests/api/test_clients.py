"""Both clients against the installed command: one suite, called and awaited."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.clients import Blocking, Make, canned, envelope, failure
from tests.api.conftest import WEB, Service
from tycho import errors
from tycho.client import AsyncTychoClient, Progress, TychoClient
from tycho.errors import NotFound, TychoError, UsageError


@pytest.fixture
def client(make: Make, service: Service) -> Iterator[Blocking]:
    client = make(url=service.url)
    yield client
    client.down(client.list(terse=True))


def test_the_seed_s_verbs(client: Blocking) -> None:
    system = client.start(request={"name": "shop", "system": WEB, "username": "ada"})
    assert (system.status, system.name, system.services[0].name) == ("success", f"shop-{system.identifier}", "web")
    (row,) = client.status({}).services
    assert (row.name, row.app_id, row.username, row.is_ready) == ("shop", system.name, "ada", True)
    assert row.total_util == {"cpu": 0, "gpu": 0, "memory": "0.00", "ephemeralStorage": "0.00"}
    assert client.request("status", {"name": "shop"})["result"][0]["sid"] == system.identifier
    assert client.history({"name": "shop"}).result[0]["revision"] == 1
    assert client.restart({"name": system.name}).result["sid"] == system.identifier
    assert client.rollback(request={"name": system.name, "revision": 1}).status == "success"
    assert isinstance(client.logs({"name": "shop", "services": ["db"]}).error, NotFound)
    assert [answer.status for answer in client.down([system.name, "nowhere"])] == ["success", "error"]


def test_systems_by_their_addresses(client: Blocking) -> None:
    first, second = (client.start({"name": name, "system": WEB}).identifier for name in ("shop", "blog"))
    assert [system.sid for system in client.systems()] == [first, second]
    assert [system.sid for system in client.systems(name="blog", ready=True, state="deployed")] == [second]
    assert client.systems(ready=False) == []
    shop = client.system("shop")
    assert (shop.sid, shop.revision, shop.is_ready, shop.services[0].name) == (first, 1, True, "web")
    assert [(revision["revision"], revision["done"]) for revision in client.revisions(first)] == [(1, True)]
    assert client.values(first) == client.values(first, revision=1)
    assert client.values(first, all=True)["services"]["web"]["replicas"] == 1
    assert client.report(first) == []
    assert "nginx" in client.compose(first)
    assert client.logs(first, ["web"], since="1h", tail=5, timestamps=True) == []
    assert [event["service"] for event in client.events(first)] == ["web"]


def test_what_runs_is_changed_and_watched_by_its_address(client: Blocking) -> None:
    reported: list[Progress] = []
    system = client.start({"name": "shop", "system": WEB}, on_progress=reported.append)
    assert (system.status, system.name, system.services[0].ip_address) == (
        "success", f"shop-{system.identifier}", "127.0.0.1",
    )  # fmt: skip
    assert (reported[-1].kind, reported[-1].percent, reported[-1].last) == ("ready", 100, True)
    guid = system.identifier
    assert [progress.kind for progress in client.watch(guid)][-1] == "ready"
    assert list(client.watch(guid, after=reported[-1].id)) == []
    assert client.modify(guid, {"services": {"web": {"replicas": 3}}}).revision == 2
    assert client.values(guid)["services"]["web"]["replicas"] == 3
    assert client.modify({"tycho-guid": guid, "labels": {"team": "a"}}).status == "success"
    assert [answer.status for answer in client.patch([{"tycho-guid": guid, "cpu": "250m"}])] == ["success"]
    with pytest.raises(errors.PreconditionFailed):
        client.modify(guid, {"replicas": 1}, if_match=f'"{guid}.1"')
    assert client.rollback(guid, 1, wait=10).revision == 5
    assert client.restart(guid, ["web"], wait=10).sid == guid
    client.remove(guid)
    with pytest.raises(NotFound):
        client.remove(guid)


def test_a_verb_over_an_address_raises_what_the_service_met(client: Blocking) -> None:
    calls = {
        "system": (), "revisions": (), "values": (), "report": (), "compose": (), "logs": (), "events": (),
    }  # fmt: skip
    for name, expected_calls in calls.items():
        with pytest.raises(NotFound, match='no system "nowhere" runs here'):
            getattr(client, name)("nowhere", *expected_calls)
    client.start({"name": "shop", "system": WEB})
    for odd in ("../system", "shop/values", "shop?x=1"):
        with pytest.raises((UsageError, NotFound)):
            client.system(odd)


def test_connections_are_kept_within_a_block(service: Service) -> None:
    with TychoClient(service.url) as client:
        assert client.status().status == client.status().status == "success"

    async def awaited() -> None:
        async with AsyncTychoClient(service.url) as client:
            first, second = await asyncio.gather(client.status(), client.systems())
            assert (first.status, second) == ("success", [])

    asyncio.run(awaited())


def test_what_is_sent_again(make: Make) -> None:
    busy = (503, {"Retry-After": "0"}, failure("ClusterUnreachable"))
    with canned(busy, busy, (200, {}, envelope([]))) as (url, seen):
        assert make(url).revisions("shop") == []
        assert len(seen) == 3
    with canned(busy, busy, busy) as (url, seen):
        assert isinstance(make(url).status().error, errors.ClusterUnreachable)
        assert len(seen) == 3
    with canned(busy) as (url, seen):  # it may have been done
        assert make(url).delete({"name": "shop"}).status == "error"
        assert len(seen) == 1
    with canned((429, {"Retry-After": "0"}, failure("TooManyRequests")), (200, {}, envelope({}))) as (url, seen):
        assert make(url).delete({"name": "shop"}).status == "success"
        assert len(seen) == 2
    with canned((429, {"Retry-After": "3600"}, failure("TooManyRequests"))) as (url, seen):
        assert isinstance(make(url).status().error, errors.TooManyRequests)
        assert len(seen) == 1


def event(kind: str, id: str, **fields: Any) -> bytes:
    return f"event: {kind}\nid: {id}\ndata: {json.dumps({'message': kind, **fields})}\n\n".encode()


STREAM = {"Content-Type": "text/event-stream"}


def test_a_watch_goes_on_where_it_broke_off(make: Make) -> None:
    half, second = event("progress", "4", percent=50, service="web", why="pulls"), event("ready", "5", percent=100)
    first = b"retry: 0\n\n: heartbeat\n\n" + half + b"event: progress\ndata: {"
    with canned((200, STREAM, first), (200, STREAM, second + half)) as (url, seen):
        reported = list(make(url).watch("shop"))
    assert [(progress.kind, progress.id, progress.percent) for progress in reported] == [
        ("progress", "4", 50),
        ("ready", "5", 100),
    ]
    assert (str(reported[0]), reported[0].why, reported[0].last, reported[1].last) == ("progress", "pulls", False, True)
    assert [headers.get("Last-Event-ID") for _, _, headers in seen] == [None, "4"]
    with canned((404, {}, failure("NotFound"))) as (url, _), pytest.raises(NotFound):
        list(make(url).watch("shop"))
    with canned(*[(200, STREAM, b"retry: 0\n\n")] * 5) as (url, seen), pytest.raises(TychoError, match="break off"):
        list(make(url).watch("shop"))
    assert len(seen) == 5
    with canned((200, STREAM, b"data: []\n\n")) as (url, _), pytest.raises(TychoError, match="none of Tycho's"):
        list(make(url).watch("shop"))


SYSTEM = {"sid": "a1", "app_id": "shop-a1",
          "services": [{"name": "web", "endpoints": [{"ip_address": "10.0.0.1", "port": 80}]}]}  # fmt: skip


def test_a_start_tells_what_happens(make: Make) -> None:
    reported: list[Progress] = []
    stream = event("progress", "1") + event("ready", "2")
    replies = [(202, {}, envelope(SYSTEM)), (200, STREAM, stream), (200, {}, envelope(SYSTEM))]
    with canned(*replies) as (url, seen):
        system = make(url).start({"name": "shop", "system": WEB, "wait": True}, on_progress=reported.append)
    assert [str(progress) for progress in reported] == ["progress", "ready"]
    assert [(method, path) for method, path, _ in seen] == [
        ("POST", "/system?wait=0"), ("GET", "/system/a1/events"), ("GET", "/system/a1"),
    ]  # fmt: skip
    assert seen[0][2]["Idempotency-Key"]
    assert (system.status, system.name, system.services[0].port) == ("success", "shop-a1", "80")
    replies[1] = (200, STREAM, event("failed", "2", why="no such image"))
    with canned(*replies) as (url, _):
        failed = make(url).start({"name": "shop", "system": WEB}, on_progress=reported.append)
    assert (failed.status, failed.message, type(failed.error)) == ("error", "no such image", errors.StartFailed)
