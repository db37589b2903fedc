"""What others demand of a chart: kube-score's checks, Pod Security's profiles."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

from tests.chart.conftest import Object
from tests.chart.test_cluster import CORPUS, OURS, Server, listed, read
from tycho.chart import emit, release_values
from tycho.chart.services import all_services
from tycho.errors import ComposeError, PolicyDenied
from tycho.model import Project
from tycho.policy import apply_policies

REASONS = yaml.safe_load(Path(__file__).with_name("hardening.yaml").read_text(encoding="utf-8"))
STEP = 1 if settings.default.max_examples > 1000 else 4  # of the public files, every fourth; all in the deep profile
ELSEWHERE = {"serviceAccountName", "runtimeClassName"}
WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"}


def test_kube_score(bench: Any, kube_score: Path, tmp_path: Path) -> None:
    critical = {}
    for path in OURS:
        policy_result = apply_policies(read(path))
        objects = bench.render(emit(policy_result), release_values(policy_result.system))
        target = tmp_path / "objects.yaml"
        target.write_text(yaml.safe_dump_all(objects), encoding="utf-8")
        done = subprocess.run([kube_score, "score", "-o", "json", target], capture_output=True, check=False, timeout=60)
        for report in json.loads(done.stdout or b"[]") or []:
            for check in report["checks"]:
                if check["grade"] == 1 and not check["skipped"]:
                    critical[check["check"]["id"]] = (path.parent.name, report["object_name"], check["comments"])
    assert {check: where for check, where in critical.items() if check not in REASONS} == {}
    assert REASONS.keys() == critical.keys(), "a reason that nothing needs any more"


@pytest.mark.parametrize("profile", ["baseline", "restricted"])
def test_pod_security(bench: Any, kubeconfig: Path, profile: str) -> None:
    """A namespace that enforces a profile lets every pod in whose system asks for nothing special."""
    server, pods = Server(kubeconfig), []
    for index, path in enumerate([*OURS, *sorted(CORPUS.rglob("*.y*ml"))[::STEP]]):
        try:
            policy_result = apply_policies(read(path))
            chart = emit(policy_result)
        except (ComposeError, PolicyDenied):
            continue
        if not special(policy_result.system, profile):
            values = release_values(policy_result.system) | {"podSecurity": profile}
            pods += [
                pod(rendered, f"p{index}") for rendered in bench.render(chart, values) if rendered["kind"] in WORKLOADS
            ]
    namespace = f"{server.namespace}-{profile}"
    server.run("create", "namespace", namespace)
    server.run("label", "namespace", namespace, f"pod-security.kubernetes.io/enforce={profile}")
    args = ("--namespace", namespace, "--server-side", "--dry-run=server", "-f", "-")
    assert server.run("apply", *args, stdin=listed(pods)) == ""
    rooted = {**pods[0], "metadata": {"name": "rooted"}, "spec": {**pods[0]["spec"], "hostPID": True}}
    assert "violates PodSecurity" in server.run("apply", *args, stdin=listed([rooted]))
    server.run("delete", "namespace", namespace, "--wait=false")
    assert len(pods) > (60 if CORPUS.is_dir() else 30)


def special(system: Project, profile: str) -> bool:
    """Tell whether a file asks for more than `restricted` has; more than `baseline` has, Tycho itself refuses."""
    if profile == "baseline":
        return False
    services = all_services(system).values()
    return any(
        service.privileged
        or service.cap_add
        or service.sysctls
        or service.pid == "host"
        or service.ipc == "host"
        or (service.user or "").partition(":")[0] == "0"
        or any(port.mode == "host" for port in service.ports)
        for service in services
    ) or any(volume.driver_opts.get("type", "").startswith("nfs") for volume in system.volumes.values())


def pod(workload: Object, prefix: str) -> Object:
    """The pod that a workload would make, without its account and its runtime's class, which are not there."""
    spec = workload["spec"]
    spec = spec["jobTemplate"]["spec"] if workload["kind"] == "CronJob" else spec
    spec_of_pod = {key: value for key, value in spec["template"]["spec"].items() if key not in ELSEWHERE}
    for claim in spec.get("volumeClaimTemplates", ()):
        spec_of_pod["volumes"] = [*spec_of_pod.get("volumes", ()), {"name": claim["metadata"]["name"], "emptyDir": {}}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{prefix}-{workload['metadata']['name']}"},
        "spec": spec_of_pod,
    }
