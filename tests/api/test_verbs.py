"""Each verb, through its route."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import WEB, Post, Promise


def test_start_answers_with_the_system_and_where_it_is_called(post: Post) -> None:
    answer = post("start", {"name": "shop", "system": WEB}).json()
    name = answer["result"]["name"]
    assert re.fullmatch("shop-[0-9a-f]{32}", name)
    assert answer["result"]["sid"] == name.removeprefix("shop-")
    assert answer["message"] == f"Started system {name}"
    web = answer["result"]["containers"]["web"]
    assert web["ip_address"] == "127.0.0.1"
    assert isinstance(web["port-1"], int)


def test_status_tells_port_and_address_of_every_system(post: Post) -> None:
    started = post("start", {"name": "shop", "system": WEB, "username": "ada"}).json()["result"]
    (row,) = post("status", {}).json()["result"]
    assert (row["name"], row["sid"], row["username"]) == ("shop", started["sid"], "ada")
    assert row["port"] == str(started["containers"]["web"]["port-1"])
    assert row["is_ready"] is True
    assert row["creation_time"]


def test_a_system_that_publishes_nothing_has_no_port(post: Post) -> None:
    started = post("start", {"name": "quiet", "system": {"services": {"db": {"image": "redis"}}}}).json()["result"]
    assert started["containers"] == {"db": {"ip_address": "--"}}
    (row,) = post("status", {}).json()["result"]
    assert (row["ip_address"], row["port"]) == ("--", "--")


def test_every_start_is_another_system_unless_it_brings_a_guid(post: Post) -> None:
    guid = "0123456789abcdef0123456789abcdef"
    post("start", {"name": "shop", "system": WEB})
    post("start", {"name": "shop", "system": WEB})
    body = {"name": "shop", "system": WEB, "tycho-guid": guid}
    assert post("start", body).json()["result"]["sid"] == guid
    assert post("start", body).json()["result"]["notes"] == ["shop is up to date (revision 1)"]
    assert len(post("status", {}).json()["result"]) == 3
    post("start", {**body, "env": {"TAG": 2}})
    assert [revision["revision"] for revision in post("history", {"name": guid}).json()["result"]] == [1, 2]


def test_a_system_is_named_in_five_ways(post: Post) -> None:
    started = post("start", {"name": "shop", "system": WEB}).json()["result"]
    guid = started["sid"]
    for id in (guid, guid[:8], started["name"], f"shop-{guid[:8]}", "shop"):
        (row,) = post("status", {"name": id}).json()["result"]
        assert row["sid"] == guid, id
    assert post("delete", {"name": started["name"]}).json()["result"] == {}
    assert post("status", {}).json()["result"] == []


def test_a_name_of_two_lists_both_and_deletes_neither(post: Post) -> None:
    guids = [post("start", {"name": "shop", "system": WEB}).json()["result"]["sid"] for _ in range(2)]
    assert [row["sid"] for row in post("status", {"name": "shop"}).json()["result"]] == guids
    refused = post("delete", {"name": "shop"}, 409).json()
    assert refused["result"]["error"] == "Ambiguous"
    assert all(guid in refused["message"] for guid in guids)


def test_status_can_ask_for_one_user(post: Post) -> None:
    ada, bob = (
        post("start", {"name": "shop", "system": WEB, "username": user}).json()["result"]["sid"]
        for user in ("ada", "bob")
    )
    assert [row["sid"] for row in post("status", {"username": "bob"}).json()["result"]] == [bob]
    assert post("status", {"name": ada, "username": "bob"}).json()["result"] == []


def test_the_requests_name_wins_and_is_made_a_projects(post: Post) -> None:
    system = {"name": "other", **WEB}
    assert post("start", {"name": "My.Shop", "system": system}).json()["result"]["name"].startswith("myshop-")


def test_rollback_makes_the_former_revision_run(post: Post) -> None:
    started = post("start", {"name": "shop", "system": WEB}).json()["result"]
    post("start", {"name": "shop", "system": WEB, "env": {"TAG": "2"}, "tycho-guid": started["sid"]})
    back = post("rollback", {"name": "shop"}).json()
    assert back["result"]["revision"] == 3
    assert back["message"] == "rolled back to revision 1 (now revision 3)"
    assert post("rollback", {"name": "shop", "revision": 9}, 404).json()["message"].endswith("(it has: 1, 2, 3)")


def test_what_runs_is_asked_and_restarted(post: Post) -> None:
    post("start", {"name": "shop", "system": WEB})
    assert post("restart", {"name": "shop", "services": ["web"], "wait": True}).json()["result"]["is_ready"] is True
    events = post("events", {"name": "shop"}).json()["result"]
    assert {event["service"] for event in events} == {"web"}
    assert all(datetime.fromisoformat(event["time"]).tzinfo for event in events)
    body = {"name": "shop", "services": ["web"], "since": "10m", "tail": 5, "timestamps": True}
    assert post("logs", body).json()["result"] == []
    for verb in ("restart", "events", "logs"):
        wrong = post(verb, {"name": "shop", "services": ["db"]}, 404).json()
        assert wrong["message"] == "shop has no service db (it has: web)"
        assert "running: shop" in post(verb, {"name": "nowhere"}, 404).json()["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [({"since": "soon"}, 400), ({"tail": -1}, 422), ({"tail": 10_001}, 422), ({"follow": True}, 422)],
    ids=str,
)
def test_logs_that_cannot_be(post: Post, body: dict[str, object], status: int) -> None:
    post("start", {"name": "shop", "system": WEB})
    post("logs", {"name": "shop", **body}, status)


def test_compile_answers_with_the_chart_and_starts_nothing(post: Post) -> None:
    compiled = post("compile", {"name": "shop", "system": {**WEB, "volumes": {"spare": {}}}}).json()["result"]
    assert compiled["name"] == "shop"
    assert "${TAG:-1}" in compiled["files"]["values.yaml"]
    assert {"templates/deployment-web.yaml", "Chart.yaml"} & compiled["files"].keys()
    assert {row["outcome"] for row in compiled["report"]} >= {"translated"}
    assert post("status", {}).json()["result"] == []


def test_variables_come_from_the_request_alone(post: Post) -> None:
    system = {"services": {"web": {"image": "a", "environment": {"WHERE": "${HOME}", "ALL": "$PATH"}}}}
    compiled = post("compile", {"name": "shop", "system": system}).json()["result"]
    assert "/root" not in json.dumps(compiled)
    warned = [warning["message"] for warning in compiled["warnings"]]
    assert any('"HOME" variable is not set' in message for message in warned)
    assert any('"PATH" variable is not set' in message for message in warned)
    compiled = post("compile", {"name": "shop", "system": system, "env": {"HOME": "/here", "PATH": None}}).json()[
        "result"
    ]
    assert not any('"HOME"' in warning["message"] for warning in compiled["warnings"])
    assert any('"PATH"' in warning["message"] for warning in compiled["warnings"])


def test_metadata_decides_what_is_published(post: Post) -> None:
    system = {"services": {"a": {"image": "a", "ports": ["80"]}, "b": {"image": "b", "ports": ["81"]}}}
    body = {"name": "shop", "system": system, "services": {"c": {"port": "80"}}}
    assert post("start", body, 400).json()["result"]["hint"] == "it has: a, b"
    body["services"] = {"b": {"port": "81", "clients": ["10.1.2.3/8", "::1"]}}
    post("start", body)


def test_the_service_says_that_it_lives_and_is_ready(http: TestClient, promise: Promise) -> None:
    for path in ("/healthz", "/readyz"):
        answer = http.get(path)
        assert answer.status_code == 200
        promise.kept(answer, path, "get")


def test_the_pages_need_no_other_host(http: TestClient) -> None:
    for path in ("/docs", "/apidocs"):
        page = http.get(path)
        assert page.status_code == 200
        assert "SwaggerUIBundle" in page.text
        linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(linked) >= 3
        for link in linked:
            assert link.startswith("/"), link
            assert http.get(link).status_code == 200
    assert http.get("/redoc").status_code == 404


def test_the_page_about_routes_tells_of_each_and_of_no_other(promise: Promise) -> None:
    page = (Path(__file__).parents[2] / "docs/api.md").read_text()
    rows = re.findall(r"^\| `(GET|POST|PATCH|DELETE) (/\S+)` \|(.*?)\|", page, re.MULTILINE)
    listed = {(method.lower(), path): set(re.findall(r"`(\S+?)`", fields)) for method, path, fields in rows}
    documented = {
        (method, path): operation
        for path, operations in promise.document["paths"].items()
        for method, operation in operations.items()
    }
    assert listed.keys() == documented.keys()
    for key, operation in documented.items():
        known = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"}
        if body := operation.get("requestBody"):
            message = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            known |= promise.document["components"]["schemas"][message]["properties"].keys()
        known -= {"namespace"}  # said of all routes at once
        headers = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "header"}
        listed_fields = {name for name in listed[key] if name.lower() not in headers}
        assert listed_fields == known, key
