"""Rights: one spelling for policies, added to lists, granted one by one, and never by the compose file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.policies.applying import folder, policy_result, set_fields, system
from tycho import apply_policies, emit, load
from tycho.compose import Sources
from tycho.errors import PolicyDenied, PolicyError

POLICY = re.compile(r"\{description: .*\}$")
SPELLED = {
    "cap_add: [CAP_ALL]": ("cap_add", ["ALL"]),
    "cap_add: [' cap_sys_admin', SYS_ADMIN, CHOWN]": ("cap_add", ["SYS_ADMIN", "CHOWN"]),
    "cap_add: [CAP_CAP_BPF]": ("cap_add", ["BPF"]),
    "cap_drop: [all, CAP_ALL]": ("cap_drop", ["ALL"]),
    "security_opt: [no-new-privileges]": ("security_opt", ["no-new-privileges=true"]),
    "security_opt: ['no-new-privileges:FALSE']": ("security_opt", ["no-new-privileges=false"]),
    "security_opt: ['label:type:spc_t', 'label=type=spc_t']": ("security_opt", ["label=type:spc_t"]),
    "security_opt: [' Label : Disable ', disable]": ("security_opt", ["label=disable"]),
    "security_opt: ['seccomp:profile.json', 'apparmor:Unconfined']": (
        "security_opt", ["seccomp=profile.json", "apparmor=unconfined"],
    ),
    "network_mode: ' HOST'": ("network_mode", "host"),
    "pid: Host": ("pid", "host"),
    "sysctls: {' kernel.msgmax ': 1}": ("sysctls", {"kernel.msgmax": "1"}),
    "ports: [{target: 80, mode: ' Host'}]": ("ports", [{"mode": "host", "protocol": "tcp", "target": 80}]),
}  # fmt: skip


@pytest.mark.parametrize("keys", SPELLED)
def test_policies_see_one_spelling(keys: str, tmp_path: Path) -> None:
    field, expected = SPELLED[keys]
    text = f"services:\n  web: {{image: nginx}}\n  db: {{image: x}}\n  a:\n    image: x\n    {keys}\n"
    assert set_fields(getattr(policy_result(tmp_path, text, {}).system.services["a"], field)) == expected


def test_what_policies_write_is_spelled_too(tmp_path: Path) -> None:
    files = {"50-a.yaml": "description: A.\npatch: {cap_add: [cap_bpf]}",
             "60-b.yaml": "description: B.\nmatch: {has: cap_add=BPF}\ndeny: no"}  # fmt: skip
    with pytest.raises(PolicyDenied):
        policy_result(tmp_path, "services: {web: {image: nginx}}", files)


def test_entries_that_are_left_keep_their_lines(tmp_path: Path) -> None:
    text = "services:\n  web:\n    image: x\n    cap_add:\n      - BPF\n      - CAP_BPF\n      - KILL\n"
    after = policy_result(tmp_path, text, {}).system
    assert after.services["web"].cap_add == ("BPF", "KILL")
    assert [after.at(f"services.web.cap_add[{index}]")[1] for index in (0, 1)] == [5, 7]


def test_the_file_is_printed_as_written() -> None:
    before = system("services: {web: {image: x, cap_add: [CAP_CHOWN], security_opt: ['seccomp:x.json']}}")
    apply_policies(before)
    assert before.services["web"].cap_add == ("CAP_CHOWN",)
    assert before.services["web"].security_opt == ("seccomp:x.json",)


ADDED = {
    "security_opt: []": ["no-new-privileges=true"],
    "security_opt: ['label=level:s0']": ["label=level:s0", "no-new-privileges=true"],
    "security_opt: ['seccomp:x.json', 'apparmor:y']": ["seccomp=x.json", "apparmor=y", "no-new-privileges=true"],
    "security_opt: ['no-new-privileges:true']": ["no-new-privileges=true"],
    "security_opt: ['no-new-privileges=0']": ["no-new-privileges=false"],
    "tty: true": ["no-new-privileges=true"],
}


@pytest.mark.parametrize("keys", ADDED)
def test_hardening_adds_to_lists(keys: str) -> None:
    services = apply_policies(system(f"services: {{web: {{image: x, {keys}}}}}")).system.services
    assert list(services["web"].security_opt) == ADDED[keys]


def test_secret_names_add_up() -> None:
    text = "services: {web: {image: x}}\nx-tycho: {secretEnvironment: ['A', '!B']}"
    names = apply_policies(system(text)).system.x["x-tycho"]["secretEnvironment"]
    assert names[-2:] == ["A", "!B"]
    assert "*password*" in names


def test_add_keeps_what_is_there(tmp_path: Path) -> None:
    text = """
      services:
        web:
          image: x
          tmpfs: ["/tmp:size=1m"]
          labels: {a: "1"}
          ports: [{target: 80, published: "8080"}]
          environment: {A: "${A}"}
    """
    policy = """
      description: A.
      add:
        tmpfs: [/tmp, /run]
        labels: {a: "2", b: "2"}
        user: "1"
        ports: [{target: 80, published: "9"}, {target: 80, protocol: udp}]
        environment: {A: x}
      system: {add: {networks: {default: {internal: true}}}}
    """
    after = policy_result(tmp_path, text, policy)
    web = after.system.services["web"]
    assert web.tmpfs == ("/tmp:size=1m", "/run")  # noqa: S108
    assert web.labels == {"a": "1", "b": "2"}
    assert [(port.target, port.protocol, port.published) for port in web.ports] == [
        (80, "tcp", "8080"), (80, "udp", None),
    ]  # fmt: skip
    assert (web.user, set_fields(web.environment)) == ("1", {"A": "${A}"})
    assert after.system.networks["default"].internal
    assert after.system.at("services.web.tmpfs[0]")[0] == "system"
    assert after.system.at("services.web.tmpfs[1]") == ("50-test.yaml", 4)


RIGHTS = (
    "privileged: true", "network_mode: host", "pid: host", "ipc: host", "uts: host", "userns_mode: host",
    "cap_add: [CAP_SYS_PTRACE]", "cap_add: [net_admin]", "security_opt: ['seccomp:unconfined']",
    "security_opt: ['label:type:spc_t']", "security_opt: ['label=user:x']", "ports: [{target: 80, mode: host}]",
    "sysctls: {net.core.somaxconn: 1024}", "cap_add: [FOO]", "security_opt: ['label=type:foo_t']",
    "labels: {k8s.v1.cni.cncf.io/networks: a}", "annotations: {io.kubernetes.cri-o.Devices: a}",
    "deploy: {labels: {cdi.k8s.io/x: a}}", "pre_start: [{command: [x], privileged: true, per_replica: true}]",
)  # fmt: skip


@pytest.mark.parametrize("keys", RIGHTS)
def test_the_hint_is_the_grant(keys: str, tmp_path: Path) -> None:
    """Each refusal ends with a policy; written to a file, it lets this service through, and no other."""
    text = f"services: {{web: {{image: x, {keys}}}}}"
    with pytest.raises(PolicyDenied) as denied:
        emit(apply_policies(system(text)))
    for number, problem in enumerate(denied.value.problems):
        match = POLICY.search(problem.hint)
        assert match, problem
        (tmp_path / f"80-{number}.yaml").write_text(match[0])
    chart = emit(apply_policies(system(text), folders=[tmp_path]))
    assert chart.rights.pods[0].services[0].grants
    with pytest.raises(PolicyDenied):
        emit(apply_policies(system(text.replace("web", "other")), folders=[tmp_path]))


@pytest.mark.parametrize("keys", RIGHTS)
def test_no_policy_in_force_grants_nothing(keys: str, tmp_path: Path) -> None:
    """Taking `90-host-access.yaml` out of force, or all of them, does not let a pod beyond baseline through."""
    only_policies = keys.startswith(("uts", "userns_mode"))
    before = system(f"services: {{web: {{image: x, {keys}}}}}")
    disabled = apply_policies(before, folders=[folder(tmp_path / "none", {})])
    if only_policies:  # no field of a pod stands for it
        assert emit(disabled).files
        return
    with pytest.raises(PolicyDenied) as denied:
        emit(disabled)
    assert all(problem.line for problem in denied.value.problems)


CLAIMED: dict[str, Any] = {
    "service": {"services": {"web": {"image": "x", "privileged": True, "x-tycho": {"grants": ["*"]}}}},
    "job": {"services": {"a": {"image": "x"}},
            "jobs": {"web": {"image": "x", "privileged": True, "triggers": {"manual": True},
                             "x-tycho": {"grants": ["privileged", "x-tycho.grants"]}}}},
    "file": {"services": {"web": {"image": "x", "pid": "host"}}, "x-tycho": {"grants": ["pid=host"]}},
    "names": {"services": {"web": {"image": "x"}}, "x-tycho": {"externalNames": ["*"]}},
    "paths": {"services": {"web": {"image": "x", "x-tycho": {"hostPaths": ["/"], "grants": ["x-tycho*"]}}}},
}  # fmt: skip


@pytest.mark.parametrize("case", CLAIMED)
def test_a_file_grants_itself_nothing(case: str) -> None:
    with pytest.raises(PolicyDenied) as denied:
        apply_policies(load(Sources.from_document(CLAIMED[case], env={}, name="shop")))
    assert any("x-tycho" in problem.path for problem in denied.value.problems)


def test_one_right_is_not_another(tmp_path: Path) -> None:
    grants = {"80-a.yaml": "description: A.\nmatch: {name: web}\nadd: {x-tycho: {grants: [cap_add=BPF]}}"}
    (tmp_path / "80-a.yaml").write_text(grants["80-a.yaml"])
    with pytest.raises(PolicyDenied) as denied:
        apply_policies(system("services: {web: {image: x, cap_add: [BPF, PERFMON]}}"), folders=[tmp_path])
    assert [problem.path for problem in denied.value.problems] == ["services.web.cap_add[1]"]


def test_grants_add_up_over_policies(tmp_path: Path) -> None:
    for number, right in enumerate(("pid=host", "ipc=host")):
        text = {"description": "A.", "add": {"x-tycho": {"grants": [right]}}}
        (tmp_path / f"8{number}-a.yaml").write_text(json.dumps(text))
    before = system("services: {web: {image: x, pid: host, ipc: host}}")
    assert emit(apply_policies(before, folders=[tmp_path])).rights.pods[0].services[0].grants == (
        "pid=host",
        "ipc=host",
    )


def test_external_names_are_the_operators(tmp_path: Path) -> None:
    def asked(name: str, section: str = "secrets") -> str:
        use = {"secrets": "secrets: [theirs]", "configs": "configs: [theirs]", "volumes": "volumes: ['theirs:/r']"}[
            section
        ]
        return f"services: {{web: {{image: x, {use}}}}}\n{section}: {{theirs: {{external: true, name: '{name}'}}}}"

    (tmp_path / "40-external-names.yaml").write_text(
        'description: Shared.\nsystem: {patch: {x-tycho: {externalNames: ["shared-*"]}}}'
    )
    for section in ("secrets", "configs", "volumes"):
        assert emit(apply_policies(system(asked("shared-a", section)), folders=[tmp_path])).files
        assert emit(apply_policies(system(asked("anything", section)))).files
        with pytest.raises(PolicyDenied) as denied:
            emit(apply_policies(system(asked("anything", section)), folders=[tmp_path]))
        assert denied.value.problems[0].path == f"{section}.theirs"
    for name in ("sh.helm.release.v1.other.v1", "SH.helm.release.v1.x", "${R:-sh.helm.release.v1.o.v2}"):
        with pytest.raises(PolicyDenied, match="refused"):
            emit(apply_policies(system(asked(name))))


def test_the_top_level_can_be_refused(tmp_path: Path) -> None:
    policy = "description: D.\nsystem: {has: [networks.back, x-a], deny: 'no {has}'}\nhint: leave out {right}"
    text = "services: {web: {image: x, networks: [back]}}\nnetworks: {back: {}}\nx-a: b"
    with pytest.raises(PolicyDenied) as denied:
        policy_result(tmp_path, text, policy)
    assert [(problem.path, problem.message, problem.hint) for problem in denied.value.problems] == [
        ("networks.back", "no ", "leave out networks.back"), ("x-a", "no b", "leave out x-a=b"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["system: {has: [a]}", "system: {deny: no}", "system: {has: [], deny: no}"])
def test_half_a_refusal_is_broken(tmp_path: Path, text: str) -> None:
    with pytest.raises(PolicyError):
        policy_result(tmp_path, "services: {web: {image: x}}", f"description: D.\n{text}")
