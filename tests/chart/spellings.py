"""Documents that ask for rights: every right in each of its spellings, in every place where a document may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tycho.errors import ComposeError, PolicyDenied

Fragment = Mapping[str, Any]
Files = dict[str, str]

CAPABILITIES = ("ALL", "SYS_ADMIN", "NET_ADMIN", "NET_RAW", "SYS_PTRACE", "BPF", "DAC_READ_SEARCH", "CHOWN", "FOO")
OPTIONS = (
    "seccomp:unconfined", "seccomp=unconfined", " seccomp : unconfined ", "SECCOMP=Unconfined",
    "apparmor:unconfined", "apparmor=unconfined", "AppArmor= unconfined", "apparmor=Unconfined",
    "label:type:spc_t", "label=type:spc_t", "label=type=spc_t", "LABEL:TYPE:spc_t", "label: type: spc_t",
    "label:user:system_u", "label=role:system_r", "label=type:container_t", "label=level:s0:c1,c2",
    "label:disable", "label=disable", "disable", "systempaths=unconfined", "systempaths:unconfined",
    "no-new-privileges", "no-new-privileges:false", "no-new-privileges=0", "no-new-privileges:true",
)  # fmt: skip
MODES = ("network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup")
SYSCTLS: tuple[Any, ...] = (
    {"kernel.msgmax": 65536}, ["kernel.msgmax=65536"], {"net.core.somaxconn": "1024"}, {" net.core.somaxconn ": "1"},
    {"net/core/somaxconn": "1"}, {"net.ipv4.tcp_syncookies": 1}, {"net.ipv4.tcp_notsent_lowat": 1},
    {"vm.swappiness": 1},
)  # fmt: skip
ANNOTATIONS = {
    "container.apparmor.security.beta.kubernetes.io/{}": "unconfined",
    "container.seccomp.security.alpha.kubernetes.io/{}": "unconfined",
    "seccomp.security.alpha.kubernetes.io/pod": "unconfined",
    "io.kubernetes.cri-o.userns-mode": "host",
    "io.kubernetes.cri-o.Devices": "/dev/sda",
    "cdi.k8s.io/gpu": "vendor.com/gpu=all",
    "k8s.v1.cni.cncf.io/networks": "kube-system/host",
    "run.oci.hooks.stderr": "/dev/null",
    "org.systemd.property.DevicePolicy": "'auto'",
    "app.kubernetes.io/name": "other",
    "tycho.dev/service": "other",
    "helm.sh/hook": "pre-install",
    "checksum/x": "1",
    "com.example/x": "1",
}
OTHERS: Mapping[str, Fragment] = {
    "privileged": {"privileged": True},
    "privileged-text": {"privileged": "true"},
    "host-port": {"ports": [{"target": 80, "published": "8080", "mode": "host"}]},
    "host-port-spelled": {"ports": [{"target": 80, "published": "8080", "mode": " Host"}]},
    "socket": {"use_api_socket": True},
    "docker-socket": {"volumes": ["/var/run/docker.sock:/var/run/docker.sock"]},
    "shared-propagation": {
        "volumes": [{"type": "volume", "source": "data", "target": "/d", "bind": {"propagation": "rshared"}}]
    },
    "device": {"devices": ["/dev/kvm"]},
    "device-rule": {"device_cgroup_rules": ["c 1:3 mr"]},
    "hook-privileged": {"post_start": [{"command": ["x"], "privileged": True}]},
}


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to ask for a right: keys of a service, with `{}` where the container's name stands."""

    name: str
    keys: Fragment


def spell() -> Iterator[Spelling]:
    """Yield every right in each of its spellings."""
    for capability in CAPABILITIES:
        for text in (
            capability,
            capability.lower(),
            f"CAP_{capability}",
            f"cap_{capability.lower()}",
            f" {capability} ",
        ):
            yield Spelling(f"cap_add={text}", {"cap_add": [text]})
    for option in OPTIONS:
        yield Spelling(f"security_opt={option}", {"security_opt": [option]})
    for key in MODES:
        for text in ("host", " Host"):
            yield Spelling(f"{key}={text}", {key: text})
    for sysctls in SYSCTLS:
        yield Spelling(f"sysctls={sysctls}", {"sysctls": sysctls})
    for key, value in ANNOTATIONS.items():
        for where in ("labels", "annotations"):
            yield Spelling(f"{where}={key}", {where: {key: value}})
    for name, keys in OTHERS.items():
        yield Spelling(name, keys)


