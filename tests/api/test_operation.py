"""A start that is not waited for, on a real API server: its revision and its events tell how far it is."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from tests.api.conftest import serving
from tests.api.test_watching import events

pytestmark = pytest.mark.xdist_group("cluster")
SHOP = {
    "name": "followed",
    "system": {"services": {"web": {"image": "nginx:1", "ports": ["80"]}, "db": {"image": "postgres:16"}}},
}


def test_a_start_is_followed_to_its_end(kubeconfig: Path, helm: Path) -> None:
    with (
        serving(KUBECONFIG=str(kubeconfig), TYCHO_HELM=str(helm)) as service,
        httpx2.Client(base_url=service.url, trust_env=False, timeout=120) as client,
    ):
        accepted = client.post("/system?wait=0", json=SHOP)
        assert accepted.status_code == 202, accepted.text
        system = f"/system/{accepted.json()['result']['sid']}"
        assert accepted.headers["Location"] == f"{system}/revisions/1"
        assert client.get(accepted.headers["Location"]).json()["result"]["state"] == "deployed"
        heard = events(client.get(f"{system}/events").text)
        messages = [event["data"]["message"] for event in heard if event["event"] == "progress"]
        assert messages[0].startswith("followed · 2 services · namespace followed-")
        assert {"web: ready", "db: ready"} <= set(messages)
        assert [event["event"] for event in heard].count("ready") == 1
        assert heard[-1]["event"] == "ready"
        assert client.get(accepted.headers["Location"]).json()["result"]["done"] is True
        changed = client.patch(f"{system}?wait=0", json={"replicas": 2, "memory": "64Mi"})
        assert (changed.status_code, changed.headers["Location"]) == (202, f"{system}/revisions/2")
        assert events(client.get(f"{system}/events").text)[-1]["data"]["revision"] == 2
        assert client.delete(system).status_code == 200
        assert client.get(f"{system}/events").status_code == 404
