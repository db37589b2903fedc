"""`tycho status` of many systems beside `helm list -A -m 0`: its time, and its memory.

Releases and Deployments are made as objects, without helm and without pods: what is measured is a look at them.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench._systems import system
from bench.timing import Case, judged, medians
from tycho import localcluster
from tycho.kinds import DEPLOYMENT, NAMESPACE, SECRET
from tycho.kube.client import KubeClient
from tycho.toolchain import programs

TYCHO = str(Path(sys.executable).with_name("tycho"))
COUNT = int(os.environ.get("TYCHO_BENCH_SYSTEMS", "3000"))
SERVICES = 2
NAMESPACES = 20
MEMORY = 250  # MiB
SLIM = 90  # MiB, of -terse


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "clusters")
        kubeconfig = localcluster.create("bench", provider="native", home=home, progress=lambda line: None).kubeconfig
        try:
            return _measure(kubeconfig, folder)
        finally:
            localcluster.delete("bench", home=home)


def _measure(kubeconfig: Path, folder: str) -> int:
    begun = time.monotonic()
    asyncio.run(_fill(kubeconfig, _chart(folder)))
    print(f"     {COUNT} systems of {SERVICES} services were made in {time.monotonic() - begun:.0f} s")
    os.environ["KUBECONFIG"] = str(kubeconfig)
    helm = programs.tool("helm")
    ours, terse, theirs = medians([
        Case("tycho status", [TYCHO, "status"]), Case("tycho status -terse", [TYCHO, "status", "-terse"]),
        Case("helm list", [str(helm), "list", "-A", "-m", "0"]),
    ], runs=3)  # fmt: skip
    shown = subprocess.run([TYCHO, "status", "-terse"], capture_output=True, text=True, check=True).stdout
    assert len(shown.split()) == COUNT, shown
    memory, slim = (_measure_memory([TYCHO, "status", *words]) for words in ((), ("-terse",)))
    print(f"     helm list -A -m 0: {theirs:.3f} s")
    print(f"{'LATE' if memory > MEMORY else 'ok  '} its memory: {memory:.0f} MiB (promised {MEMORY})")
    print(f"{'LATE' if slim > SLIM else 'ok  '} that of tycho status -terse: {slim:.0f} MiB (promised {SLIM})")
    late = judged(f"tycho status of {COUNT} systems", ours, theirs * 0.5, "half of helm list")
    late += judged(f"tycho status -terse of {COUNT} systems", terse, theirs * 0.25, "a quarter of helm list")
    return late + int(memory > MEMORY) + int(slim > SLIM)


def _measure_memory(argv: list[str]) -> float:
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_maxrss / 1024


def _chart(folder: str) -> str:
    """The texts of a chart of this size: what helm keeps with each release, and reads again at each list."""
    out = Path(folder, "chart")
    subprocess.run([TYCHO, "compile", "-f", system(folder, SERVICES), "-o", out], capture_output=True, check=True)
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(out.rglob("*")) if path.is_file())


async def _fill(kubeconfig: Path, manifest: str) -> None:
    api = KubeClient(str(kubeconfig))
    try:
        for number in range(NAMESPACES):
            await api.create(NAMESPACE.path(), {"metadata": {"name": f"bench-{number}"}})
        waiting = _objects(manifest)
        await asyncio.gather(*(_make(api, waiting) for _ in range(8)))
    finally:
        api.close()


async def _make(api: KubeClient, waiting: Iterator[tuple[str, Any]]) -> None:
    for path, body in waiting:
        await api.create(path, body)


def _objects(manifest: str) -> Iterator[tuple[str, Any]]:
    for number in range(COUNT):
        name, guid, namespace = f"bench-{number:08x}", f"{number:032x}", f"bench-{number % NAMESPACES}"
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
