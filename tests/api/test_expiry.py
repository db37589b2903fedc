"""The time of systems, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import WEB, Promise, memory
from tycho.api import create_app
from tycho.settings import settings

TIMED = {**WEB, "x-tycho": {"ttl": "8h", "idle": {"after": "2h"}}}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A service that looks at once, and again and again."""
    monkeypatch.setenv("TYCHO_API_REAP", "0.01")
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_a_start_says_how_long_it_runs(http: TestClient) -> None:
    system = http.post("/system", json={"name": "timed", "system": TIMED}).json()["result"]
    assert (system["expiry"]["ttl"], system["expiry"]["idle"], system["expiry"]["expire"]) == (28800, 7200, "pause")
    length = datetime.fromisoformat(system["expires"]) - datetime.fromisoformat(system["expiry"]["started"])
    assert length == timedelta(hours=8)
    longer = http.post("/system", json={"name": "timed", "system": TIMED, "ttl": "2d"})
    assert longer.json()["result"]["expiry"]["ttl"] == 172800
    assert "expires in 2 d, or when it was not used for 2 h; then it is paused" in longer.json()["result"]["notes"]
    wrong = http.post("/system", json={"name": "timed", "system": TIMED, "ttl": "soon"})
    assert wrong.status_code == 400
    assert wrong.json()["message"].startswith('ttl: "soon" is not a time that a system may run')


def test_a_touch_says_that_it_is_used(http: TestClient, promise: Promise) -> None:
    before = http.post("/system", json={"name": "touched", "system": TIMED}).json()["result"]
    answer = http.post(f"/system/{before['sid']}/touch", json={})
    promise.kept(answer, "/system/{id}/touch")
    after = answer.json()["result"]
    assert after["idle_since"] > before["idle_since"]
    assert after["expires"] == before["expires"]
    moment = {"moment": datetime.now(UTC).isoformat()}
    assert http.post(f"/system/{before['sid']}/touch", json=moment).status_code == 200
    assert http.post(f"/system/{before['sid']}/touch", json={"moment": "2026-11-27T12:00:00"}).status_code == 422
    assert http.post("/system/nobody/touch", json={}).status_code == 404


@pytest.mark.usefixtures("hasty")
def test_the_service_ends_what_is_over() -> None:
    lifecycle = memory()

    async def look_until_paused(guid: str) -> None:
        async with asyncio.timeout(30), aclosing(lifecycle.follow([guid])) as looks:
            async for (release,) in looks:
                if release.state == "paused":
                    return

    with TestClient(create_app(lifecycle), base_url="http://127.0.0.1") as http:
        endless = http.post("/system", json={"name": "endless", "system": WEB}).json()["result"]
        short = http.post("/system", json={"name": "short", "system": WEB, "ttl": "1s"}).json()["result"]
        asyncio.run(look_until_paused(short["sid"]))
        states = {row["name"]: row["state"] for row in http.get("/system").json()["result"]["items"]}
        assert states == {"endless": "deployed", "short": "paused"}
        assert http.get(f"/system/{endless['sid']}").json()["result"]["expires"] is None