def _service(spelling: Spelling, name: str) -> dict[str, Any]:
    text = yaml.safe_dump({"image": "x:1", **spelling.keys}).replace("{}", name)
    service: dict[str, Any] = yaml.safe_load(text)
    return service


def _document(**sections: Any) -> str:
    return yaml.safe_dump({**sections, "volumes": {"data": {}}}, sort_keys=False)


def _named(spellings: Sequence[Spelling]) -> dict[str, dict[str, Any]]:
    return {f"c{index}": _service(spelling, f"c{index}") for index, spelling in enumerate(spellings)}


def services(spellings: Sequence[Spelling]) -> tuple[Files, dict[str, str]]:
    """Ask in services."""
    return {"compose.yaml": _document(services=_named(spellings))}, {}


def jobs(spellings: Sequence[Spelling]) -> tuple[Files, dict[str, str]]:
    """Ask in jobs."""
    named = {name: {**keys, "triggers": {"manual": True}} for name, keys in _named(spellings).items()}
    return {"compose.yaml": _document(services={"web": {"image": "x:1"}}, jobs=named)}, {}


def hooks(spellings: Sequence[Spelling]) -> tuple[Files, dict[str, str]]:
    """Ask in containers that run before the service's own."""
    services = {
        name: {"image": "x:1", "pre_start": [{"command": ["x"], "per_replica": True, **keys}]}
        for name, keys in _named(spellings).items()
    }
    return {"compose.yaml": _document(services=services)}, {}


def extends(spellings: Sequence[Spelling]) -> tuple[Files, dict[str, str]]:
    """Ask in a file that services extend."""
    named = _named(spellings)
    services = {name: {"extends": {"file": "base.yaml", "service": name}} for name in named}
    return {"compose.yaml": _document(services=services), "base.yaml": _document(services=named)}, {}


def override(spellings: Sequence[Spelling]) -> tuple[Files, dict[str, str]]:
    """Ask in a second file that is merged over the first."""
    named = _named(spellings)
    plain = {name: {"image": "x:1"} for name in named}
    return {"compose.yaml": _document(services=plain), "compose.override.yaml": _document(services=named)}, {}


def aliased(spellings: Sequence[Spelling]) -> tuple[Files, dict[str, str]]:
    """Ask in an extension field that services take over by YAML's merge key."""
    named = _named(spellings)
    head = "".join(f"x-{name}: &{name}\n{_indent(yaml.safe_dump(keys))}" for name, keys in named.items())
    body = "".join(f"  {name}:\n    <<: *{name}\n" for name in named)
    return {"compose.yaml": f"{head}services:\n{body}volumes: {{data: {{}}}}\n"}, {}


def variables(spellings: Sequence[Spelling]) -> tuple[Files, dict[str, str]]:
    """Ask with variables that are worth the right in the environment at hand."""
    env: dict[str, str] = {}

    def hide(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: hide(child) for key, child in value.items()}
        if isinstance(value, list):
            return [hide(child) for child in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        name = f"V{len(env)}"
        env[name] = str(value).lower() if isinstance(value, bool) else str(value)
        return f"${{{name}}}"

    named = {name: hide(keys) for name, keys in _named(spellings).items()}
    return {"compose.yaml": _document(services=named)}, env


def _indent(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


Place = Callable[[Sequence[Spelling]], tuple[Files, dict[str, str]]]
PLACES: Mapping[str, Place] = {
    place.__name__: place for place in (services, jobs, hooks, extends, override, aliased, variables)
}
FIXED = frozenset({"ports", "volumes", "post_start", "use_api_socket"})
"""What hooks and jobs have not, or what no variable stands for."""


def documents() -> Iterator[tuple[str, Spelling]]:
    """Yield place and spelling of each document: every spelling as a service and in one place more."""
    others = [name for name in PLACES if name != "services"]
    for index, spelling in enumerate(spell()):
        yield "services", spelling
        place = others[index % len(others)]
        if spelling.keys.keys() & FIXED:
            place = "extends"
        yield place, spelling


def keep_able(spellings: Sequence[Spelling], attempt: Callable[[Sequence[Spelling]], object]) -> list[Spelling]:
    """Leave out what is refused, wherever many are asked for at once.

    Args:
        spellings: What is asked for; each is the service `c<index>`.
        attempt: Compiles a document that asks for them.
    """
    able = list(spellings)
    while True:
        try:
            attempt(able)
        except (ComposeError, PolicyDenied) as error:
            refused = {problem.path.split(".")[1].partition("[")[0] for problem in error.problems}
            left = [spelling for index, spelling in enumerate(able) if f"c{index}" not in refused]
            if len(left) == len(able):
                raise
            able = left
        else:
            return able
