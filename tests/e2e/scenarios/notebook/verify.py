"""A notebook asked for over the REST API answers at its published port and keeps its data over upgrade and rollback."""

from typing import Any

from tests.api.conftest import serving
from tests.api.test_cluster import REQUEST
from tests.e2e.system import System, eventually, fetch
from tycho.client import TychoClient

SHOWS = ("deploy.resources.limits.cpus", "entrypoint", "volumes")
SECONDS = 60
SERVICE = "jupyter-datascience"


def verify(system: System) -> None:
    helm, cluster = system.node.programs["helm"], system.node.kubeconfig
    with serving(KUBECONFIG=str(cluster), TYCHO_HELM=str(helm), PYTHONPATH=str(system.code)) as service:
        use(system, TychoClient(url=service.url))


def use(system: System, client: TychoClient) -> None:
    started = client.start(request={**REQUEST, "wait": True})
    assert started.status == "success", started.message
    (row,) = client.status({"name": started.name}).services
    system.release = {"sid": started.identifier, "namespace": row.namespace, "release": row.namespace}

    def page() -> str:
        (now,) = client.status({"name": started.name}).services
        return fetch((now.ip_address, int(now.port)))[1].strip()

    eventually(lambda: page() == "jupyter lab --LabApp.token=")
    for place in ("mydata", "mydata1", "mydata2"):
        system.sh(SERVICE, f"echo {place} > /{place}/kept")

    services: dict[str, Any] = REQUEST["system"]["services"]
    changed = {SERVICE: {**services[SERVICE], "entrypoint": "start.sh jupyter notebook"}}
    request = {**REQUEST, "system": {"services": changed}, "tycho-guid": started.identifier, "wait": True}
    again = client.start(request=request)
    assert (again.status, again.identifier) == ("success", started.identifier), again.message
    eventually(lambda: page() == "jupyter notebook")
    assert system.sh(SERVICE, "cat /mydata/kept /mydata1/kept /mydata2/kept").split() == [
        "mydata",
        "mydata1",
        "mydata2",
    ]

    system.tycho("rollback", started.identifier)
    eventually(lambda: page() == "jupyter lab --LabApp.token=")
    assert system.sh(SERVICE, "cat /mydata/kept") == "mydata"
    assert client.delete({"name": started.name}).status == "success"
    assert not system.node.kubectl("get", "namespace", row.namespace, "--ignore-not-found", "-o", "name")
    system.release = {}
