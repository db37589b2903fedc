"""Who may, by the cluster's own accounts: tokens of the audience `tycho`, and roles on `systems.tycho.dev`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from starlette.testclient import TestClient

from tycho import orchestrators
from tycho.access import AUDIENCE, Authority, Reviews
from tycho.api import create_app
from tycho.kinds import SERVICE_ACCOUNT
from tycho.kube.client import KubeClient
from tycho.kube.reviews import TOKEN_REVIEWS
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Target

pytestmark = pytest.mark.xdist_group("cluster")
SYSTEM = {"services": {"web": {"image": "nginx:1"}}}
RBAC = "/apis/rbac.authorization.k8s.io/v1"


class Cluster:
    """The real API server: makes accounts, tokens and roles."""

    def __init__(self, kubeconfig: Path) -> None:
        self.api = KubeClient(str(kubeconfig))
        self.namespace = f"users-{uuid4().hex[:6]}"
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})

    def call(self, *args: Any) -> Any:
        return asyncio.run(self.api.call(*args))

    def account(self, name: str, *resources: str) -> None:
        self.call("POST", SERVICE_ACCOUNT.path(self.namespace), {"metadata": {"name": name}})
        if not resources:
            return
        where = f"{RBAC}/namespaces/{self.namespace}"
        rules = [{"apiGroups": ["tycho.dev"], "resources": list(resources), "verbs": ["*"]}]
        self.call("POST", f"{where}/roles", {"metadata": {"name": name}, "rules": rules})
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        subjects = [{"kind": "ServiceAccount", "name": name, "namespace": self.namespace}]
        self.call("POST", f"{where}/rolebindings", {"metadata": {"name": name}, "roleRef": ref, "subjects": subjects})

    def token(self, name: str, *audiences: str) -> str:
        path = f"{SERVICE_ACCOUNT.path(self.namespace, name)}/token"
        spec = {"audiences": list(audiences)} if audiences else {}
        token: str = self.call("POST", path, {"spec": spec})["status"]["token"]
        return token

    def wait_until_forgotten(self, token: str) -> None:
        body = {"spec": {"token": token, "audiences": [AUDIENCE]}}
        ends = time.monotonic() + 30
        while self.call("POST", TOKEN_REVIEWS, body)["status"].get("authenticated"):
            assert time.monotonic() < ends
            asyncio.run(asyncio.sleep(0.2))


@pytest.fixture(scope="module")
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    made = Cluster(kubeconfig)
    made.account("ada", "systems")
    made.account("bob", "systems")
    made.account("root", "systems", "systems/others")
    made.account("eve")
    yield made
    made.call("DELETE", f"/api/v1/namespaces/{made.namespace}")
    made.api.close()


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def ask(cluster: Cluster, kubeconfig: Path, clock: list[float]) -> Iterator[Callable[..., Any]]:
    target = Target(kubeconfig=str(uuid4()), namespace=cluster.namespace)
    lifecycle = Lifecycle(orchestrators.get("memory", target), target)

    def now() -> float:
        return clock[0]

    authority = Authority(reviews=Reviews(KubeClient(str(kubeconfig)), now), clock=now)
    with TestClient(create_app(lifecycle, authority)) as client:

        def send(token: str, verb: str, status: int = 200, **body: Any) -> Any:
            answer = client.post(f"/system/{verb}", json=body, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == status, answer.text
            return answer.json()["result"]

        yield send


def test_two_users_and_a_third_without_rights(cluster: Cluster, ask: Callable[..., Any]) -> None:
    ada, bob, eve, root = (cluster.token(name, AUDIENCE) for name in ("ada", "bob", "eve", "root"))
    mine = ask(ada, "start", name="shop", system=SYSTEM)["sid"]
    theirs = ask(bob, "start", name="shop", system=SYSTEM)["sid"]
    assert [system["sid"] for system in ask(ada, "status")] == [mine]
    assert [system["sid"] for system in ask(bob, "status")] == [theirs]
    assert ask(ada, "status")[0]["username"] == f"system:serviceaccount:{cluster.namespace}:ada"
    assert len(ask(root, "status")) == 2
    ask(ada, "delete", 404, name=theirs)
    for verb, body in (("status", {}), ("start", {"name": "x", "system": SYSTEM}), ("delete", {"name": mine})):
        refused = ask(eve, verb, 403, **body)
        assert f"the verb {verb} on systems.tycho.dev is missing" in refused["message"]
        assert f"a Role in {cluster.namespace}" in refused["hint"]


def test_the_services_own_credentials_are_not_the_callers(cluster: Cluster, kubeconfig: Path, tmp_path: Path) -> None:
    """A caller need not log in again where the cluster does not know the service."""
    config = yaml.safe_load(kubeconfig.read_text())
    config["users"][0]["user"] = {"token": "of-nobody"}
    stale = tmp_path / "kubeconfig"
    stale.write_text(yaml.safe_dump(config))
    target = Target(kubeconfig=str(stale), namespace=cluster.namespace)
    authority = Authority(reviews=Reviews(KubeClient(target.kubeconfig, target.context), time.monotonic))
    headers = {"Authorization": f"Bearer {cluster.token('ada', AUDIENCE)}"}
    for who, sent, reason in ((authority, headers, "OrchestratorError"), (Authority(), {}, "CredentialsRejected")):
        app = create_app(Lifecycle(orchestrators.get("helm", target), target), who)
        with TestClient(app, base_url="http://127.0.0.1") as client:
            answer = client.post("/system/status", json={}, headers=sent)
        assert (answer.status_code, answer.json()["result"]["reason"]) == (502, reason), answer.text
        assert "www-authenticate" not in answer.headers


def test_a_token_for_somebody_else_is_none(cluster: Cluster, ask: Callable[..., Any]) -> None:
    for token in (cluster.token("ada"), cluster.token("ada", "vault"), "a.b.c", "x" * 20_000):
        assert ask(token, "status", 401)["error"] == "Unauthorized"


def test_a_revoked_token_ends_within_its_time(cluster: Cluster, ask: Callable[..., Any], clock: list[float]) -> None:
    cluster.account("leaver", "systems")
    token = cluster.token("leaver", AUDIENCE)
    ask(token, "status")
    cluster.call("DELETE", SERVICE_ACCOUNT.path(cluster.namespace, "leaver"))
    clock[0] = 49.9
    ask(token, "status")
    cluster.wait_until_forgotten(token)  # the API server remembers tokens, too: for ten seconds
    clock[0] = 50.0
    assert "kubectl create token" in ask(token, "status", 401)["hint"]
