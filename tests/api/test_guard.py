"""Who may call: programs of this machine, and no page of a browser's."""

from __future__ import annotations

import asyncio
import subprocess

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from tests.api.conftest import TYCHO, Service
from tycho.api.guard import Guard, loopback

ANY = "0.0.0.0"  # noqa: S104 - what must not be bound


def status(http: TestClient, method: str = "POST", path: str = "/system/status", **headers: str) -> int:
    sent = {
        "Content-Type": "application/json",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    answer = http.request(method, path, content="{}" if method == "POST" else None, headers=sent)
    if answer.status_code != 200:
        assert answer.json()["status"] == "error"
    return answer.status_code


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost", "LOCALHOST:1", "[::1]:5000", "127.8.9.1"])
def test_loopback_names_are_answered(http: TestClient, host: str) -> None:
    assert status(http, Host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example:5000", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "[", "[::1",
     "127.0.0.1@evil.example", ANY],
)  # fmt: skip
def test_a_name_that_was_bound_to_this_machine_is_not(http: TestClient, host: str) -> None:
    assert status(http, Host=host) == 403
    assert status(http, "GET", "/docs", Host=host) == 403


def test_a_page_may_call_only_from_here(http: TestClient) -> None:
    assert status(http, Host="localhost:5000", Origin="http://localhost:5000") == 200
    for origin in (
        "http://evil.example",
        "null",
        "http://localhost:3000",
        "http://127.0.0.1:5000",
        "https://localhost",
        "",
    ):
        assert status(http, Host="localhost:5000", Origin=origin) == 403, origin


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp"]
)
def test_a_form_is_no_request(http: TestClient, kind: str) -> None:
    assert status(http, Content_Type=kind) == 415


def test_json_may_name_its_encoding(http: TestClient) -> None:
    assert status(http, Content_Type="Application/JSON; charset=utf-8") == 200


def test_no_browser_is_told_that_it_may(http: TestClient) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST", "Host": "localhost"}
    answer = http.options("/system/start", headers=asked)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert http.get("/docs").headers["Content-Security-Policy"] == "frame-ancestors 'none'"


@pytest.mark.parametrize("host", [ANY, "::", "10.0.0.1", "example.com", ""])
def test_no_other_address_is_bound(host: str) -> None:
    assert not loopback(host)
    done = subprocess.run([TYCHO, "api", "--host", host, "-b", "memory"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "lets anybody on the network start systems" in done.stderr
    assert "127.0.0.1" in done.stderr


def test_a_port_that_is_taken_is_told(service: Service) -> None:
    port = service.url.rpartition(":")[2]
    done = subprocess.run([TYCHO, "api", "-p", port, "-b", "memory"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"cannot listen on 127.0.0.1, port {port}: Address already in use", "  hint: -p names another",
    ]  # fmt: skip


def test_an_unknown_backplane_lists_the_known_ones() -> None:
    done = subprocess.run([TYCHO, "api", "-b", "nomad"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "known: docker, helm, memory" in done.stderr


def test_a_request_has_an_end() -> None:
    async def forever(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    answer = TestClient(Guard(forever, wall=0.01), base_url="http://127.0.0.1").get("/")
    assert answer.status_code == 504
    assert answer.json()["result"]["error"] == "WaitTimeout"
