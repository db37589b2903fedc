"""The readable routes that change something, and what they take for granted."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.conftest import WEB, Post, Promise

SHOP = {"name": "shop", "system": WEB}


class Sender:
    """Sends requests to addresses, and holds each answer to the service's own document."""

    def __init__(self, http: TestClient, promise: Promise) -> None:
        self.http = http
        self.promise = promise

    def __call__(
        self, method: str, path: str, body: object = None, status: int = 200, *, route: str = "", **headers: str
    ) -> Response:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        answer = self.http.request(method, path, json=body, headers=named)
        assert answer.status_code == status, answer.text
        self.promise.kept(answer, route or path.partition("?")[0], method.lower())
        return answer


@pytest.fixture
def send(http: TestClient, promise: Promise, post: Post) -> Sender:
    return Sender(http, promise)


SYSTEM_PATH = "/system/{id}"


def test_a_start_is_waited_for_or_leaves_an_address(send: Sender) -> None:
    waited = send("POST", "/system", SHOP).json()
    assert (waited["result"]["is_ready"], waited["message"][:14]) == (True, "Started system")
    answer = send("POST", "/system?wait=0", SHOP, 202)
    guid = answer.json()["result"]["sid"]
    assert answer.headers["Location"] == f"/system/{guid}/revisions/1"
    assert send.http.get(answer.headers["Location"]).json()["result"]["done"] is True
    broken = {"name": "shop", "system": {"services": {"web": {"image": 1}}}}
    send("POST", "/system?wait=0", broken, 422)


def test_a_key_makes_the_same_start_once(send: Sender) -> None:
    first = send("POST", "/system", SHOP, Idempotency_Key="k1").json()["result"]
    again = send("POST", "/system", SHOP, Idempotency_Key="k1").json()["result"]
    assert (again["sid"], again["revision"]) == (first["sid"], 1)
    for other in ({**SHOP, "env": {"TAG": "9"}}, {**SHOP, "system": {"services": {"web": {"image": "b"}}}}):
        assert send("POST", "/system", other, 422, Idempotency_Key="k1").json()["result"]["reason"] == "KeyReused"
    assert send("POST", "/system", {**SHOP, "name": "other"}, 422, Idempotency_Key="k1")
    assert send("POST", "/system", SHOP, Idempotency_Key="k2").json()["result"]["sid"] != first["sid"]
    theirs = send("POST", "/system", {**SHOP, "username": "ada"}, Idempotency_Key="k1").json()["result"]
    assert theirs["sid"] != first["sid"]
    send("PATCH", f"/system/{first['sid']}", {"cpu": "1"}, route=SYSTEM_PATH)
    changed = send("POST", "/system", SHOP, Idempotency_Key="k1").json()["result"]
    assert (changed["sid"], changed["revision"]) == (first["sid"], 2)  # what was changed since stays


def test_a_dry_run_tells_and_changes_nothing(send: Sender) -> None:
    plan = send("POST", "/system?dryRun=true", SHOP).json()["result"]
    assert plan["changes"] == ["web: added"]
    assert plan["digest"]
    assert send.http.get("/system").json()["result"]["items"] == []
    guid = send("POST", "/system", SHOP).json()["result"]["sid"]
    upgrade = {**SHOP, "tycho-guid": guid, "env": {"TAG": "2"}}
    plan = send("POST", "/system?dryRun=true", upgrade).json()["result"]
    assert plan["changes"] == ["web: image nginx:1 → nginx:2"]
    assert (plan["comparison"]["revision"], plan["comparison"]["restarts"]) == (1, ["web"])
    modified = send("PATCH", f"/system/{guid}?dryRun=true", {"replicas": 3}, route=SYSTEM_PATH).json()["result"]
    assert modified["changes"] == ["web: replicas 1 → 3"]
    assert send.http.get(f"/system/{guid}").json()["result"]["revision"] == 1


