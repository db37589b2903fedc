"""Both clients against the installed command: one suite, called and awaited."""

from __future__ import annotations

import asyncio
import http.server
import inspect
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import WEB, Service
from tycho import errors
from tycho.client import AsyncTychoClient, Progress, TychoClient
from tycho.client.credentials import is_private
from tycho.errors import NotFound, TychoError, Unauthorized, UsageError
from tycho.settings import settings

PLANTED = "planted-3f9a17"


class Blocking:
    """A client whose verbs are called, whichever it is.

    The awaited one opens an event loop for each verb, and its watch is read to the end.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            given = found(*args, **kwargs)
            if inspect.isasyncgen(given):
                return asyncio.run(collect(given))
            return asyncio.run(wait(given)) if inspect.isawaitable(given) else given

        return call


async def wait(given: Any) -> Any:
    return await given


async def collect(given: Any) -> list[Any]:
    return [item async for item in given]


Make = Callable[..., Blocking]


@pytest.fixture(params=[TychoClient, AsyncTychoClient])
def make(request: pytest.FixtureRequest) -> Make:
    return lambda *args, **kwargs: Blocking(request.param(*args, **kwargs))


@pytest.fixture
def client(make: Make, service: Service) -> Iterator[Blocking]:
    client = make(url=service.url)
    yield client
    client.down(client.list(terse=True))


@contextmanager
def canned(*replies: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, list[Any]]]:
    """A service that gives one reply after the other, and keeps what it was asked."""
    seen: list[Any] = []
    left = list(replies)

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((self.command, self.path, dict(self.headers)))
            status, headers, body = left.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    for method in ("GET", "POST", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def envelope(result: Any = None, **more: Any) -> bytes:
    return json.dumps({"status": "success", "result": result, "message": "", **more}).encode()


def failure(kind: str) -> bytes:
    return envelope({"error": kind, "message": "no"}, status="error", message="no")


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
    assert [(one["revision"], one["done"]) for one in client.revisions(first)] == [(1, True)]
    assert client.values(first) == client.values(first, revision=1)
    assert client.values(first, all=True)["services"]["web"]["replicas"] == 1
    assert client.report(first) == []
    assert "nginx" in client.compose(first)
    assert client.logs(first, ["web"], since="1h", tail=5, timestamps=True) == []
    assert [event["service"] for event in client.events(first)] == ["web"]


def test_a_verb_over_an_address_raises_what_the_service_met(client: Blocking) -> None:
    calls = {
        "system": (), "revisions": (), "values": (), "report": (), "compose": (), "logs": (), "events": (),
    }  # fmt: skip
    for name, rest in calls.items():
        with pytest.raises(NotFound, match='no system "nowhere" runs here'):
            getattr(client, name)("nowhere", *rest)
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


def event(kind: str, id: str, **data: Any) -> bytes:
    return f"event: {kind}\nid: {id}\ndata: {json.dumps({'message': kind, **data})}\n\n".encode()


STREAM = {"Content-Type": "text/event-stream"}


def test_a_watch_goes_on_where_it_broke_off(make: Make) -> None:
    one, two = event("progress", "4", percent=50, service="web", why="pulls"), event("ready", "5", percent=100)
    first = b"retry: 0\n\n: heartbeat\n\n" + one + b"event: progress\ndata: {"
    with canned((200, STREAM, first), (200, STREAM, two + one)) as (url, seen):
        told = list(make(url).watch("shop"))
    assert [(progress.kind, progress.id, progress.percent) for progress in told] == [
        ("progress", "4", 50),
        ("ready", "5", 100),
    ]
    assert (str(told[0]), told[0].why, told[0].last, told[1].last) == ("progress", "pulls", False, True)
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
    told: list[Progress] = []
    stream = event("progress", "1") + event("ready", "2")
    replies = [(202, {}, envelope(SYSTEM)), (200, STREAM, stream), (200, {}, envelope(SYSTEM))]
    with canned(*replies) as (url, seen):
        system = make(url).start({"name": "shop", "system": WEB, "wait": True}, on_progress=told.append)
    assert [str(progress) for progress in told] == ["progress", "ready"]
    assert [(method, path) for method, path, _ in seen] == [
        ("POST", "/system?wait=0"), ("GET", "/system/a1/events"), ("GET", "/system/a1"),
    ]  # fmt: skip
    assert seen[0][2]["Idempotency-Key"]
    assert (system.status, system.name, system.services[0].port) == ("success", "shop-a1", "80")
    replies[1] = (200, STREAM, event("failed", "2", why="no such image"))
    with canned(*replies) as (url, _):
        failed = make(url).start({"name": "shop", "system": WEB}, on_progress=told.append)
    assert (failed.status, failed.message, type(failed.error)) == ("error", "no such image", errors.StartFailed)


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets what the process reads of its environment."""

    def set(variables: dict[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    yield set
    monkeypatch.undo()
    settings.cache_clear()


def sent(make: Make, **options: Any) -> str | None:
    with canned((200, {}, envelope([]))) as (url, seen):
        make(url, **options).status()
    found: str | None = seen[0][2].get("Authorization")
    return found


def test_a_token_is_found_where_it_is_kept(make: Make, variables: Callable[..., None], tmp_path: Path) -> None:
    variables({})
    assert sent(make) is None
    file = tmp_path / "token"
    file.write_text("from-file\n")
    variables({"TYCHO_TOKEN_FILE": str(file)})
    assert sent(make) == "Bearer from-file"
    file.write_text("renewed\n")
    assert sent(make) == "Bearer renewed"
    variables({"TYCHO_TOKEN": "from-variable"})
    assert sent(make) == "Bearer from-variable"
    assert sent(make, token=PLANTED) == f"Bearer {PLANTED}"
    assert sent(make, token="") is None
    for path in ("/var/run/secrets/kubernetes.io/serviceaccount/token", str(tmp_path / "none")):
        variables({"TYCHO_TOKEN": "", "TYCHO_TOKEN_FILE": path})
        with pytest.raises(UsageError, match=r"TYCHO_TOKEN_FILE"):
            make("http://127.0.0.1:9").status()


def test_a_token_is_neither_shown_nor_sent_in_the_open(make: Make) -> None:
    client = make("http://192.0.2.1:5000", token=PLANTED)
    assert PLANTED not in repr(client.client) + repr(vars(client.client))
    for call in (client.status, lambda: list(client.watch("shop"))):
        with pytest.raises(UsageError, match="would travel unencrypted to") as caught:
            call()
        assert PLANTED not in str(caught.value) + caught.value.hint
    with pytest.raises(UsageError) as caught:
        make("http://127.0.0.1:9", token=f"{PLANTED}\r\nX-Other: 1").status()
    assert PLANTED not in str(caught.value)
    private = {"https://a.example": True, "http://localhost:1": True, "http://[::1]:1": True, "http://127.0.0.2": True,
               "http://localhost.example": False, "http://10.0.0.1": False, "http://[::1": False}  # fmt: skip
    assert {url: is_private(url) for url in private} == private


def test_a_borrowed_token_is_renewed_once(make: Make) -> None:
    asked: list[bool] = []

    def borrow(refused: bool) -> str:
        asked.append(refused)
        return "second" if refused else "first"

    with canned((401, {}, failure("Unauthorized")), (200, {}, envelope([]))) as (url, seen):
        assert make(url, borrow=borrow).status().status == "success"
    assert [headers["Authorization"] for _, _, headers in seen] == ["Bearer first", "Bearer second"]
    assert asked == [False, True]
    with canned(*[(401, {}, failure("Unauthorized"))] * 2) as (url, _):
        assert isinstance(make(url, borrow=borrow).status().error, Unauthorized)
