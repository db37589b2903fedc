"""Over HTTP, on a real API server: a removal goes before a start that waits or works."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.conftest import Service, serving
from tycho.toolchain import programs

pytestmark = pytest.mark.xdist_group("cluster")
NEVER = {"image": "nginx:1", "ports": ["80"], "volumes": ["data:/d"], "annotations": {"tycho.dev/simulate": "NotReady"}}
SYSTEM = {"services": {"web": NEVER}, "volumes": {"data": {}}}
Kubectl = Callable[..., str]


@pytest.fixture(scope="module")
def services(kubeconfig: Path, helm: Path) -> Iterator[tuple[Service, Service]]:
    """Two of one cluster, as replicas are."""
    variables = {"KUBECONFIG": str(kubeconfig), "TYCHO_HELM": str(helm)}
    with serving(**variables) as first, serving(**variables) as second:
        yield first, second


@pytest.fixture
def kubectl(kubeconfig: Path) -> Kubectl:
    def run(*argv: str) -> str:
        words = [programs.tool("kubectl"), "--kubeconfig", kubeconfig, *argv]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    return run


async def find(http: httpx2.AsyncClient, name: str, **fields: Any) -> dict[str, Any]:
    """Await a system with this name, and some fields; what the service lists of it is returned."""
    async with asyncio.timeout(60):
        while True:
            for system in (await http.get("/system")).json()["result"]["items"]:
                if system["name"] == name and all(system[key] == value for key, value in fields.items()):
                    return dict(system)


@pytest.mark.parametrize("moment", ["while it works", "while it waits"])
def test_a_start_ends_when_its_system_is_deleted(
    services: tuple[Service, Service], kubectl: Kubectl, moment: str
) -> None:
    """One at work is deleted by the same service, as soon as that knows it; one that waits by another replica."""
    near, other = services[0], services[0 if moment == "while it works" else 1]

    async def story() -> dict[str, Any]:
        async with (
            httpx2.AsyncClient(base_url=near.url, timeout=120) as http,
            httpx2.AsyncClient(base_url=other.url, timeout=120) as far,
        ):
            starting = asyncio.create_task(http.post("/system?wait=90", json={"name": "goes", "system": SYSTEM}))
            system = await find(far, "goes", **({"state": "deployed"} if moment == "while it waits" else {}))
            deleting = asyncio.create_task(far.delete(f"/system/{system['sid']}"))
            started, deleted = await asyncio.gather(starting, deleting)
            assert deleted.status_code == 200, deleted.text
            assert started.status_code == 409, started.text
            problem = started.json()["result"]
            assert problem["reason"] == "OperationInProgress"
            assert problem["message"].startswith(f"{system['release']} is being removed by somebody else, and what was")
            return system

    system = asyncio.run(story())
    namespaces = json.loads(kubectl("get", "namespaces", "-o", "json"))["items"]
    assert system["namespace"] not in {entry["metadata"]["name"] for entry in namespaces}
    assert kubectl("get", "persistentvolumeclaims,secrets,leases", "-A", "-l", f"tycho-guid={system['sid']}") == ""
