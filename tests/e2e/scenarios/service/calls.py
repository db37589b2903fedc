"""Calls of the service, as its users make them, and who answers."""

import json
from collections.abc import Mapping
from http.client import OK
from typing import Any

import httpx2

from tests.e2e.node import Node
from tests.e2e.system import Json, eventually

SPACE = "tycho-systems"
KINDS = "all,secrets,leases,networkpolicies,persistentvolumeclaims,ingresses,configmaps"


def token(node: Node, name: str) -> str:
    return node.kubectl("create", "token", name, "--audience", "tycho").strip()


def url(node: Node) -> str:
    """The service's own address in the cluster."""
    return f"http://{node.kubectl('get', 'service', 'tycho-api', '-o', 'jsonpath={.spec.clusterIP}')}:5000"


def ask(
    url: str, verb: str, token: str = "", query: str = "", headers: Mapping[str, str] | None = None, **body: Any
) -> httpx2.Response:
    sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    return httpx2.post(f"{url}/system/{verb}{query}", json=body, headers=sent, timeout=280)


def listed(url: str, token: str, query: str = "", headers: Mapping[str, str] | None = None) -> list[Json]:
    answer = ask(url, "status", token, query, headers)
    assert answer.status_code == OK, answer.text
    rows: list[Json] = answer.json()["result"]
    return rows


def start(url: str, token: str, query: str = "", **body: Any) -> str:
    answer = ask(url, "start", token, query, **body)
    assert answer.status_code == OK, answer.text
    sid: str = answer.json()["result"]["sid"]
    return sid


def stop(url: str, token: str, sid: str) -> None:
    answer = eventually(lambda: (deletion := ask(url, "delete", token, name=sid)).status_code == OK and deletion, 90, 1)
    assert answer.json()["status"] == "success"


def nothing_left(node: Node) -> None:
    eventually(lambda: node.kubectl("-n", SPACE, "get", KINDS, "-o", "name").split() == ["configmap/kube-root-ca.crt"])


def replicas(node: Node) -> list[Json]:
    """The pods that answer, and that nobody is removing."""
    listed = json.loads(node.kubectl("get", "pods", "-l", "app.kubernetes.io/name=tycho-api", "-o", "json"))["items"]
    return [
        pod
        for pod in listed
        if "deletionTimestamp" not in pod["metadata"]
        and {"type": "Ready", "status": "True"}.items()
        <= next(
            (condition for condition in pod["status"].get("conditions", ()) if condition["type"] == "Ready"), {}
        ).items()
    ]
