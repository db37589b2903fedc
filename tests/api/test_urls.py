"""The URL of a system, as the service tells of it: in answers, in events, and to each of its clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import WEB, memory
from tests.api.test_watching import events
from tycho.api import create_app
from tycho.urls import read_options
from tycho.wire import read_system, to_release


@pytest.fixture(scope="module")
def routed() -> Iterator[TestClient]:
    lifecycle = memory()
    lifecycle.urls = read_options({"TYCHO_URL_TEMPLATE": "https://{service}.{guid}.example.org/"})
    with TestClient(create_app(lifecycle), base_url="http://127.0.0.1") as client:
        yield client


def test_answers_and_events_have_the_url(routed: TestClient) -> None:
    started = routed.post("/system", json={"name": "shop", "system": WEB}).json()["result"]
    url = f"https://web.{started['sid']}.example.org/"
    assert started["url"] == url
    system = routed.get(f"/system/{started['sid']}").json()["result"]
    assert [service["url"] for service in system["services"]] == [url]
    assert events(routed.get(f"/system/{started['sid']}/events").text)[-1]["data"]["url"] == url
    assert to_release(read_system(system)).url == url
    (listed,) = routed.get("/system").json()["result"]["items"]
    assert listed["url"] == url


def test_the_same_start_again(routed: TestClient) -> None:
    """With a URL in its values, a repeated start is the same start."""
    request = {"name": "again", "system": WEB}
    first, second = (
        routed.post("/system", json=request, headers={"Idempotency-Key": "one"}).json()["result"] for _ in range(2)
    )
    assert first["sid"] == second["sid"]
    assert second["revision"] == 1
