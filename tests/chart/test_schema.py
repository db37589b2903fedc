"""values.schema.json: what is misspelt, or would do nothing, fails when it is set."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.test_overrides import SYSTEM


@pytest.fixture(scope="module")
def chart(bench: Any) -> Any:
    return bench.chart(SYSTEM, {"web.env": "FILED=x\n"})


TYPOS = (
    "variables.TGA=1", "services.wbe.image.tag=x", "services.web.imgae.tag=x", "services.web.image.tga=x",
    "services.web.image=x", "services.web.replica=1", "services.web.toleration=x",
    "services.web.service.port2=1", "services.web.service.ports.tcp-80.target=1", "defaults.image.pullPolicy=Sometimes",
    "services.web.service.type=Balancer", "services.web.resources.limit.cpu=1", "defaults.tolerance=x",
    "defaults.service.kind=x", "defaults.podLabel.x=1", "defaults.replicas=2", "persistence.data.sise=1",
    "persistence.dat.size=1", "secrets.token.vaule=x", "dns.scoop=release", "dns.scope=cluster",
    "networkPolicy.enable=true", "services.web.ingress.host=x", "services.web.httpRoute.parentRef=x",
    "test.images=x", "tools.img=x", "podSecurity=tight", "nonsense=1", "fullNameOverride=x",
    "extraObject=x", "services.web.automountServiceAccountToken=maybe",
)  # fmt: skip


@pytest.mark.parametrize("typo", TYPOS)
def test_a_typo_fails(bench: Any, chart: Any, typo: str) -> None:
    done = bench.run(chart, {}, "--set", typo)
    assert done.returncode != 0
    assert "don't meet the specifications of the schema" in done.stderr


IDLE = """
services:
  web: {image: x, depends_on: {job: {condition: service_completed_successfully}}}
  side: {image: x, network_mode: "service:web"}
  job: {image: x}
  every: {image: x, deploy: {mode: global}}
"""


@pytest.mark.parametrize(
    "key",
    [
        "side.nodeSelector.a=b", "side.replicas=2", "side.podLabels.a=b", "job.replicas=2", "every.replicas=2",
    ],
)  # fmt: skip
def test_a_key_that_would_do_nothing_fails(bench: Any, key: str) -> None:
    done = bench.run(bench.chart(IDLE), {}, "--set", f"services.{key}")
    assert done.returncode != 0
    name = key.split(".")[1].partition("=")[0]
    assert f"/{name}': value must be 'not used by this service'" in done.stderr
