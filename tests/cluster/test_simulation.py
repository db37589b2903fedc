"""The simulated node: what is made becomes what it would become, or fails as it is told to."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tycho.errors import NotFound
from tycho.kube.client import KubeClient
from tycho.toolchain.process import until

Object = dict[str, Any]
SOON = 30.0


class Namespace:
    """A namespace of a test's own."""

    def __init__(self, api: KubeClient, name: str) -> None:
        self.api, self.name = api, name
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        api.apply(f"/api/v1/namespaces/{name}", body, manager="tests")
        assert until(lambda: exists(api, f"/api/v1/namespaces/{name}/serviceaccounts/default"), SOON)

    def at(self, path: str) -> str:
        group, _, collection = path.rpartition(":")
        return f"{group or '/api/v1'}/namespaces/{self.name}/{collection}"

    def make(self, path: str, body: Object) -> None:
        group = path.rpartition(":")[0].removeprefix("/apis/") or "v1"
        body = {"apiVersion": group, "metadata": {}, **body}
        body["metadata"] = {**body["metadata"], "name": path.rpartition("/")[2]}
        self.api.apply(self.at(path), body, manager="tests")

    def becomes(self, path: str, met: Callable[[Object], object]) -> Object:
        seen: list[Object] = []

        def asked() -> bool:
            seen.append(self.api.request("GET", self.at(path)))
            return bool(met(seen[-1]))

        assert until(asked, SOON), seen[-1]
        return seen[-1]


@pytest.fixture(scope="session")
def api(kubeconfig: Path) -> Iterator[KubeClient]:
    client = KubeClient(str(kubeconfig))
    yield client
    client.close()


def exists(api: KubeClient, path: str) -> bool:
    try:
        api.request("GET", path)
    except NotFound:
        return False
    return True


@pytest.fixture
def namespace(api: KubeClient) -> Iterator[Namespace]:
    name = f"simulation-{uuid.uuid4().hex[:8]}"
    yield Namespace(api, name)
    api.request("DELETE", f"/api/v1/namespaces/{name}")


def pod(simulate: str = "", **spec: Any) -> Object:
    metadata = {"annotations": {"tycho.dev/simulate": simulate}} if simulate else {}
    containers = [{"name": "main", "image": "shop/web:1", **spec.pop("container", {})}]
    return {"kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}


def ready(obj: Object) -> bool:
    conditions = {each["type"]: each["status"] for each in obj["status"].get("conditions", ())}
    return conditions.get("Ready") == "True"


def test_the_node_has_an_address_and_takes_pods(api: KubeClient) -> None:
    node = api.request("GET", "/api/v1/nodes/simulated")
    assert ready(node)
    assert {"type": "InternalIP", "address": "127.0.0.1"} in node["status"]["addresses"]
    assert node["metadata"]["annotations"]["kwok.x-k8s.io/node"] == "fake"


def test_a_deployment_becomes_available_with_its_volume(namespace: Namespace) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}
    namespace.make("persistentvolumeclaims/data", {"kind": "PersistentVolumeClaim", "spec": claim})
    mounted = pod(
        initContainers=[{"name": "first", "image": "busybox"}],
        container={"volumeMounts": [{"name": "data", "mountPath": "/data"}]},
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    )
    template = {"metadata": {"labels": {"app": "web"}}, "spec": mounted["spec"]}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    namespace.make("/apis/apps/v1:deployments/web", {"kind": "Deployment", "spec": spec})
    namespace.becomes("/apis/apps/v1:deployments/web", lambda obj: obj["status"].get("availableReplicas") == 2)
    bound = namespace.becomes("persistentvolumeclaims/data", lambda obj: obj["status"]["phase"] == "Bound")
    assert bound["status"]["capacity"] == {"storage": "2Gi"}


