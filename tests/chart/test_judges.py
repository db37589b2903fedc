"""What others demand of a chart: kube-score's checks, Pod Security's profiles."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.chart.test_cluster import OURS, Server, listed, read
from tycho.chart import emit, release_values
from tycho.policy import weave

REASONS = {
    "container-image-pull-policy": "Compose pulls what is missing; images may come with the node, without a registry",
    "container-ephemeral-storage-request-and-limit": "Compose has no word for it; services.X.resources has",
    "container-security-context-user-group-id": "most images start as a user of their own; podSecurity: restricted",
    "container-security-context-readonlyrootfilesystem": "Compose's default is writable; `read_only: true` is kept",
    "container-resources": "limits are the file's to say, or common.resources'",
    "pod-probes": "a service without a healthcheck has none to ask",
    "container-image-tag": "an image is taken as it is written",
}
"""Checks that fail with the shipped defaults, and why they may."""
SPECIAL = {"replicas", "volumes"}  # they ask for a sysctl and for NFS, which the profiles do not have
PODS = {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"}


def test_kube_score(bench: Any, kube_score: Path, tmp_path: Path) -> None:
    critical = {}
    for path in OURS:
        woven = weave(read(path))
        objects = bench.render(emit(woven), release_values(woven.system))
        target = tmp_path / "objects.yaml"
        target.write_text(yaml.safe_dump_all(objects), encoding="utf-8")
        done = subprocess.run([kube_score, "score", "-o", "json", target], capture_output=True, check=False, timeout=60)
        for found in json.loads(done.stdout or b"[]") or []:
            for check in found["checks"]:
                if check["grade"] == 1 and not check["skipped"]:
                    critical[check["check"]["id"]] = (path.parent.name, found["object_name"], check["comments"])
    assert {check: where for check, where in critical.items() if check not in REASONS} == {}


def test_pod_security(bench: Any, kubeconfig: Path) -> None:
    """Baseline for everybody who asks for nothing special; restricted where the values say so."""
    server = Server(kubeconfig)
    for profile in ("baseline", "restricted"):
        namespace = f"{server.namespace}-{profile}"
        server.run("create", "namespace", namespace)
        server.run("label", "namespace", namespace, f"pod-security.kubernetes.io/warn={profile}")
        objects = []
        for index, path in enumerate(path for path in OURS if path.parent.name not in SPECIAL):
            woven = weave(read(path))
            values = release_values(woven.system, scope="namespace") | {"podSecurity": profile}
            rendered = bench.render(emit(woven), values, name=f"r{index}")
            objects += [one for one in rendered if one["kind"] in PODS]
        done = subprocess.run(
            [server.kubectl, "apply", "--namespace", namespace, "--server-side", "--dry-run=server", "-f", "-"],
            input=listed(objects), capture_output=True, text=True, env=server.env, check=False, timeout=120,
        )  # fmt: skip
        server.run("delete", "namespace", namespace, "--wait=false")
        assert done.returncode == 0, done.stderr
        refused = [line for line in done.stderr.splitlines() if "violate" in line]
        assert len(objects) > 30
        assert refused == []
