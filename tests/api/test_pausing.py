"""The routes on how much of a system runs, and what they take for granted."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.clients import Make
from tests.api.conftest import Post, Promise, Service
from tests.api.test_changing import Sender
from tycho.errors import PreconditionFailed

PAIR = {"services": {"web": {"image": "nginx:1", "ports": ["80"]}, "db": {"image": "redis"}}}
ROUTES = "/system/{id}/"


@pytest.fixture
def send(http: TestClient, promise: Promise, post: Post) -> Sender:
    return Sender(http, promise)


def count_replicas(system: Any) -> dict[str, int]:
    return {service["name"]: service["ready"] for service in system["services"]}


def test_a_system_is_paused_and_resumed(send: Sender) -> None:
    started = send("POST", "/system", {"name": "shop", "system": PAIR}).json()["result"]
    path = f"/system/{started['sid']}"
    answer = send("POST", f"{path}/pause?wait=0", {}, 202, route=ROUTES + "pause")
    assert answer.headers["Location"] == f"{path}/revisions/2"
    paused = send.http.get(path).json()["result"]
    assert (paused["state"], paused["paused"], paused["is_ready"]) == ("paused", True, True)
    assert [service["why"] for service in paused["services"]] == ["paused", "paused"]
    assert [row["sid"] for row in send.http.get("/system?state=paused").json()["result"]["items"]] == [started["sid"]]
    again = send("POST", f"{path}/pause", {}, route=ROUTES + "pause").json()
    assert (again["message"], again["result"]["revision"]) == ("shop is paused already", 2)
    upgraded = send("POST", "/system", {"name": "shop", "system": PAIR, "env": {"X": "1"}, "upgrade": True}).json()
    assert upgraded["result"]["notes"][-1] == "shop stays paused: `tycho resume shop` runs it"
    resumed = send("POST", f"{path}/resume", {}, route=ROUTES + "resume").json()["result"]
    assert (resumed["state"], resumed["port"]) == ("deployed", started["port"])


def test_services_are_stopped_started_and_scaled(send: Sender) -> None:
    guid = send("POST", "/system", {"name": "shop", "system": PAIR}).json()["result"]["sid"]
    path = f"/system/{guid}"
    plan = send("POST", f"{path}/scale?dryRun=true", {"replicas": {"db": 3}}, route=ROUTES + "scale").json()["result"]
    assert plan["changes"] == ["db: replicas 1 → 3"]
    scaled = send("POST", f"{path}/scale", {"replicas": {"db": 3}}, route=ROUTES + "scale").json()["result"]
    assert count_replicas(scaled) == {"web": 1, "db": 3}
    stopped = send("POST", f"{path}/stop", {"services": ["db"]}, route=ROUTES + "stop").json()["result"]
    assert count_replicas(stopped) == {"web": 1, "db": 0}
    begun = send("POST", f"{path}/start", {"services": ["db"]}, route=ROUTES + "start").json()["result"]
    assert count_replicas(begun) == {"web": 1, "db": 3}
    for name, body in (("stop", {"services": []}), ("start", {}), ("scale", {"replicas": {"db": -1}}), ("scale", {})):
        send("POST", f"{path}/{name}", body, 422, route=ROUTES + name)
    assert send("POST", f"{path}/stop", {"services": ["no"]}, 404, route=ROUTES + "stop").json()["result"][
        "reason"
    ] == ("NotFound")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("pause", {}),
        ("resume", {}),
        ("stop", {"services": ["db"]}),
        ("start", {"services": ["db"]}),
        ("scale", {"replicas": {"db": 2}}),
    ],
)
def test_each_is_made_of_what_the_caller_has_seen(send: Sender, name: str, body: dict[str, Any]) -> None:
    theirs = {"name": "shop", "system": PAIR, "username": "ada"}
    guid = send("POST", "/system", theirs).json()["result"]["sid"]
    path, route = f"/system/{guid}/{name}", ROUTES + name
    send("POST", path, {**body, "username": "ada"}, 412, route=route, If_Match=f'"{guid}.7"')
    send("POST", path, {**body, "username": "eve"}, 409, route=route)
    send("POST", path, {**body, "username": "eve", "force": True}, route=route, If_Match=f'"{guid}.1"')


def test_both_clients_have_the_verbs(make: Make, service: Service) -> None:
    client = make(url=service.url)
    guid = client.start({"name": "shop", "system": PAIR}).identifier
    try:
        assert client.pause(guid).state == "paused"
        with pytest.raises(PreconditionFailed):
            client.resume(guid, if_match=f'"{guid}.1"')
        assert client.resume(guid, wait=0).state == "deployed"
        assert [entry.ready for entry in client.scale(guid, {"db": 2}).services] == [1, 2]
        assert [entry.why for entry in client.stop(guid, ["db"]).services] == ["", "stopped"]
        assert [entry.ready for entry in client.start_services(guid, ["db"], asked={"username": "ada"}).services] == [
            1,
            2,
        ]
    finally:
        client.remove(guid)
