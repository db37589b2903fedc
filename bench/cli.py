"""What a person waits for: help, a compile, a start beside the same chart's `helm install`.

The last one needs a cluster: KUBECONFIG, or one that `tycho cluster create bench` makes and this removes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.timing import Case, judged, medians

ROOT = Path(__file__).resolve().parent.parent
TYCHO = str(Path(sys.executable).with_name("tycho"))
SHOP = str(ROOT / "examples/shop/compose.yaml")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, cluster():
        chart = f"{folder}/chart"
        subprocess.run([TYCHO, "compile", "-f", SHOP, "-o", chart], check=True, capture_output=True)
        values = Path(folder, "values.json")
        values.write_text(json.dumps(_values()))
        helm = _helm()
        install = [
            helm,
            "install",
            "bench-helm",
            chart,
            "-n",
            "bench-helm",
            "--create-namespace",
            "-f",
            str(values),
        ]
        help_, compile_, up, installed = medians([
            Case("tycho --help", [TYCHO, "--help"]),
            Case("tycho compile", [TYCHO, "compile", "-f", SHOP, "-o", chart]),
            Case("tycho up --no-wait", [TYCHO, "up", "--no-wait", "-f", SHOP, "--name", "bench"],
                 after=lambda: subprocess.run([TYCHO, "down", "bench"], capture_output=True)),
            Case("helm install", install, after=lambda: _remove(helm)),
        ], runs=5)  # fmt: skip
    print(f"     helm install of the same chart: {installed:.3f} s")
    return (
        judged("tycho --help", help_, 0.25)
        + judged("tycho compile of examples/shop", compile_, 0.35)
        + judged("tycho up --no-wait of examples/shop", up, installed + 0.4, "helm install + 0.4 s")
    )


@contextmanager
def cluster() -> Iterator[None]:
    """A cluster to measure on: the caller's, or one of our own."""
    if os.environ.get("KUBECONFIG"):
        yield
        return
    made = subprocess.run([TYCHO, "cluster", "create", "bench"], check=True, stdout=subprocess.PIPE, text=True)
    os.environ["KUBECONFIG"] = made.stdout.strip()
    try:
        yield
    finally:
        subprocess.run([TYCHO, "cluster", "delete", "bench"], check=True, stdout=subprocess.DEVNULL)


def _helm() -> str:
    from tycho.toolchain.programs import tool

    return str(tool("helm"))


def _values() -> object:
    from tycho.chart import release_values
    from tycho.compose import Sources, load
    from tycho.policy import apply_policies

    system = apply_policies(load(Sources.from_disk([SHOP], env=dict(os.environ)))).system
    return release_values(system, {}, guid="0" * 32)


def _remove(helm: str) -> None:
    subprocess.run([helm, "uninstall", "bench-helm", "-n", "bench-helm", "--wait"], capture_output=True)
    kubectl = ["kubectl", "delete", "namespace", "bench-helm", "--wait", "--ignore-not-found"]
    subprocess.run(kubectl, capture_output=True)
