"""Pod Security's `baseline` in Python: each control, and the chart's own view against what Helm renders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chart.spellings import FIXED, PLACES, keep_able, spell
from tests.chart.test_cluster import CORPUS, OURS, read
from tycho.chart import Chart, checks, emit, find_line, find_ungranted, release_values
from tycho.chart.assemble import assemble_layout
from tycho.chart.baseline import collect_rights, view_pods
from tycho.chart.podsecurity import find_pod, find_violations
from tycho.compose import Sources, load
from tycho.errors import ComposeError, PolicyDenied
from tycho.model import PolicyResult, Rights
from tycho.orchestrators.helm.rendering import split
from tycho.policy import apply_policies


def pod(**spec: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"annotations": spec.pop("annotations", {})}, "spec": spec}


def boxed(**keys: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "web", **keys}])


def secured(**context: Any) -> dict[str, Any]:
    return boxed(securityContext=context)


APPARMOR = "container.apparmor.security.beta.kubernetes.io/web"
SECCOMP = "container.seccomp.security.alpha.kubernetes.io/web"
FORBIDDEN: Mapping[str, tuple[dict[str, Any], str]] = {
    "host network": (pod(hostNetwork=True), "network_mode=host"),
    "host processes": (pod(hostPID=True), "pid=host"),
    "host memory": (pod(hostIPC=True), "ipc=host"),
    "host path": (pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "x-tycho.hostPaths=/"),
    "host path without path": (pod(volumes=[{"name": "v", "hostPath": {}}]), "x-tycho.hostPaths="),
    "sysctl": (pod(securityContext={"sysctls": [{"name": "kernel.msgmax"}]}), "sysctls.kernel.msgmax"),
    "sysctl with slashes": (pod(securityContext={"sysctls": [{"name": "net/core/x"}]}), "sysctls.net/core/x"),
    "host process": (pod(securityContext={"windowsOptions": {"hostProcess": True}}), "isolation=hostProcess"),
    "seccomp of the pod": (
        pod(securityContext={"seccompProfile": {"type": "Unconfined"}}), "security_opt=seccomp=unconfined",
    ),
    "seccomp without type": (secured(seccompProfile={}), "security_opt=seccomp=unconfined"),
    "apparmor": (secured(appArmorProfile={"type": "Unconfined"}), "security_opt=apparmor=unconfined"),
    "apparmor annotation": (pod(annotations={APPARMOR: "unconfined"}), f"annotations.{APPARMOR}"),
    "seccomp annotation": (pod(annotations={SECCOMP: "unconfined"}), f"annotations.{SECCOMP}"),
    "selinux type": (secured(seLinuxOptions={"type": "spc_t"}), "security_opt=label=type:spc_t"),
    "selinux user": (secured(seLinuxOptions={"user": "u"}), "security_opt=label=user:u"),
    "selinux role": (pod(securityContext={"seLinuxOptions": {"role": "r"}}), "security_opt=label=role:r"),
    "privileged": (secured(privileged=True), "privileged"),
    "privileged as text": (secured(privileged="true"), "privileged"),
    "capability": (secured(capabilities={"add": ["CHOWN", "NET_RAW"]}), "cap_add=NET_RAW"),
    "capability in another spelling": (secured(capabilities={"add": ["CAP_CHOWN"]}), "cap_add=CAP_CHOWN"),
    "capability as text": (secured(capabilities={"add": "ALL"}), "cap_add=ALL"),
    "proc": (secured(procMount="Unmasked"), "security_opt=systempaths=unconfined"),
    "host port": (boxed(ports=[{"containerPort": 80, "hostPort": 80}]), "ports.mode=host"),
    "init container": (pod(initContainers=[{"name": "i", "securityContext": {"privileged": True}}]), "privileged"),
    "ephemeral container": (
        pod(ephemeralContainers=[{"name": "e", "securityContext": {"privileged": True}}]), "privileged",
    ),
    "propagation": (boxed(volumeMounts=[{"mountPropagation": "Bidirectional"}]), "privileged"),
    "probe": (boxed(livenessProbe={"httpGet": {"host": "10.0.0.1"}}), "healthcheck.host=10.0.0.1"),
    "socket probe": (boxed(readinessProbe={"tcpSocket": {"host": "node"}}), "healthcheck.host=node"),
    "lifecycle": (boxed(lifecycle={"preStop": {"httpGet": {"host": "h"}}}), "healthcheck.host=h"),
}  # fmt: skip
ALLOWED: Mapping[str, dict[str, Any]] = {
    "nothing": pod(),
    "nulls": {"kind": "Pod", "metadata": None, "spec": {"containers": None, "volumes": None, "securityContext": None}},
    "own users": pod(hostUsers=False, shareProcessNamespace=True),
    "own users and all of proc": pod(
        hostUsers=False, containers=[{"name": "a", "securityContext": {"procMount": "Unmasked"}}]
    ),
    "defaults": secured(
        privileged=False, procMount="Default", capabilities={"drop": ["ALL"], "add": ["SYS_CHROOT"]},
        seccompProfile={"type": "Localhost", "localhostProfile": "x"}, appArmorProfile={"type": "RuntimeDefault"},
        seLinuxOptions={"type": "container_engine_t", "level": "s0"},
    ),
    "safe sysctls": pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_slow_start_after_idle"}]}),
    "profiles by annotation": pod(annotations={APPARMOR: "localhost/x", SECCOMP: "runtime/default"}),
    "volumes": pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "n", "nfs": {"server": "s", "path": "/"}}]),
    "ports and probes": boxed(ports=[{"containerPort": 80}], livenessProbe={"httpGet": {"port": 80, "host": ""}}),
}  # fmt: skip


@pytest.mark.parametrize("case", FORBIDDEN)
def test_what_is_forbidden(case: str) -> None:
    pod_object, right = FORBIDDEN[case]
    assert [violation.right for violation in find_violations(pod_object)] == [right]


@pytest.mark.parametrize("case", ALLOWED)
def test_what_is_allowed(case: str) -> None:
    assert list(find_violations(ALLOWED[case])) == []


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("Pod", ()), ("PodTemplate", ("template",)), ("ReplicaSet", ("spec", "template")),
        ("Deployment", ("spec", "template")), ("Job", ("spec", "template")),
        ("CronJob", ("spec", "jobTemplate", "spec", "template")),
    ],
)  # fmt: skip
def test_every_kind_of_pod(kind: str, keys: tuple[str, ...]) -> None:
    nested: dict[str, Any] = {"spec": {"hostPID": True}}
    for key in reversed(keys):
        nested = {key: nested}
    inner = find_pod({"kind": kind, **nested})
    assert inner is not None
    assert [violation.right for violation in find_violations(inner)] == ["pid=host"]
    listed = {"kind": "List", "items": [{"kind": kind, "metadata": {"name": "n"}, **nested}]}
    problems = list(find_ungranted(Rights(), [("templates/system/extraobjects.yaml", listed)], lambda path: ("", 0)))
    assert [problem.path for problem in problems] == [f"{kind} n"]


def test_other_kinds_make_no_pods() -> None:
    assert find_pod({"kind": "Service", "spec": {"hostPID": True}}) is None


def verdict(chart: Chart, documents: Iterator[Any]) -> set[tuple[str, str]]:
    problems = find_ungranted(chart.rights, documents, find_line(chart.report))
    return {(problem.path, problem.hint) for problem in problems}


def compare(bench: Any, policy_result: PolicyResult) -> int:
    """The chart's view of itself and what Helm renders of it are judged the same, with nothing granted."""
    layout = assemble_layout(policy_result.system)
    checks.list_report(layout)
    chart = emit(policy_result)
    bare = Rights(tuple(_without_grants(pod) for pod in collect_rights(layout).pods))
    seen = Chart(chart.name, chart.version, chart.files, chart.report, bare)
    by_view = verdict(seen, view_pods(layout))
    done = bench.run(chart, release_values(policy_result.system))
    assert done.returncode == 0, done.stderr
    assert verdict(seen, split(done.stdout)) == by_view
    return len(by_view)


