"""Keys that bound a container: what Kubernetes is told, and what the report says of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.conftest import Bench
from tycho.errors import ComposeError

SERVICE = "services: {{web: {{image: x, {}}}}}"


def resources(bench: Bench, keys: str) -> Any:
    """The resources of the one container."""
    return bench.objects(SERVICE.format(keys)).container("rel-web").get("resources", {})


def rows(bench: Bench, keys: str) -> dict[str, tuple[str, str]]:
    """Outcome and reason of each row of the service."""
    report = bench.chart(SERVICE.format(keys)).report
    return {row.path.removeprefix("services.web."): (row.outcome, row.reason) for row in report}


@pytest.mark.parametrize(
    ("keys", "quantity"),
    [
        ("cpu_quota: 50000", "500m"),
        ("cpu_quota: 20000, cpu_period: 50000", "400m"),
        ("cpu_quota: 300000", "3"),
        ("cpu_quota: 1, cpu_period: 3", "333m"),
        ('cpu_quota: "1000", cpu_period: 1000000', "1m"),
    ],
)
def test_quota(bench: Bench, keys: str, quantity: str) -> None:
    assert resources(bench, keys) == {"limits": {"cpu": quantity}}
    assert {outcome for path, (outcome, _) in rows(bench, keys).items() if path.startswith("cpu_")} == {"translated"}


@pytest.mark.parametrize("keys", ["cpu_period: 50000", "cpu_quota: 0", "cpu_quota: -1, cpu_period: 50000"])
def test_quota_that_bounds_nothing(bench: Bench, keys: str) -> None:
    assert resources(bench, keys) == {}


def test_quota_beside_cpus(bench: Bench) -> None:
    keys = "cpus: 2, cpu_quota: 50000"
    assert resources(bench, keys) == {"limits": {"cpu": "2"}}
    assert rows(bench, keys)["cpu_quota"] == ("ignored", "cpus counts")


@pytest.mark.parametrize(
    ("keys", "requested"),
    [
        ("cpu_shares: 512", "500m"),
        ("cpu_shares: 2048", "2"),
        ("cpu_shares: 1", "1m"),
        ("cpu_shares: 2048, cpus: 0.5", "500m"),
        ("cpu_shares: 2048, cpu_quota: 25000", "250m"),
        ("cpu_shares: 512, deploy: {resources: {reservations: {cpus: '0.1'}}}", "100m"),
    ],
)
def test_shares(bench: Bench, keys: str, requested: str) -> None:
    assert resources(bench, keys)["requests"] == {"cpu": requested}


def test_shares_below_a_limit_that_varies(bench: Bench) -> None:
    keys = 'cpu_shares: 512, cpus: "${CPUS:-1}"'
    assert resources(bench, keys) == {"limits": {"cpu": "1"}}
    assert rows(bench, keys)["cpu_shares"][0] == "ignored"


@pytest.mark.parametrize(("size", "quantity"), [("10G", "10Gi"), ("1.5g", "1536Mi"), ("500", "500")])
def test_storage(bench: Bench, size: str, quantity: str) -> None:
    assert resources(bench, f"storage_opt: {{size: {size}}}") == {"limits": {"ephemeral-storage": quantity}}
    assert rows(bench, f"storage_opt: {{size: {size}}}")["storage_opt"][0] == "approximated"


def test_storage_of_no_size(bench: Bench) -> None:
    assert resources(bench, "storage_opt: {dm.basesize: 10G}") == {}
    assert rows(bench, "storage_opt: {dm.basesize: 10G}")["storage_opt.dm.basesize"][0] == "ignored"
    with pytest.raises(ComposeError) as caught:
        bench.chart(SERVICE.format("storage_opt: {size: large}"))
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [
        ("services.web.storage_opt.size", '"large" is not a size')
    ]
