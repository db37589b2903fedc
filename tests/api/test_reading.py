"""The readable routes: systems by their addresses, and what there is to read of each."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.conftest import WEB, Post, Promise

PLANTED = "hush-3f9a17"
WITH_SECRET = {"services": {"web": {**WEB["services"]["web"], "environment": {"DB_PASSWORD": "${DB_PASSWORD}"}}}}


class Reader:
    """Reads addresses, and holds each answer to the service's own document."""

    def __init__(self, http: TestClient, promise: Promise) -> None:
        self.http = http
        self.promise = promise

    def __call__(self, path: str, status: int = 200, **headers: str) -> Response:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        answer = self.http.get(path, headers=named)
        assert answer.status_code == status, answer.text
        assert re.fullmatch("[A-Za-z0-9._-]{1,64}", answer.headers["X-Request-Id"])
        documented = self.promise.document["paths"]
        bare = path.partition("?")[0]
        route = next((path for path in documented if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), bare)), "")
        if status != 304 and answer.headers["content-type"] == "application/json":
            self.promise.kept(answer, route, "get")
        return answer


@pytest.fixture
def read(http: TestClient, promise: Promise) -> Reader:
    return Reader(http, promise)


def start(post: Post, **more: Any) -> str:
    guid: str = post("start", {"name": "shop", "system": WEB, **more}).json()["result"]["sid"]
    return guid


def test_systems_are_filtered_and_come_in_pages(post: Post, read: Reader) -> None:
    guids = [start(post, username=user) for user in ("ada", "bob", "ada")]
    assert [system["sid"] for system in read("/system").json()["result"]["items"]] == guids
    first = read("/system?limit=2").json()["result"]
    assert [system["sid"] for system in first["items"]] == guids[:2]
    post("delete", {"name": guids[1]})  # what goes moves no other
    second = read(f"/system?limit=2&continue={first['continue']}").json()["result"]
    assert ([system["sid"] for system in second["items"]], second["continue"]) == (guids[2:], "")
    assert len(read("/system?username=ada&state=deployed&ready=true&name=shop").json()["result"]["items"]) == 2
    assert read("/system?ready=false").json()["result"]["items"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [("nmae=shop", 422), ("limit=0", 422), ("state=odd", 422), ("ready=perhaps", 422), ("continue=%2A%2A", 400)],
)
def test_a_query_that_cannot_be(read: Reader, query: str, status: int) -> None:
    read(f"/system?{query}", status)


def test_a_system_says_when_it_is_the_same(post: Post, read: Reader) -> None:
    guid = start(post)
    answer = read(f"/system/{guid[:8]}")
    system, tag = answer.json()["result"], answer.headers["ETag"]
    assert (system["sid"], system["app_id"]) == (guid, f"shop-{guid}")
    assert tag.startswith(f'"{guid}.1')
    assert read(f"/system/{guid}", 304, If_None_Match=f'"other", W/{tag}').content == b""
    start(post, env={"TAG": "2"}, **{"tycho-guid": guid})
    assert read(f"/system/{guid}", If_None_Match=tag).headers["ETag"].startswith(f'"{guid}.2')
    read("/system/nowhere", 404)


def test_a_system_is_answered_when_it_is_ready(post: Post, read: Reader) -> None:
    guid = start(post)
    answer = read(f"/system/{guid}?wait=30&services=web")
    assert answer.json()["result"]["is_ready"] is True
    assert read(f"/system/{guid}?wait=1", 304, If_None_Match=answer.headers["ETag"]).content == b""
    assert read(f"/system/{guid}?wait=1&services=db", 404).json()["result"]["hint"] == "it has: web"
    read(f"/system/{guid}?wait=241", 422)


def test_a_revision_is_the_operation_that_made_it(post: Post, read: Reader) -> None:
    guid = start(post)
    start(post, env={"TAG": "2"}, **{"tycho-guid": guid})
    first, second = read(f"/system/{guid}/revisions").json()["result"]
    assert (first["revision"], first["state"], first["done"], first["error"]) == (1, "superseded", True, None)
    assert (second["state"], second["done"], second["why"]) == ("deployed", True, "")
    assert read(f"/system/{guid}/revisions/2").json()["result"] == second
    assert read(f"/system/{guid}/revisions/9", 404).json()["result"]["hint"] == "it has: 1, 2"


def test_what_a_system_was_made_of_is_read_without_secrets(post: Post, read: Reader) -> None:
    guid = start(post, system=WITH_SECRET, env={"DB_PASSWORD": PLANTED, "TAG": "7"})
    values = read(f"/system/{guid}/values")
    assert values.json()["result"]["values"]["variables"] == {"DB_PASSWORD": "***", "TAG": "7"}
    assert values.json()["result"]["values"]["services"]["web"]["secretEnv"] == {"DB_PASSWORD": "***"}
    merged = read(f"/system/{guid}/values?all=true")
    assert merged.json()["result"]["values"]["services"]["web"]["replicas"] == 1
    text = read(f"/system/{guid}/compose", Accept="text/yaml")
    assert text.headers["content-type"].startswith("text/yaml")
    assert yaml.safe_load(text.text)["services"]["web"]["image"] == "nginx:${TAG:-1}"
    assert read(f"/system/{guid}/compose").json()["result"] == text.text
    report = read(f"/system/{guid}/report")
    assert all(row["path"] and row["outcome"] != "translated" for row in report.json()["result"])
    for answer in (values, merged, text, report):
        assert PLANTED not in answer.text
    assert read(f"/system/{guid}/values?revision=4", 404).json()["result"]["hint"] == "it has: 1"


def test_logs_are_read_by_address(post: Post, read: Reader) -> None:
    guid = start(post)
    assert read(f"/system/{guid}/logs?services=web&tail=5&since=10m&timestamps=true").json()["result"] == []
    assert read(f"/system/{guid}/logs?services=db", 404).json()["result"]["hint"] == "it has: web"


def test_an_error_says_what_it_is_in_the_form_that_is_asked_for(read: Reader) -> None:
    result = read("/system/nowhere", 404, X_Request_Id="abc.1").json()["result"]
    assert (result["error"], result["reason"], result["request_id"]) == ("NotFound", "NotFound", "abc.1")
    assert result["type"] == "https://tycho.dev/errors#NotFound"
    answer = read("/system/nowhere", 404, Accept="application/problem+json", X_Request_Id="a b")
    assert answer.headers["content-type"] == "application/problem+json"
    details = answer.json()
    assert (details["type"], details["status"], details["instance"]) == (result["type"], 404, "/system/nowhere")
    assert details["request_id"] == answer.headers["X-Request-Id"] != "a b"
    assert details["title"] == "No such system, revision or chart."
    refused = read("/system", 403, Host="elsewhere.example", X_Request_Id="abc.2", Accept="application/problem+json")
    assert (refused.json()["reason"], refused.headers["X-Request-Id"]) == ("Forbidden", "abc.2")
