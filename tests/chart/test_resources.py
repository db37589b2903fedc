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
    """Fate and reason of each row of the service."""
    report = bench.chart(SERVICE.format(keys)).report
    return {row.path.removeprefix("services.web."): (row.fate, row.reason) for row in report}


@pytest.mark.parametrize(("size", "quantity"), [("10G", "10Gi"), ("1.5g", "1536Mi"), ("500", "500")])
def test_storage(bench: Bench, size: str, quantity: str) -> None:
    assert resources(bench, f"storage_opt: {{size: {size}}}") == {"limits": {"ephemeral-storage": quantity}}
    assert rows(bench, f"storage_opt: {{size: {size}}}")["storage_opt"][0] == "approximated"


def test_storage_of_no_size(bench: Bench) -> None:
    assert resources(bench, "storage_opt: {dm.basesize: 10G}") == {}
    assert rows(bench, "storage_opt: {dm.basesize: 10G}")["storage_opt.dm.basesize"][0] == "ignored"
    with pytest.raises(ComposeError) as caught:
        bench.chart(SERVICE.format("storage_opt: {size: large}"))
    assert [(one.path, one.message) for one in caught.value.problems] == [
        ("services.web.storage_opt.size", '"large" is not a size')
    ]
