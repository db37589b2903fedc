"""What a request may get wrong: 4xx, the envelope, and what to write instead."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.api.conftest import WEB, Post, Promise, Service, serving
from tycho.api.guard import MAX_BODY
from tycho.client import TychoClient

START: dict[str, Any] = {"name": "shop", "system": WEB}
WRONG = {
    "no name": ("start", {"system": WEB}, 422, "name: is missing"),
    "unknown key": ("start", {**START, "sytem": {}}, 422, "sytem: no such key"),
    "name": ("start", {**START, "name": "../shop"}, 422, "name: "),
    "option for a name": ("delete", {"name": "--all"}, 422, "name: "),
    "system is text": ("start", {**START, "system": "services: {}"}, 422, "system: input should be"),
    "no system": ("start", {**START, "system": {}}, 422, "system: "),
    "port": ("start", {**START, "services": {"web": {"port": 65536}}}, 422, "services.web.port: "),
    "bool for a port": ("start", {**START, "services": {"web": {"port": True}}}, 422, "services.web.port: "),
    "client": (
        "start",
        {**START, "services": {"web": {"clients": ["::/0", "all"]}}},
        422,
        "services.web.clients[1]: 'all'",
    ),
    "metadata key": ("start", {**START, "services": {"web": {"prot": 80}}}, 422, "services.web.prot: no such key"),
    "username": ("start", {**START, "username": "a\nb"}, 422, "username: "),
    "account": ("start", {**START, "serviceaccount": "cluster-admin"}, 403, "cluster-admin is no account"),
    "account name": ("start", {**START, "serviceaccount": "Cluster_Admin"}, 422, "serviceaccount: "),
    "guid": ("start", {**START, "tycho-guid": "1"}, 422, "tycho-guid: "),
    "env": ("start", {**START, "env": {"A": ["b"]}}, 422, "env.A: "),
    "env name": ("start", {**START, "env": {"A=B": "c"}}, 422, "env."),
    "revision": ("rollback", {"name": "shop", "revision": -1}, 422, "revision: "),
    "compose": ("start", {**START, "system": {"services": {"web": {"image": 1}}}}, 422, "services.web.image: "),
    "a file of the service": ("start", {**START, "system": {"include": ["/etc/passwd"]}}, 422, "include: "),
    "no such system": ("delete", {"name": "nowhere"}, 404, 'no system "nowhere" runs here'),
    "no history": ("history", {"name": "nowhere"}, 404, 'no system "nowhere" runs here'),
    "no status": ("status", {"name": "nowhere"}, 404, 'no system "nowhere" runs here'),
}


@pytest.mark.parametrize(("verb", "body", "status", "expected"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_says_what_is_wrong(post: Post, verb: str, body: object, status: int, expected: str) -> None:
    answer = post(verb, body, status).json()
    assert expected in answer["message"]
    assert post("status", {}).json()["result"] == []


def test_all_problems_of_a_document_come_at_once(post: Post) -> None:
    system = {"services": {f"s{i}": {"image": "a", "ports": ["80:eighty"]} for i in range(7)}}
    answer = post("start", {**START, "system": system}, 422).json()
    assert [problem["path"] for problem in answer["result"]["problems"]] == [
        f"services.s{i}.ports[0]" for i in range(7)
    ]
    assert all(problem["hint"] for problem in answer["result"]["problems"])
    assert answer["message"].startswith("7 problems: services.s0.ports[0]: ")
    assert answer["message"].endswith("and 2 more")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b'"text"', b"1" * 5000])
def test_a_body_that_is_no_message(http: TestClient, promise: Promise, body: bytes) -> None:
    answer = http.post("/system/start", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    promise.kept(answer, "/system/start")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PUT", "/system/start", 405), ("GET", "/system/start", 404), ("GET", "/nowhere", 404), ("POST", "/x", 404)],
)
def test_a_wrong_address_gets_the_envelope_too(http: TestClient, method: str, path: str, status: int) -> None:
    answer = http.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == status
    assert answer.json()["status"] == "error"
    assert answer.json()["message"]


def test_a_body_has_a_limit_whether_it_says_its_size_or_not(http: TestClient) -> None:
    large = b'{"name": "' + b"a" * MAX_BODY + b'"}'
    headers = {"Content-Type": "application/json"}
    for body in (large, iter([large[:1000], large[1000:]])):
        answer = http.post("/system/delete", content=body, headers=headers)
        assert answer.status_code == 413
        assert answer.json()["status"] == "error"


def test_a_real_server_tells_even_those_who_send_too_much(service: Service) -> None:
    address = urlsplit(service.url)
    head = "POST /system/start HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(head.format(address.netloc, MAX_BODY + 1).encode())
        assert connection.recv(12) == b"HTTP/1.1 413"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["shop", "web", "80"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("name", "system", "env", "services", "username", "serviceaccount", "tycho-guid", "wait", "revision", "x")


@settings(max_examples=150)
@given(
    st.sampled_from(["start", "status", "delete", "history", "rollback", "compile"]),
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5),
)
def test_no_message_makes_the_service_stumble(
    http: TestClient, promise: Promise, verb: str, body: dict[str, Any]
) -> None:
    answer = http.post(f"/system/{verb}", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code < 500, answer.text
    promise.kept(answer, f"/system/{verb}")


def test_what_is_unexpected_tells_the_log_and_not_the_caller(tmp_path: Path) -> None:
    (tmp_path / "50-broken.py").write_text("def apply(system):\n    raise SystemExit('the secret')\n")
    with serving("-b", "memory", "--policies", str(tmp_path)) as service:
        answer = TychoClient(service.url).start(START)
    assert answer.status == "error"
    assert "read the service's log" in answer.message
    assert "the secret" in "".join(service.log)
    assert "the secret" not in answer.message


@pytest.mark.parametrize(
    "keys",
    [
        {"cap_add": ["CAP_ALL"]},
        {"security_opt": ["label=type:spc_t"]},
        {"labels": {"container.apparmor.security.beta.kubernetes.io/web": "unconfined"}},
        {"network_mode": " Host"},
        {"sysctls": {"kernel.msgmax": "1"}},
        {"privileged": True, "x-tycho": {"grants": ["*"]}},
    ],
)
def test_rights_in_another_spelling(post: Post, keys: dict[str, Any]) -> None:
    system = {"services": {"web": {"image": "nginx", **keys}}}
    answer = post("start", {"name": "climber", "system": system}, 403).json()
    assert answer["result"]["error"] == "PolicyDenied"
    assert answer["result"]["problems"]