def test_a_volume_goes_with_its_claim(namespace: Namespace) -> None:
    claim = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    namespace.make("persistentvolumeclaims/data", {"kind": "PersistentVolumeClaim", "spec": claim})
    bound = namespace.becomes("persistentvolumeclaims/data", lambda obj: obj["status"]["phase"] == "Bound")
    volume = f"/api/v1/persistentvolumes/{bound['spec']['volumeName']}"
    assert exists(namespace.api, volume)
    namespace.api.request("DELETE", namespace.at("persistentvolumeclaims/data"))
    assert until(lambda: not exists(namespace.api, volume), SOON)


def test_jobs_and_a_charts_tests_end_and_other_pods_do_not(namespace: Namespace) -> None:
    for name, simulate, condition in (("good", "", "Complete"), ("bad", "Failed", "Failed")):
        template = {key: value for key, value in pod(simulate, restartPolicy="Never").items() if key != "kind"}
        spec = {"backoffLimit": 0, "template": template}
        namespace.make(f"/apis/batch/v1:jobs/{name}", {"kind": "Job", "spec": spec})
        namespace.becomes(
            f"/apis/batch/v1:jobs/{name}",
            lambda obj, expected=condition: expected in [each["type"] for each in obj["status"].get("conditions", ())],
        )
    hook = pod(restartPolicy="Never")
    namespace.make("pods/hook", hook | {"metadata": {"annotations": {"helm.sh/hook": "test"}}})
    namespace.make("pods/plain", pod(restartPolicy="Never"))
    namespace.becomes("pods/hook", lambda obj: obj["status"]["phase"] == "Succeeded")
    namespace.becomes("pods/plain", ready)


@pytest.mark.parametrize(
    ("simulate", "phase", "reason", "before"),
    [
        ("ImagePullBackOff", "Pending", "ImagePullBackOff", None),
        ("CreateContainerConfigError", "Pending", "CreateContainerConfigError", None),
        ("CrashLoopBackOff", "Running", "CrashLoopBackOff", {"exitCode": 1, "reason": "Error"}),
        ("OOMKilled", "Running", "CrashLoopBackOff", {"exitCode": 137, "reason": "OOMKilled"}),
    ],
)
def test_a_pod_fails_as_it_is_told(
    namespace: Namespace, simulate: str, phase: str, reason: str, before: Object | None
) -> None:
    namespace.make("pods/web", pod(simulate))
    seen = namespace.becomes("pods/web", lambda obj: obj["status"].get("containerStatuses"))["status"]
    container = seen["containerStatuses"][0]
    assert seen["phase"] == phase
    assert container["state"]["waiting"]["reason"] == reason
    assert not container["ready"]
    if before:
        assert container["restartCount"] == 4
        assert before.items() <= container["lastState"]["terminated"].items()


def test_a_label_tells_a_pod_to_fail_as_an_annotation_does(namespace: Namespace) -> None:
    namespace.make("pods/web", pod() | {"metadata": {"labels": {"tycho.dev/simulate": "NotReady"}}})
    seen = namespace.becomes("pods/web", lambda obj: obj["status"]["phase"] == "Running")
    assert not ready(seen)


def test_a_pod_takes_as_long_as_it_is_told(namespace: Namespace) -> None:
    slow = pod() | {"metadata": {"annotations": {"tycho.dev/simulate-delay": "2s"}}}
    namespace.make("pods/slow", slow)
    namespace.make("pods/quick", pod())
    namespace.becomes("pods/quick", ready)
    assert namespace.api.request("GET", namespace.at("pods/slow"))["status"]["phase"] == "Pending"
    namespace.becomes("pods/slow", ready)


def test_what_no_node_can_hold_is_not_scheduled(namespace: Namespace) -> None:
    namespace.make("pods/big", pod(container={"resources": {"requests": {"cpu": "1000"}}}))
    namespace.becomes(
        "pods/big",
        lambda obj: any(each.get("reason") == "Unschedulable" for each in obj["status"].get("conditions", ())),
    )
