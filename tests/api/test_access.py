"""Who may, over HTTP: tokens with scopes, a proxy's header, and what each caller sees of the systems of others."""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.conftest import TYCHO, memory
from tycho.access import Authority, Proxy, TokenFile
from tycho.access.bound import VERBS, WITHHELD
from tycho.access.proxy import read_networks
from tycho.api import create_app
from tycho.lifecycle import Lifecycle
from tycho.usernames import user_label

SYSTEM = {"services": {"web": {"image": "nginx:1"}}}
SCOPES = {
    "ada": ["systems:*!user=me"],
    "a@b.org": ["systems:*!user=me"],
    "viewer": ["systems:status"],
    "tutor": ["systems:status", "systems:delete!user=me"],
    "portal": ["systems:*"],
    "starter": ["systems:start!user=me"],
    "heart": ["systems:touch"],
}
ANY = "0.0.0.0"  # noqa: S104 - what is refused without knowing who asks
Ask = Callable[..., Response]


def write_tokens(path: Path) -> Path:
    tokens = {
        f"t{number}": {"hash": f"sha256:{hashlib.sha256(name.encode()).hexdigest()}", "user": name, "scopes": scopes}
        for number, (name, scopes) in enumerate(SCOPES.items())
    }
    path.write_text(json.dumps({"tokens": tokens}))
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    tokens = TokenFile(write_tokens(tmp_path_factory.mktemp("access") / "tokens"))
    proxy = Proxy("X-Remote-User", read_networks(["10.0.0.0/8"]))
    return Authority(
        tokens=tokens, proxy=proxy, namespaces=["lab", "home-{user}", "team-*"], own_namespace="team-tycho"
    )


@pytest.fixture(scope="module")
def client(authority: Authority) -> Iterator[TestClient]:
    with TestClient(create_app(memory(), authority), base_url="http://tycho.example") as client:
        yield client