def _without_grants(pod: Any) -> Any:
    from msgspec.structs import replace

    return replace(pod, services=tuple(replace(rights, grants=(), host_paths=()) for rights in pod.services))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.parent.name)
def test_the_view_of_ours(bench: Any, path: Path) -> None:
    assert compare(bench, apply_policies(read(path))) == 0


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public corpus is not beside this checkout")
def test_the_view_of_public_files(bench: Any, tmp_path: Path) -> None:
    compared = 0
    for path in sorted(CORPUS.rglob("*.y*ml"))[::6]:
        try:
            policy_result = apply_policies(read(path), folders=[everything(tmp_path)])
            emit(policy_result)
        except (ComposeError, PolicyDenied):
            continue
        compare(bench, policy_result)
        compared += 1
    assert compared > 10


def everything(folder: Path) -> Path:
    """A policy that grants all."""
    (folder / "80-all.yaml").write_text(
        'description: All.\nadd: {x-tycho: {grants: ["*"], hostPaths: [/var/run/docker.sock]}}\n'
    )
    return folder


@pytest.mark.parametrize("place", PLACES)
def test_the_view_of_all_spellings(bench: Any, tmp_path: Path, place: str) -> None:
    (tmp_path / "policies").mkdir()
    policies = everything(tmp_path / "policies")
    chosen = list(spell()) if place == "services" else list(spell())[::3]
    if place != "services":
        chosen = [spelling for spelling in chosen if not spelling.keys.keys() & FIXED]
    able = keep_able(chosen, lambda some: emit(asked(tmp_path / "one", place, some, policies)))
    compared = compare(bench, asked(tmp_path / "all", place, able, policies))
    assert compared > (0 if place == "hooks" else 15)


def asked(folder: Path, place: str, spellings: Any, policies: Path) -> PolicyResult:
    files, env = PLACES[place](spellings)
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    paths = [str(folder / name) for name in files if name.startswith("compose")]
    return apply_policies(load(Sources.from_disk(paths, env=env, name="demo", cwd=str(folder))), folders=[policies])
