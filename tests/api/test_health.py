"""What those ask who keep the service alive: it answers cheaply, counts rightly, and says when it is about to end."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import WEB, memory, serving
from tycho.api import create_app
from tycho.api.metrics import BOUNDS, CONTENT_TYPE
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Target
from tycho.orchestrators.helm import HelmOrchestrator

SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>[^}]*(?:\{[^}]*\}[^}]*)*)\})? (?P<value>\S+)")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parse(text: str) -> tuple[dict[str, str], Samples]:
    """Prometheus' text format: the type of each family, and the value of each sample; anything else fails."""
    types: dict[str, str] = {}
    samples: Samples = {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            name, kind = line.removeprefix("# TYPE ").split(" ")
            assert name not in types
            types[name] = kind
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        labels, unlabelled = LABEL.findall(sample["labels"] or ""), LABEL.sub("", sample["labels"] or "")
        assert unlabelled == "", line
        family = next(
            (known for known in types if re.fullmatch(f"{known}(_bucket|_sum|_count)?", sample["name"])), None
        )
        assert family == list(types)[-1], f"{line} is not with its family"
        key = sample["name"], frozenset(labels)
        assert key not in samples
        samples[key] = float(sample["value"])
    return types, samples


def labelled(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


@pytest.fixture
def fresh() -> Any:
    """A service that nobody has asked anything."""
    with TestClient(create_app(memory()), base_url="http://127.0.0.1") as client:
        yield client


def test_metrics_count_what_was_asked(fresh: TestClient) -> None:
    started = fresh.post("/system/start", json={"name": "shop", "system": WEB}).json()["result"]
    for _ in range(3):
        fresh.post("/system/status", json={})
    fresh.post("/system/status", json={"nmae": "typo"})
    fresh.get(f"/system/{started['sid']}")
    for path in ("/nowhere", f"/nothing/{started['sid']}", "/%22odd%0A%7B%7D"):
        fresh.get(path)
    answer = fresh.get("/metrics")
    assert answer.headers["content-type"] == CONTENT_TYPE
    types, samples = parse(answer.text)
    assert types["tycho_requests_total"] == "counter"
    assert types["tycho_request_duration_seconds"] == "histogram"
    counts = {key[1]: value for key, value in samples.items() if key[0] == "tycho_requests_total"}
    assert counts == {
        labelled(route="/system/start", method="POST", status="200"): 1,
        labelled(route="/system/status", method="POST", status="200"): 3,
        labelled(route="/system/status", method="POST", status="422"): 1,
        labelled(route="/system/{id}", method="GET", status="200"): 1,
        labelled(route="", method="GET", status="404"): 3,
    }
    assert samples["tycho_requests_in_progress", frozenset()] == 1  # the one that reads them
    assert not {"shop", started["sid"]} & set(re.findall(r"[\w-]+", answer.text))
    where = {"route": "/system/status", "method": "POST"}
    steps = [
        samples["tycho_request_duration_seconds_bucket", labelled(**where, le=le)] for le in (*map(str, BOUNDS), "+Inf")
    ]
    assert steps == sorted(steps)
    assert steps[-1] == samples["tycho_request_duration_seconds_count", labelled(**where)] == 4
    assert samples["tycho_request_duration_seconds_sum", labelled(**where)] > 0


def test_a_method_of_ones_own_makes_no_new_series(fresh: TestClient) -> None:
    for number in range(3):
        fresh.request(f"BREW{number}", "/healthz")
    counted = {key[1] for key in parse(fresh.get("/metrics").text)[1] if key[0] == "tycho_requests_total"}
    assert {dict(labels)["method"] for labels in counted} == {"other"}


@pytest.mark.xdist_group("cluster")
def test_readiness_costs_one_request(kubeconfig: Path) -> None:
    target = Target(kubeconfig=str(kubeconfig))
    lifecycle = Lifecycle(HelmOrchestrator(target), target)
    assert isinstance(lifecycle.orchestrator, HelmOrchestrator)
    with TestClient(create_app(lifecycle), base_url="http://127.0.0.1") as client:
        lists, call = [], lifecycle.orchestrator.api.call

        async def counted(method: str, path: str, *arguments: Any, **more: Any) -> Any:
            lists.append(path)
            return await call(method, path, *arguments, **more)

        lifecycle.orchestrator.api.call = counted  # type: ignore[method-assign]
        assert client.get("/readyz").status_code == 200
        assert [path for path in lists if path == "/version"] == ["/version"]
        lists.clear()
        assert client.get("/healthz").status_code == 200
        _, samples = parse(client.get("/metrics").text)
        assert lists == []
        assert samples["tycho_systems_at_work", frozenset()] == 0


def test_who_reaches_no_cluster_lives_and_is_not_ready() -> None:
    target = Target(kubeconfig="/nonexistent/kubeconfig")
    with TestClient(create_app(Lifecycle(HelmOrchestrator(target), target)), base_url="http://127.0.0.1") as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code >= 500
        assert client.get("/metrics").status_code == 200


def await_status(url: str, expected: int) -> httpx2.Response:
    while (answer := httpx2.get(url)).status_code != expected:
        assert answer.status_code in (200, expected)
    return answer


def test_one_that_is_about_to_end_says_so_and_still_answers() -> None:
    with serving("-b", "memory", TYCHO_API_DRAIN="600") as service:
        assert httpx2.get(f"{service.url}/readyz").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        ending = await_status(f"{service.url}/readyz", 503).json()
        assert ending["message"] == "the service is ending (ask another replica)"
        assert httpx2.get(f"{service.url}/healthz").status_code == 200
        body = {"name": "shop", "system": WEB}
        assert httpx2.post(f"{service.url}/system/start", json=body).status_code == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0


def test_without_a_drain_it_ends_at_once() -> None:
    with serving("-b", "memory") as service:
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
