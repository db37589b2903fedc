"""The service as its manifests run it: their account, their variables, two replicas, and callers with tokens."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.api.conftest import WEB, Service, serving
from tests.orchestrators.conftest import Kubectl, kubectl
from tycho.client import TychoClientFactory

__all__ = ["kubectl"]
pytestmark = pytest.mark.xdist_group("cluster")
MANIFESTS = Path(__file__).parents[2] / "kubernetes"
PAGE = (MANIFESTS.parent / "docs/in-cluster.md").read_text()
Token = Callable[[str], str]


@pytest.fixture(scope="module")
def installed(kubectl: Kubectl) -> Iterator[None]:
    kubectl("create", "-f", MANIFESTS)
    for name in ("ann", "bob", "eve"):
        kubectl("create", "serviceaccount", name, "-n", "default")
    (role_of_the_page,) = re.findall(r"```yaml\n(apiVersion: \S+\nkind: ClusterRole\n.*?)```", PAGE, re.DOTALL)
    kubectl("create", "-f", "-", input=role_of_the_page)
    for name in ("ann", "bob"):
        role = ("--clusterrole=tycho-user", f"--serviceaccount=default:{name}")
        kubectl("create", "rolebinding", name, "-n", "tycho-systems", *role)
    yield
    kubectl("delete", "clusterrole", "tycho-user")
    kubectl("delete", "serviceaccounts", "ann", "bob", "eve", "-n", "default")
    kubectl("delete", "-f", MANIFESTS)


@pytest.fixture(scope="module")
def replicas(
    installed: None, kubectl: Kubectl, helm: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Service]]:
    """Two processes with the variables of the Deployment, on ports of their own."""
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    token = kubectl("create", "token", "tycho-api", "-n", "default")
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    kubeconfig = tmp_path_factory.mktemp("account") / "config"
    kubeconfig.write_text(json.dumps(config))
    deployment = yaml.safe_load((MANIFESTS / "70-deployment.yaml").read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    variables = {variable["name"]: variable["value"] for variable in container["env"]} | {"TYCHO_API_DRAIN": "0"}
    with ExitStack() as stack:
        yield [
            stack.enter_context(serving(KUBECONFIG=str(kubeconfig), TYCHO_HELM=str(helm), **variables))
            for _ in range(2)
        ]


@pytest.fixture(scope="module")
def token(installed: None, kubectl: Kubectl) -> Token:
    return lambda name: kubectl("create", "token", name, "-n", "default", "--audience", "tycho").strip()


def ask(service: Service, verb: str, body: dict[str, Any], token: str = "") -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = service.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - where it listens, not where we do
    return httpx2.post(f"{url}/system/{verb}", json=body, headers=headers, timeout=120)


def names(service: Service, token: str) -> list[str]:
    answer = ask(service, "status", {}, token)
    assert answer.status_code == 200, answer.text
    return [system["sid"] for system in answer.json()["result"]]


def test_one_starts_what_the_other_tells_of_and_stops(replicas: list[Service], token: Token) -> None:
    first, second = replicas
    ann, bob = token("ann"), token("bob")
    started = ask(first, "start", {"name": "shop", "system": WEB, "wait": True}, ann)
    assert started.status_code == 200, started.text
    guid = started.json()["result"]["sid"]
    assert names(second, ann) == [guid]
    assert names(second, bob) == []
    assert ask(second, "delete", {"name": guid}, bob).status_code in (403, 404)
    assert ask(second, "delete", {"name": guid}, ann).status_code == 200
    assert names(first, ann) == []


def test_who_has_no_rights_is_told_which(replicas: list[Service], token: Token) -> None:
    answer = ask(replicas[0], "start", {"name": "shop", "system": WEB}, token("eve"))
    assert answer.status_code == 403
    assert "systems.tycho.dev" in answer.json()["message"]
    assert ask(replicas[0], "start", {"name": "shop", "system": WEB}).status_code == 401


def test_probes_need_no_token(replicas: list[Service]) -> None:
    """They come from the kubelet, to the pod's address."""
    for path in ("healthz", "readyz", "metrics"):
        url = replicas[0].url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx2.get(f"{url}/{path}", headers={"Host": "10.1.2.3:5000"}).status_code == 200


def test_a_pod_without_rights_in_the_cluster_finds_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no token for the API server, and one for Tycho alone."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    assert TychoClientFactory().get_client().url == "http://tycho-api.default:5000"


def test_a_replica_that_is_killed_loses_nothing(replicas: list[Service], token: Token) -> None:
    first, second = replicas
    ann = token("ann")
    guid = ask(first, "start", {"name": "kept", "system": WEB}, ann).json()["result"]["sid"]
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    assert names(second, ann) == [guid]
    assert ask(second, "delete", {"name": guid}, ann).status_code == 200
    assert names(second, ann) == []
