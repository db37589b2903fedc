"""What a chart is told of its cluster, on a real API server: who answers names there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled
from tycho.lifecycle import Lifecycle

pytestmark = pytest.mark.xdist_group("cluster")
DNS = ("-n", "kube-system", "service", "kube-dns")


@pytest.fixture
def server(kubectl: Kubectl) -> Iterator[str]:
    """The address of a name server, as a cluster that runs pods has one."""
    service = {"metadata": {"name": "kube-dns"}, "spec": {"ports": [{"name": "dns", "port": 53, "protocol": "UDP"}]}}
    kubectl(
        "create", "-n", "kube-system", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "Service", **service})
    )
    yield kubectl("get", *DNS, "-o", "jsonpath={.spec.clusterIP}")
    kubectl("delete", *DNS)


@pytest.mark.parametrize("names", [("web",), ("web", "db")])
def test_in_a_shared_namespace_names_are_asked_of_the_cluster(
    tell: Callable[..., Any], kubectl: Kubectl, shared: str, server: str, names: tuple[str, ...]
) -> None:
    """A system of one service looks nobody up, and its chart has no such setting."""

    async def story(lifecycle: Lifecycle) -> None:
        services = {name: {"image": "x", "ports": ["80"]} for name in names}
        started = await lifecycle.up(compiled(lifecycle, services, "shop"), wait_options=QUICK)
        assert started.ready
        for deployment in json.loads(kubectl("get", "deployments", "-n", shared, "-o", "json"))["items"]:
            config = deployment["spec"]["template"]["spec"].get("dnsConfig", {})
            assert config.get("nameservers", []) == ([server] if len(names) > 1 else [])

    tell(story, shared)
