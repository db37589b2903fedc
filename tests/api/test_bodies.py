"""Bodies and methods that no message is made of: one refusal each, documented, and nothing of the server in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import WEB, Post, Promise, memory
from tycho import orchestrators
from tycho.api import create_app
from tycho.api.responses import LISTED
from tycho.lifecycle import Lifecycle
from tycho.settings import settings

JSON = {"Content-Type": "application/json"}
TYPE = (b"Content-Type", b"application/json")
GUID = "0123456789abcdef" * 2

BODIES = {
    "twice": (b'{"name": "a", "name": "b"}', 'has the key "name" twice'),
    "twice within": (b'{"name": "a", "system": {"services": {"x": {}, "x": {}}}}', 'has the key "x" twice'),
    "twice, escaped": (b'{"name": "a", "n\\u0061me": "b"}', 'has the key "name" twice'),
    "NaN": (b'{"name": "a", "system": {"x-a": NaN}}', "NaN is no number"),
    "Infinity": (b'{"name": "a", "system": {"x-a": -Infinity}}', "-Infinity is no number"),
    "a float beyond": (b'{"name": "a", "system": {"x-a": 1e400}}', "too large: 1e400"),
    "digits": (b'{"name": "a", "system": {"x-a": ' + b"9" * 5000 + b"}}", "a number of 5000 digits"),
    "deep": (b'{"name": "a", "system": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001, "nested too deeply"),
    "deep lists": (b"[" * 200_000, "nested too deeply"),
    "latin-1": ('{"name": "é"}'.encode("latin-1"), "not UTF-8 at byte 10"),
    "UTF-16": ('{"name": "a"}'.encode("utf-16"), "not UTF-8 at byte 0"),
    "no JSON": (b"{'name': 1}", "the body is not JSON"),
    "two": (b'{"name": "a"} {}', "the body is not JSON"),
}


@pytest.mark.parametrize("verb", ["start", "delete"])
@pytest.mark.parametrize(("body", "message"), BODIES.values(), ids=BODIES)
def test_a_doubtful_body_is_refused(http: TestClient, promise: Promise, verb: str, body: bytes, message: str) -> None:
    answer = http.post(f"/system/{verb}", content=body, headers=JSON)
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["message"]
    promise.kept(answer, f"/system/{verb}")


def test_whole_characters_and_marks_pass(http: TestClient) -> None:
    for body in (b'\xef\xbb\xbf{"name": ""}', b'{"name": ""}', b'{"username": ""}'):
        assert http.post("/system/status", content=body, headers=JSON).status_code == 200
    pair = b'{"name": "a", "system": {"services": {"web": {"image": "a", "labels": {"l": "\\ud83d\\ude00"}}}}}'
    assert http.post("/system/compile", content=pair, headers=JSON).status_code == 200


def test_many_problems_are_counted(http: TestClient) -> None:
    body = json.dumps({f"k{number}": 1 for number in range(50_000)})
    answer = http.post("/system/delete", content=body, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("50001 problems with the request")
    assert len(answer.json()["result"]["problems"]) == LISTED
    long = http.post("/system/delete", content=json.dumps({"k" * 500_000: 1}), headers=JSON)
    assert long.status_code == 422
    assert len(long.content) < 5000


def published(**metadata: Any) -> dict[str, Any]:
    return {"name": "a", "system": WEB, "services": {"web": metadata}}


KINDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "bool revision": ("rollback", {"name": "a", "revision": True}, "revision"),
    "text revision": ("rollback", {"name": "a", "revision": "1"}, "revision"),
    "fraction revision": ("rollback", {"name": "a", "revision": 1.0}, "revision"),
    "large revision": ("rollback", {"name": "a", "revision": 2**40}, "revision"),
    "number name": ("delete", {"name": 1}, "name"),
    "bool name": ("history", {"name": True}, "name"),
    "text wait": ("rollback", {"name": "a", "wait": "true"}, "wait"),
    "number wait": ("rollback", {"name": "a", "wait": 1}, "wait"),
    "number username": ("status", {"username": 1}, "username"),
    "bool port": ("compile", published(port=True), "services.web.port"),
    "fraction port": ("compile", published(port=80.0), "services.web.port"),
    "port with a sign": ("compile", published(port="+80"), "services.web.port"),
    "other digits": ("compile", published(port="\u0668\u0660"), "services.web.port"),
    "text clients": ("compile", published(clients="::/0"), "services.web.clients"),
    "list services": ("compile", {"name": "a", "system": WEB, "services": []}, "services"),
    "list for a guid": ("start", {"name": "a", "system": WEB, "tycho-guid": [GUID]}, "tycho-guid"),
}  # fmt: skip


@pytest.mark.parametrize(("verb", "body", "path"), KINDS.values(), ids=KINDS)
def test_each_field_has_its_type(post: Post, verb: str, body: dict[str, Any], path: str) -> None:
    (problem,) = post(verb, body, 422).json()["result"]["problems"]
    assert problem["path"].startswith(path)


METHODS = {
    "form to healthz": ("POST", "/healthz", "text/plain", 405),
    "json to readyz": ("POST", "/readyz", "application/json", 405),
    "put": ("PUT", "/system/start", "text/plain", 405),
    "head": ("HEAD", "/system/start", "", 405),
    "head of healthz": ("HEAD", "/healthz", "", 405),
    "options": ("OPTIONS", "/system/start", "", 405),
    "patch": ("PATCH", "/healthz", "application/json", 405),
    "odd": ("BREW", "/system/start", "", 405),
    "unknown verb": ("POST", "/system/stop", "text/plain", 405),
    "unknown, read": ("GET", "/system/../etc/passwd", "", 404),
    "below": ("POST", "/system/start/x", "application/json", 404),
    "form": ("POST", "/system/start", "text/plain", 415),
}


@pytest.mark.parametrize(("method", "path", "kind", "status"), METHODS.values(), ids=METHODS)
def test_the_method_counts_first(http: TestClient, method: str, path: str, kind: str, status: int) -> None:
    answer = http.request(method, path, content=b"{}" if kind else None, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == status
    if method != "HEAD":
        assert answer.json()["status"] == "error"


def test_a_body_of_a_get(http: TestClient) -> None:
    assert http.request("GET", "/healthz", content=b"{" * 100).status_code == 200
    assert http.request("GET", "/healthz", content=b"x" * (2 << 20)).status_code == 413


@pytest.mark.parametrize("size", ["-1", "+1", "1e3", "0x10", "", " ", "\xb2", "9" * 5000, "1, 1"])
def test_a_length_is_a_number(http: TestClient, size: str) -> None:
    answer = http.post(
        "/system/status", content=iter([b"{}"]), headers=[TYPE, (b"Content-Length", size.encode("latin-1"))],
    )  # fmt: skip
    assert answer.status_code in (400, 413)


def test_a_guid_belongs_to_one_name(post: Post) -> None:
    first = {"name": "shop", "system": WEB, "tycho-guid": GUID}
    post("start", first)
    refused = post("start", {**first, "name": "other"}, 409).json()
    assert refused["result"]["error"] == "Conflict"
    assert "shop" in refused["message"]
    assert [system["name"] for system in post("status", {}).json()["result"]] == ["shop"]
    assert post("start", first).json()["result"]["sid"] == GUID


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server's folders, which no answer may name."""
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "of the server" / name))
    settings.cache_clear()
    return tmp_path / "of the server"