def test_a_change_is_made_of_what_the_caller_has_seen(send: Sender) -> None:
    guid = send("POST", "/system", SHOP).json()["result"]["sid"]
    tag = send.http.get(f"/system/{guid}").headers["ETag"]
    change = {"resources": {"memory": "256Mi", "ephemeralStorage": "1Gi"}, "cpu": 0.5, "labels": {"a": "b"}}
    answer = send("PATCH", f"/system/{guid}?wait=0", change, 202, route=SYSTEM_PATH, If_Match=tag)
    assert answer.headers["Location"] == f"/system/{guid}/revisions/2"
    assert "web: resources.limits.memory 256Mi" in answer.json()["message"]
    for late in (tag, f'"{guid}.1"', '"x"'):
        refused = send("PATCH", f"/system/{guid}", change, 412, route=SYSTEM_PATH, If_Match=late).json()
        assert refused["result"]["reason"] == "PreconditionFailed"
    send("DELETE", f"/system/{guid}", status=412, route=SYSTEM_PATH, If_Match=tag)
    send("PATCH", f"/system/{guid}", {"cpu": "1"}, route=SYSTEM_PATH, If_Match=f'"{guid}.2"')
    send("DELETE", f"/system/{guid}", route=SYSTEM_PATH, If_Match="*")
    send("PATCH", f"/system/{guid}", change, 404, route=SYSTEM_PATH)


@pytest.mark.parametrize(
    ("body", "status", "paths"),
    [
        ({"labels": {"executor": "x"}, "services": {"db": {}}, "memory": "much"}, 400,
         ["labels.executor", "memory", "services.db"]),
        ({"replicas": -1, "odd": 1, "services": {"web": {"gpu": True}}}, 422,
         ["replicas", "services.web.gpu", "odd"]),
        ({}, 400, [""]),
    ],
    ids=str,
)  # fmt: skip
def test_all_that_is_wrong_with_a_change_comes_at_once(
    send: Sender, body: dict[str, Any], status: int, paths: list[str]
) -> None:
    guid = send("POST", "/system", SHOP).json()["result"]["sid"]
    answer = send("PATCH", f"/system/{guid}", body, status, route=SYSTEM_PATH).json()
    assert [problem["path"] for problem in answer["result"]["problems"]] == paths


def test_the_first_tychos_modify(post: Post) -> None:
    guid = post("start", SHOP).json()["result"]["sid"]
    body = {"tycho-guid": guid, "labels": {"app-name": "notebook"}, "cpu": "500m", "memory": "256M"}
    patches = post("modify", body).json()["result"]["patches"]
    assert {"op": "add", "path": "/services/web/resources/limits/cpu", "value": "500m"} in patches
    assert {"op": "add", "path": "/defaults/podLabels/app-name", "value": "notebook"} in patches
    assert post("modify", body).json()["result"]["patches"] == []


def test_several_go_at_once_and_one_that_fails_keeps_no_other(send: Sender) -> None:
    guids = [send("POST", "/system", {**SHOP, "username": "ada"}).json()["result"]["sid"] for _ in range(2)]
    rows = send("DELETE", f"/system?id={guids[0]}&id=nowhere&id={guids[1][:8]}&username=eve").json()["result"]
    assert [row["error"] for row in rows] == ["Conflict", "NotFound", "Conflict"]
    rows = send("DELETE", f"/system?id={guids[0]}&id=nowhere&id={guids[1][:8]}&username=ada").json()["result"]
    assert [(row["status"], row["error"]) for row in rows] == [
        ("success", ""), ("error", "NotFound"), ("success", ""),
    ]  # fmt: skip
    send("DELETE", "/system", status=422)
    send("DELETE", f"/system/{guids[0]}", status=404, route=SYSTEM_PATH)


def test_a_system_goes_back_and_starts_anew(send: Sender) -> None:
    guid = send("POST", "/system", SHOP).json()["result"]["sid"]
    send("PATCH", f"/system/{guid}", {"cpu": "1"}, route=SYSTEM_PATH)
    back = send("POST", f"/system/{guid}/rollback", {}, route="/system/{id}/rollback").json()
    assert (back["result"]["revision"], back["message"]) == (3, "rolled back to revision 1 (now revision 3)")
    path = f"/system/{guid}/restart?wait=0"
    answer = send("POST", path, {"services": ["web"]}, 202, route="/system/{id}/restart")
    assert answer.headers["Location"] == f"/system/{guid}/revisions/3"
