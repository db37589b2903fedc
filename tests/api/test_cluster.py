"""The service on a real API server, with a real Helm."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.conftest import serving
from tycho.client import TychoClient
from tycho.errors import NotFound, StartFailed
from tycho.kinds import NAMESPACE, POD, SERVICE
from tycho.kube.client import KubeClient
from tycho.orchestrators.helm import lease
from tycho.release import Identity

pytestmark = pytest.mark.xdist_group("cluster")

REQUEST: dict[str, Any] = {
    "name": "test",
    "env": {"LOCAL_STORE": "/data", "HOST_PATH": "8888"},
    "system": {
        "version": "3",
        "services": {
            "jupyter-datascience": {
                "image": "jupyter/datascience-notebook",
                "entrypoint": "start.sh jupyter lab --LabApp.token=",
                "ports": ["$HOST_PORT:8888"],
                "volumes": ["$LOCAL_STORE:/mydata", "./:/mydata1", "./home:/mydata2"],
                "deploy": {
                    "resources": {
                        "limits": {"cpus": "0.01", "memory": "50M"},
                        "reservations": {"cpus": "0.01", "memory": "20M"},
                    }
                },
            }
        },
    },
    "services": {"jupyter-datascience": {"port": "8888"}},
}


@pytest.fixture(scope="module")
def client(kubeconfig: Path, helm: Path) -> Iterator[TychoClient]:
    with serving(KUBECONFIG=str(kubeconfig), TYCHO_HELM=str(helm)) as service:
        yield TychoClient(url=service.url)


@pytest.fixture
def call(kubeconfig: Path) -> Iterator[Any]:
    """Calls the API server, which is the judge."""
    api = KubeClient(str(kubeconfig))
    yield lambda *args: asyncio.run(api.call(*args))
    api.close()


def test_the_request_that_everybody_reads_first(client: TychoClient, helm: Path, kubeconfig: Path, call: Any) -> None:
    system = client.start(request={**REQUEST, "wait": True})
    assert system.status == "success", system.message
    assert system.message == f"Started system {system.name}"
    assert system.name == f"test-{system.identifier}"
    (notebook,) = system.services
    assert 30000 <= int(notebook.port) <= 32767
    assert any('"HOST_PORT" variable is not set' in warning for warning in system.warnings)
    (row,) = client.status({"name": system.name}).services
    assert (row.identifier, row.port, row.is_ready) == (system.identifier, notebook.port, True)

    where = row.namespace
    listed = subprocess.run(
        [helm, "list", "-n", where, "-o", "json", "--kubeconfig", kubeconfig], capture_output=True, check=True
    )
    assert [release["name"] for release in json.loads(listed.stdout)] == [f"test-{system.identifier[:8]}"]
    pods = call("GET", POD.path(where))["items"]
    (container,) = pods[0]["spec"]["containers"]
    assert container["image"] == "jupyter/datascience-notebook"
    assert container["command"] == ["start.sh", "jupyter", "lab", "--LabApp.token="]
    assert container["resources"]["limits"] == {"cpu": "10m", "memory": "50Mi"}
    assert container["resources"]["requests"] == {"cpu": "10m", "memory": "20Mi"}

    assert client.delete({"name": system.name}).status == "success"
    with pytest.raises(NotFound):
        call("GET", NAMESPACE.path("", where))
    assert isinstance(client.delete({"name": system.name}).error, NotFound)


def test_a_system_that_cannot_start_says_why(client: TychoClient) -> None:
    web = {"image": "nginx:1.27", "annotations": {"tycho.dev/simulate": "InvalidImageName"}}
    answer = client.start({"name": "broken", "system": {"services": {"web": web}}, "wait": True})
    assert isinstance(answer.error, StartFailed)
    assert "web: " in answer.message
    (left,) = client.status({"name": "broken"}).services
    assert not left.is_ready
    client.delete({"name": left.identifier})


def test_a_system_that_somebody_else_changes_is_busy(client: TychoClient, kubeconfig: Path) -> None:
    system = client.start({"name": "busy", "system": {"services": {"web": {"image": "nginx:1.27"}}}})
    (row,) = client.status({"name": system.identifier}).services
    release = f"busy-{system.identifier[:8]}"
    identity = Identity(guid=system.identifier, name="busy", release=release, namespace=row.namespace)

    async def meanwhile(verb: str) -> httpx2.Response:
        api = KubeClient(str(kubeconfig))
        async with lease.hold_lease(api, identity, removes=verb == "delete"), httpx2.AsyncClient() as http:
            answer = await http.post(f"{client.url}/system/{verb}", json={"name": system.identifier}, timeout=60)
        api.close()
        return answer

    for verb in ("delete", "rollback"):  # a removal is refused by another one alone
        answer = asyncio.run(meanwhile(verb))
        assert answer.status_code == 409
        assert answer.headers["Retry-After"]
        assert answer.json()["result"]["error"] == "OperationInProgress"
    assert client.delete({"name": system.identifier}).status == "success"


@pytest.fixture
def factory_call(kubeconfig: Path) -> Any:
    """Where a program with this kubeconfig finds the API, with or without an event loop of its own."""

    def ask(name: str, *, loop: bool = False) -> str:
        get = f"TychoFactory().get_client({name!r}, default_url='http://localhost:1').url"
        main = f"async def main(): return {get}\nprint(asyncio.run(main()))" if loop else f"print({get})"
        code = f"import asyncio\nfrom tycho.client import TychoFactory\n{main}"
        env = {"KUBECONFIG": str(kubeconfig)}
        return subprocess.run(
            [sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True
        ).stdout.strip()

    return ask


def test_a_factory_finds_the_service_that_runs_on_the_cluster(call: Any, factory_call: Any) -> None:
    path = SERVICE.path("default", "tycho-api")
    spec = {"type": "LoadBalancer", "selector": {"app": "tycho-api"}, "ports": [{"port": 5000}]}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "tycho-api"}, "spec": spec}
    assert factory_call("tycho-api") == "http://localhost:1"
    service = call("POST", SERVICE.path("default"), body)
    try:
        node = service["spec"]["ports"][0]["nodePort"]
        assert factory_call("tycho-api", loop=True) == f"http://127.0.0.1:{node}"
        service["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
        call("PUT", f"{path}/status", service)
        assert factory_call("tycho-api") == "http://192.0.2.7:5000"
    finally:
        call("DELETE", path)
