"""values.schema.json: what is misspelt, or would do nothing, fails when it is set."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.test_overrides import SYSTEM


@pytest.fixture(scope="module")
def chart(bench: Any) -> Any:
    return bench.chart(SYSTEM, {"web.env": "FILED=x\n"})


TYPOS = (
    "env.TGA=1", "services.wbe.image=x", "services.web.imgae=x", "services.web.replica=1", "services.web.toleration=x",
    "services.web.publish.port2=1", "services.web.publish.ports.tcp-80.target=1", "services.web.pullPolicy=Sometimes",
    "services.web.publish.type=Balancer", "services.web.resources.limit.cpu=1", "common.tolerance=x",
    "common.publish.kind=x", "common.podLabel.x=1", "volumes.data.sise=1", "volumes.dat.size=1",
    "secrets.token.vaule=x", "dns.scoop=release", "dns.scope=cluster", "networkPolicy.enable=true",
    "networkPolicy.apiServer.cidr=x", "ingress.host=x", "ingress.hosts[0].hots=x",
    "ingress.hosts[0].paths[0].pathtype=x",
    "httpRoute.parentRef=x",
    "test.images=x", "wait.img=x", "tycho.name=x", "podSecurity=tight", "nonsense=1", "fullNameOverride=x",
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
        "web.shmSize=1m", "web.preStart[0].command[0]=x", "web.envFile.A=1", "web.secretEnvironment.A=1",
        "web.environmentPass[0]=A", "side.nodeSelector.a=b", "side.replicas=2", "side.hostname=x", "job.replicas=2",
        "every.replicas=2",
    ],
)  # fmt: skip
def test_a_key_that_would_do_nothing_fails(bench: Any, key: str) -> None:
    done = bench.run(bench.chart(IDLE), {}, "--set", f"services.{key}")
    assert done.returncode != 0
    assert f"'{key.split('.')[1].partition('[')[0].partition('=')[0]}' not allowed" in done.stderr
