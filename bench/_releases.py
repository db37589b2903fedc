"""Many systems in a cluster, made as objects, without helm and without controllers."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from bench._systems import system
from tycho.kinds import DEPLOYMENT, NAMESPACE, SECRET
from tycho.kube.client import KubeClient

T = TypeVar("T")
TYCHO = str(Path(sys.executable).with_name("tycho"))
COUNT = int(os.environ.get("TYCHO_BENCH_SYSTEMS", "3000"))
SERVICES = 2
NAMESPACES = 20
SENDERS = 8  # requests at once


def name_release(number: int) -> str:
    """Name the release of a system."""
    return f"bench-{number:08x}"


def name_namespace(number: int) -> str:
    """Name the namespace of a system."""
    return f"bench-{number % NAMESPACES}"


def make_guid(number: int) -> str:
    """Return the GUID of a system."""
    return f"{number:032x}"


def fill(kubeconfig: Path, folder: str) -> None:
    """Make the releases and the Deployments of `COUNT` systems.

    Args:
        kubeconfig: Of the cluster.
        folder: For a chart of their size.
    """
    asyncio.run(_fill(kubeconfig, _read_chart(folder)))


async def for_each(items: Iterable[T], act: Callable[[T], Awaitable[object]]) -> None:
    """Do something for each item, for some of them at once."""
    waiting = iter(items)

    async def work() -> None:
        for each in waiting:
            await act(each)

    await asyncio.gather(*(work() for _ in range(SENDERS)))


async def _fill(kubeconfig: Path, manifest: str) -> None:
    api = KubeClient(str(kubeconfig))
    try:
        for number in range(NAMESPACES):
            await api.create(NAMESPACE.path(), {"metadata": {"name": name_namespace(number)}})
        await for_each(_list_objects(manifest), lambda made: api.create(*made))
    finally:
        api.close()


def _read_chart(folder: str) -> str:
    """The texts of a chart of this size: what helm keeps with each release, and reads again at each list."""
    out = Path(folder, "chart")
    subprocess.run([TYCHO, "compile", "-f", system(folder, SERVICES), "-o", out], capture_output=True, check=True)
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(out.rglob("*")) if path.is_file())


def _list_objects(manifest: str) -> Iterator[tuple[str, Any]]:
    for number in range(COUNT):
        name, guid, namespace = name_release(number), make_guid(number), name_namespace(number)
        labels = {"app.kubernetes.io/instance": name, "executor": "tycho", "tycho-guid": guid}
        release = {
            "name": name, "namespace": namespace, "version": 1, "manifest": manifest, "config": {},
            "info": {"status": "deployed", "last_deployed": "2026-01-01T00:00:00Z", "description": "Install complete"},
            "chart": {"metadata": {"name": "bench", "version": "0.1.0", "apiVersion": "v2"}, "templates": [
                {"name": "all", "data": base64.b64encode(manifest.encode()).decode()}]},
        }  # fmt: skip
        packed = base64.b64encode(gzip.compress(json.dumps(release).encode(), 1))
        yield SECRET.path(namespace), {
            "type": "helm.sh/release.v1",
            "metadata": {"name": f"sh.helm.release.v1.{name}.v1", "labels": {
                "owner": "helm", "name": name, "status": "deployed", "version": "1", "executor": "tycho",
                "tycho-guid": guid, "tycho-name": f"bench{number}", "createdAt": "1790000000"}},
            "data": {"release": base64.b64encode(packed).decode()},
        }  # fmt: skip
        for service in range(SERVICES):
            own = {**labels, "app.kubernetes.io/component": f"s{service}"}
            container = {
                "name": f"s{service}", "image": "registry.example/app:1", "ports": [{"containerPort": 8080}],
                "env": [{"name": f"NAME{each}", "value": "x" * 20} for each in range(12)],
                "resources": {"limits": {"cpu": "500m", "memory": "128Mi"}},
            }  # fmt: skip
            yield DEPLOYMENT.path(namespace), {
                "metadata": {"name": f"{name}-s{service}", "labels": own},
                "spec": {"paused": True, "selector": {"matchLabels": own}, "template": {
                    "metadata": {"labels": own}, "spec": {"containers": [container]}}},
            }  # fmt: skip
