"""How far a system is: events in order, each once, and one that is the last."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.api.clients import Make, canned, failure
from tests.api.conftest import WEB, Post, Service
from tycho.api.looks import SystemEvents
from tycho.client import AsyncTychoClient, TychoClient
from tycho.errors import ClusterUnreachable, Forbidden, NotFound, NotSupported, TychoError
from tycho.progress import ProgressEvent, ProgressEvents
from tycho.release import Endpoint, Identity, Release, ServiceStatus

IDENTITY = Identity(guid="0" * 32, name="shop", release="shop-0", namespace="shop-0")
ROWS = [{"path": "services.web.restart", "outcome": "approximated", "reason": "pods restart always", "remedy": "none"}]


def events(text: str) -> list[dict[str, Any]]:
    """What a stream says, as an EventSource reads it."""
    parsed = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        parsed.append({**fields, "data": json.loads(fields["data"])})
    return parsed


def release(*services: ServiceStatus, revision: int = 1) -> Release:
    return Release(identity=IDENTITY, revision=revision, services=services)


def service(name: str, why: str = "", **more: Any) -> ServiceStatus:
    return ServiceStatus(name=name, kind="Deployment", ready=0 if why else 1, wanted=1, why=why, done=not why, **more)


def list_events(events: ProgressEvents, *services: ServiceStatus, revision: int = 1) -> list[tuple[str, str]]:
    return [(event.kind, event.progress.message) for event in events.tell(release(*services, revision=revision))]


def test_a_stream_has_one_last_event_and_goes_on_after_any_other(http: TestClient, post: Post) -> None:
    guid = post("start", {"name": "shop", "system": WEB}).json()["result"]["sid"]
    answer = http.get(f"/system/{guid}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    heard = events(answer.text)
    assert [event["event"] for event in heard][-3:] == ["progress", "progress", "ready"]
    assert [event["data"]["message"] for event in heard][-2:] == ["web: ready", "shop is ready"]
    assert heard[-1]["data"]["url"].startswith("http://127.0.0.1:")
    assert heard[-1]["data"]["percent"] == 100
    for place, event in enumerate(heard[:-1]):
        later = events(http.get(f"/system/{guid}/events", headers={"Last-Event-ID": event["id"]}).text)
        assert later == heard[place + 1 :]
    assert http.get(f"/system/{guid}/events", headers={"Last-Event-ID": heard[-1]["id"]}).status_code == 204
    strange = http.get(f"/system/{guid}/events", headers={"Last-Event-ID": "1.2.xyz"})
    assert events(strange.text) == heard


def test_there_is_no_stream_of_nothing(http: TestClient) -> None:
    answer = http.get("/system/nowhere/events")
    assert (answer.status_code, answer.json()["result"]["reason"]) == (404, "NotFound")


def test_each_thing_is_told_once() -> None:
    events = ProgressEvents(ROWS)
    waiting = (service("web", "waiting for db"), service("db", "pulling its image"))
    assert list_events(events, *waiting) == [
        ("report", "services.web.restart: pods restart always"),
        ("progress", "shop · 2 services · namespace shop-0"),
        ("progress", "web: waiting for db"),
        ("progress", "db: pulling its image"),
    ]
    assert list_events(events, *waiting) == []
    assert list_events(events, waiting[0], service("db")) == [("progress", "db: ready")]
    assert not events.ended
    end = Endpoint(service="web", ip_address="::1", port=80, target=80, published=80)
    *_, last = events.tell(release(service("web", endpoints=(end,)), service("db")))
    assert (last.kind, last.progress.url, events.ended) == ("ready", "http://[::1]:80", True)


def test_what_fails_says_why_and_what_it_wrote() -> None:
    events = ProgressEvents()
    broken = service("web", "exited with 1", fatal=True, log=("no such table", "bye"))
    assert list_events(events, broken)[2:] == [
        ("log", "web  no such table"),
        ("log", "web  bye"),
        ("failed", "shop cannot start: web: exited with 1"),
    ]
    assert events.ended


@pytest.mark.parametrize("heard", range(1, 5))
def test_another_narrator_goes_on(heard: int) -> None:
    waiting = (service("web", "waiting for db"), service("db", "pulling its image"))
    first: list[ProgressEvent] = list(ProgressEvents(ROWS).tell(release(*waiting)))
    later = list(ProgressEvents(ROWS, first[heard - 1].id).tell(release(*waiting)))
    assert later == first[heard:]
    assert len(list_events(ProgressEvents(ROWS, first[-1].id), *waiting, revision=2)) == len(
        first
    )  # a new revision is told whole


def test_a_caller_who_goes_leaves_the_service_answering(service: Service) -> None:
    never = {"services": {"web": {"image": "nginx:1"}}}
    with httpx2.Client(base_url=service.url, trust_env=False) as client:
        guid = client.post("/system/start", json={"name": "going", "system": never}).json()["result"]["sid"]
        with client.stream("GET", f"/system/{guid}/events") as answer:
            assert next(answer.iter_lines()).startswith("event: ")
        assert client.get(f"/system/{guid}").status_code == 200
        client.delete(f"/system/{guid}")


def test_all_systems_are_followed(service: Service) -> None:
    """At first all that fit, then each that changes; what is gone is told."""
    with TychoClient(service.url) as client:
        first, second = (client.start({"name": name, "system": WEB, "username": who}).identifier
                         for name, who in (("red", "ada"), ("blue", "bob")))  # fmt: skip
        looks = client.follow()
        assert [system.name for system in next(looks)] == ["red", "blue"]
        ours = client.follow(username="bob")
        named = client.follow(["red"])
        assert [system.sid for system in next(ours)] == [second]
        assert [system.sid for system in next(named)] == [first]
        client.remove(first)
        assert [system.name for system in next(looks)] == ["blue"]
        with pytest.raises(NotFound):
            next(named)
        with pytest.raises(NotFound):
            next(client.follow(["nowhere"]))
        client.remove(second)
        assert next(looks) == next(ours) == []


def test_the_awaited_client_follows_as_well(service: Service) -> None:
    async def story() -> None:
        async with AsyncTychoClient(service.url) as client:
            await client.start({"name": "red", "system": WEB})
            async with aclosing(client.follow(name="red")) as looks:  # type: ignore[type-var]
                assert [system.name for system in await anext(looks)] == ["red"]
                await client.remove("red")
                assert await anext(looks) == []

    asyncio.run(story())


SYSTEMS = {"Content-Type": "text/event-stream"}


def write_events(*events: tuple[str, object]) -> bytes:
    return b"retry: 0\n\n" + b"".join(
        f"event: {name}\ndata: {json.dumps(content)}\n\n".encode() for name, content in events
    )  # fmt: skip


def test_a_stream_that_ends_begins_anew(make: Make, http: TestClient, post: Post) -> None:
    """What went while nobody listened is gone, and half a look is none."""
    guid = post("start", {"name": "shop", "system": WEB}).json()["result"]["sid"]
    system = http.get(f"/system/{guid}").json()["result"]
    other = {**system, "sid": "f" * 32}
    replies = [
        (200, SYSTEMS, write_events(("system", system), ("system", other), ("current", {"count": 2}))),
        (200, SYSTEMS, write_events(("system", system))),
        (200, SYSTEMS, write_events(("system", other), ("current", {"count": 1}))),
        (204, {}, b""),
    ]
    with canned(*replies) as (url, _):
        looks = make(url).follow()
        assert [[each.sid for each in systems] for systems in looks] == [[guid, other["sid"]], [other["sid"]]]


REFUSAL = {"error": "Forbidden", "message": "no more", "hint": "", "problems": [], "warnings": []}


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        ((404, {}, failure("UsageError")), NotSupported, "reports no changes"),
        ((404, {}, failure("NotFound")), NotFound, "no"),
        ((200, SYSTEMS, b"event: system\ndata: {}\n\n"), TychoError, "none of Tycho's"),
        ((200, SYSTEMS, write_events(("failed", REFUSAL))), Forbidden, "no more"),
        ((200, SYSTEMS, b""), ClusterUnreachable, "break off"),
    ],
)
def test_what_is_no_stream_is_said(
    make: Make, reply: tuple[int, dict[str, str], bytes], error: type[TychoError], message: str
) -> None:
    with canned(reply) as (url, _), pytest.raises(error, match=message):
        list(make(url).follow(tries=1))


def test_what_is_told_of_all_systems() -> None:
    """Each look tells what is another than before, and one that brings nothing says nothing."""
    events, ready, starting = SystemEvents(), release(service("web")), release(service("web", "starting"))
    assert [name for name, _ in events.tell([])] == ["current"]
    assert [name for name, _ in events.tell([ready])] == ["system", "current"]
    assert [name for name, _ in events.tell([ready])] == []
    assert [name for name, _ in events.tell([ready.model_copy()])] == []
    assert [name for name, _ in events.tell([starting])] == ["system", "current"]
    assert [name for name, _ in events.tell([])] == ["gone", "current"]