@pytest.fixture
def ask(client: TestClient) -> Iterator[Ask]:
    def send(token: str, verb: str, status: int = 200, query: str = "", **body: Any) -> Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = client.post(f"/system/{verb}{query}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer

    yield send
    for system in send("portal", "status").json()["result"]:
        send("portal", "delete", name=system["sid"], force=True)


def start(ask: Ask, token: str, name: str = "shop", **body: Any) -> str:
    sid: str = ask(token, "start", name=name, system=SYSTEM, **body).json()["result"]["sid"]
    return sid


def seen(ask: Ask, token: str, **body: Any) -> list[str]:
    return [system["username"] for system in ask(token, "status", **body).json()["result"]]


def test_every_verb_has_a_right_or_is_withheld() -> None:
    public = {name for name in dir(Lifecycle) if not name.startswith("_")}
    assert public == {*VERBS, *WITHHELD, "now"}  # which tells nothing of systems


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YWRhOmFkYQ==", "Bearer nobody", "ada", "Bearer ada ada", "Bearer \xff"]
)
def test_who_is_not_known_is_told_what_to_do(client: TestClient, header: str) -> None:
    headers = [(b"authorization", header.encode("latin-1"))] if header else []
    for path in ("/system", "/system/x", "/system/x/logs", "/nothing", "/healthz/"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["result"]["error"] == "Unauthorized"
        assert "Authorization: Bearer" in answer.json()["result"]["hint"]
        assert answer.headers["X-Request-Id"]
    assert client.post("/healthz", headers=headers).status_code == 401
    assert [client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics", "/docs")] == [200] * 4


def test_two_tokens_are_none(client: TestClient) -> None:
    twice = [("Authorization", "Bearer ada"), ("Authorization", "Bearer portal")]
    assert client.get("/system", headers=twice).status_code == 401


def test_each_sees_and_removes_his_own(ask: Ask, client: TestClient) -> None:
    mine, theirs = start(ask, "ada"), start(ask, "a@b.org")
    assert seen(ask, "ada") == ["ada"]
    assert seen(ask, "a@b.org") == ["a@b.org"]
    assert seen(ask, "viewer") == seen(ask, "portal") == ["ada", "a@b.org"]
    assert seen(ask, "portal", username="a@b.org") == ["a@b.org"]
    for verb in ("history", "logs", "events", "rollback", "restart", "delete"):
        answer = ask("ada", verb, 404, name=theirs, **({"force": True} if verb == "delete" else {}))
        assert "a@b.org" not in answer.text
        assert user_label("a@b.org") not in answer.text
    routes = client.get("/openapi.json", headers={"Authorization": "Bearer portal"}).json()["paths"]
    addresses = [path for path, operations in routes.items() if path.startswith("/system/{id}") and "get" in operations]
    assert len(addresses) >= 8
    for path in addresses:
        answer = client.get(path.format(id=theirs, revision=1), headers={"Authorization": "Bearer ada"})
        assert answer.status_code == 404, path
    ask("ada", "delete", name=mine)
    assert seen(ask, "portal") == ["a@b.org"]


def test_the_identity_of_another_cannot_be_taken(ask: Ask) -> None:
    theirs = start(ask, "a@b.org")
    answer = ask("ada", "start", 409, name="shop", system=SYSTEM, replace=True, **{"tycho-guid": theirs})
    assert answer.json()["result"]["error"] == "Conflict"
    assert seen(ask, "portal") == ["a@b.org"]


def test_a_name_in_a_request_is_the_callers_own(ask: Ask) -> None:
    ask("ada", "start", 403, name="shop", system=SYSTEM, username="bob")
    start(ask, "ada", username="ada")
    assert start(ask, "portal", username="bob")
    assert seen(ask, "portal") == ["ada", "bob"]


def test_what_is_missing_is_named(ask: Ask) -> None:
    sid = start(ask, "ada")
    assert "systems:start is missing" in ask("viewer", "start", 403, name="x", system=SYSTEM).text
    assert "systems:status is missing" in ask("starter", "status", 403).text
    assert "systems:delete is missing" in ask("viewer", "delete", 403, name=sid).text


def test_a_token_may_say_of_use_alone(ask: Ask, client: TestClient) -> None:
    sid = start(ask, "ada")
    touch = f"/system/{sid}/touch"
    heart = {"Authorization": "Bearer heart"}
    assert client.post(touch, json={}, headers=heart).status_code == 409  # it is somebody else's
    assert client.post(touch, json={"force": True}, headers=heart).json()["result"]["sid"] == sid
    assert client.post(touch, json={}, headers={"Authorization": "Bearer a@b.org"}).status_code == 404
    assert client.post(touch, json={}, headers={"Authorization": "Bearer viewer"}).status_code == 403
    assert "systems:delete is missing" in ask("heart", "delete", 403, name=sid).text


def test_what_may_be_looked_at_is_refused_not_hidden(ask: Ask, client: TestClient) -> None:
    theirs = start(ask, "ada")
    assert seen(ask, "tutor") == ["ada"]
    assert "tutor may not delete systems of others" in ask("tutor", "delete", 403, name=theirs).text
    headers = {"Authorization": "Bearer tutor"}
    assert client.delete(f"/system/{theirs}", headers=headers).status_code == 403
    several = client.delete(f"/system?id={theirs}&id=nowhere", headers=headers).json()["result"]
    assert [entry["error"] for entry in several] == ["Forbidden", "NotFound"]
    assert seen(ask, "portal") == ["ada"]


def test_only_listed_namespaces_are_named(ask: Ask) -> None:
    for namespace in ("kube-system", "default", "team-tycho", "home-bob", "labs"):
        answer = ask("ada", "status", 403, f"?namespace={namespace}")
        assert "name one of: lab, home-ada, team-*" in answer.text
    ask("ada", "start", query="?namespace=home-ada", name="shop", system=SYSTEM)
    ask("ada", "start", query="?namespace=lab", name="shop", system=SYSTEM)
    systems = ask("ada", "status", query="?namespace=lab").json()["result"]
    assert [system["namespace"] for system in systems] == ["lab"]
    assert len(seen(ask, "ada")) == 2


def test_a_proxy_is_believed_and_nobody_else(ask: Ask, authority: Authority, client: TestClient) -> None:
    start(ask, "ada")
    names = ["X-Remote-User", "x-remote-user", "X_Remote_User", "X-Remote_User"]
    for name in names:
        assert client.get("/system", headers={name: "ada"}).status_code == 401
        forged = client.get("/system", headers={name: "portal", "Authorization": "Bearer a@b.org"})
        assert forged.json()["result"]["items"] == []
    through = TestClient(client.app, base_url="http://tycho.example", client=("10.0.0.9", 1))
    answer = through.get("/system", headers={"X-Remote-User": "ada"})
    assert [system["username"] for system in answer.json()["result"]["items"]] == ["ada"]
    assert through.get("/system").status_code == 401
    assert through.get("/system", headers=[("X-Remote-User", "ada"), ("x-remote-user", "eve")]).status_code == 401
    assert through.get("/system", headers={"X_Remote_User": "ada"}).status_code == 401


def test_who_did_what_is_on_record(ask: Ask, client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    secret = {"services": {"web": {"image": "nginx:1", "environment": {"PASSWORD": "hunter2"}}}}
    with caplog.at_level(logging.INFO, "tycho.audit"):
        headers = {"Authorization": "Bearer a@b.org", "X-Request-Id": "r-1"}
        answer = client.post("/system/start", json={"name": "shop", "system": secret}, headers=headers)
        sid = answer.json()["result"]["sid"]
        ask("ada", "delete", 404, name=sid)
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "tycho.audit"]
    assert [(line["who"], line["verb"], line["outcome"]) for line in lines] == [
        ("a@b.org", "start", "success"), ("ada", "delete", "NotFound"),
    ]  # fmt: skip
    assert lines[0]["request_id"] == "r-1"
    assert lines[0]["system"] == f"shop-{sid}"
    assert "hunter2" not in caplog.text
    (revision,) = ask("a@b.org", "history", name=sid).json()["result"]
    assert revision["description"] == "start by a@b.org (request r-1)"


def test_too_much_is_too_much(tmp_path: Path) -> None:
    authority = Authority(tokens=TokenFile(write_tokens(tmp_path / "tokens")), rate=1, clock=lambda: 0.0)
    client = TestClient(create_app(memory(), authority))
    codes = [client.get("/nothing", headers={"Authorization": "Bearer ada"}) for _ in range(3)]
    assert [response.status_code for response in codes] == [404, 404, 429]
    assert codes[-1].headers["Retry-After"] == "1"
    assert client.get("/nothing", headers={"Authorization": "Bearer portal"}).status_code == 404
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--host", ANY], "start systems"),
        (["--host", ANY, "--plain-http"], "start systems"),
        (["--host", ANY, "--tokens", "TOKENS"], "tokens travel unencrypted"),
        (["--tls-cert", "x"], "its key"),
        (["--client-ca", "x"], "over TLS alone"),
        (["--proxy-header", "X-User"], "any caller could use any name"),
        (["--proxy-header", "Host", "--trust-proxy", "10.0.0.1"], "cannot name a user"),
        (["--namespaces", "kube-system"], "no caller may name"),
        (["--tls-cert", "TOKENS", "--tls-key", "TOKENS"], "cannot be used"),
    ],
)
def test_what_would_let_anybody_in_is_refused(tmp_path: Path, options: list[str], expected: str) -> None:
    tokens = write_tokens(tmp_path / "tokens")
    argv = [str(tokens) if option == "TOKENS" else option for option in options]
    done = subprocess.run([TYCHO, "api", "-b", "memory", *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert expected in done.stderr


def test_a_principal_is_nobody_where_callers_prove_who_they_are(ask: Ask) -> None:
    start(ask, "ada", principal=json.dumps({"username": "a@b.org", "access_token": "portal"}))
    (system,) = ask("portal", "status").json()["result"]
    assert system["username"] == "ada"