CONFIG = """
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]
"""
NO_CLUSTER = {
    "nothing": "",
    "no YAML": "{",
    "no context": "current-context: x",
    "no base64": CONFIG + "users: [{name: u, user: {client-key-data: '!'}}]",
    "no server": CONFIG.replace("http", "gopher") + "users: [{name: u}]",
    "a plugin": CONFIG + "users: [{name: u, user: {exec: {command: /none, apiVersion: x}}}]",
}


@pytest.mark.parametrize("verb", ["status", "start", "delete"])
@pytest.mark.parametrize("text", NO_CLUSTER.values(), ids=NO_CLUSTER)
def test_no_cluster_shows_no_path(hidden: Path, promise: Promise, verb: str, text: str) -> None:
    kubeconfig = hidden / "kubeconfig"
    if text:
        kubeconfig.parent.mkdir(parents=True)
        kubeconfig.write_text(text)
    target = orchestrators.Target(kubeconfig=str(kubeconfig))
    app = create_app(Lifecycle(orchestrators.get("helm", target), target))
    body = {"status": {}, "start": {"name": "a", "system": WEB}, "delete": {"name": "a"}}[verb]
    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = client.post(f"/system/{verb}", json=body)
    assert answer.status_code in (400, 502)
    assert "of the server" not in answer.text
    assert "kubeconfig" in answer.text or "cluster" in answer.text
    promise.kept(answer, f"/system/{verb}")


def test_a_broken_policy_shows_no_path(tmp_path: Path) -> None:
    (tmp_path / "50-broken.yaml").write_text("- {")
    lifecycle = memory()
    lifecycle.policies = (tmp_path,)
    with TestClient(create_app(lifecycle), base_url="http://127.0.0.1") as client:
        answer = client.post("/system/compile", json={"name": "a", "system": WEB})
    assert answer.status_code == 500
    assert str(tmp_path) not in answer.text
    assert "50-broken.yaml" in answer.text
