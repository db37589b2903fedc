"""Find what Pod Security's profile `baseline` forbids in Kubernetes objects.

Each violation names the right that would allow it in Compose's language, so that a policy can grant just that one.
Source: k8s.io/pod-security-admission v0.37, package policy: every check of the level baseline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

Object = Mapping[str, Any]

_MAPPING = (dict, Mapping)  # nearly every one is a dict, and that is told faster

CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
"""What a container may be given."""

SAFE_SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem", "net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat",
})  # fmt: skip
SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
HOST_NAMESPACES = {"hostNetwork": "network_mode", "hostPID": "pid", "hostIPC": "ipc"}
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP = ("seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"), ("spec", "template")
    ),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where each kind keeps the pod that it makes."""


class Violation(Struct, frozen=True):
    """A setting that `baseline` forbids.

    Args:
        path: The right's path in a service, in Compose's language.
        value: Its value; with the path, what a grant has to cover.
        message: What is asked for, in Kubernetes' words.
        container: The container that asks, "" for the pod.
    """

    path: str
    value: str
    message: str
    container: str = ""

    @property
    def right(self) -> str:
        """The grant that covers it."""
        plain = self.value == "true" or self.path.startswith(("sysctls.", "annotations."))
        return self.path if plain else f"{self.path}={self.value}"


def find_pod(rendered: Object) -> Object | None:
    """Find the pod that an object is or makes: a mapping with metadata and spec."""
    if (keys := TEMPLATES.get(str(rendered.get("kind")))) is None:
        return None
    for key in keys:
        rendered = as_mapping(rendered.get(key))
    return rendered


def find_violations(pod: Object) -> Iterator[Violation]:
    """Yield what `baseline` forbids of a pod.

    Args:
        pod: Its metadata and spec; whatever has another type than Kubernetes wants counts as a violation.
    """
    spec = as_mapping(pod.get("spec"))
    for field, path in HOST_NAMESPACES.items():
        if spec.get(field):
            yield Violation(path, "host", f"{field}: true")
    for volume in as_list(spec.get("volumes")):
        host_path = as_mapping(volume).get("hostPath")
        if host_path is not None:
            name = str(as_mapping(host_path).get("path", ""))
            yield Violation("x-tycho.hostPaths", name, f"the node's path {name} as a volume")
    context = as_mapping(spec.get("securityContext"))
    for sysctl in as_list(context.get("sysctls")):
        name = str(as_mapping(sysctl).get("name", ""))
        if name not in SAFE_SYSCTLS:
            yield Violation(f"sysctls.{name}", str(as_mapping(sysctl).get("value", "")), f"the unsafe sysctl {name}")
    yield from _context_violations(context, "")
    yield from _annotation_violations(as_mapping(as_mapping(pod.get("metadata")).get("annotations")))
    for section in CONTAINERS:
        for container in as_list(spec.get(section)):
            yield from _container_violations(as_mapping(container), in_user_namespace=spec.get("hostUsers") is False)


def _container_violations(container: Object, *, in_user_namespace: bool) -> Iterator[Violation]:
    name = str(container.get("name", ""))
    context = as_mapping(container.get("securityContext"))
    privileged = bool(context.get("privileged"))
    if privileged:
        yield Violation("privileged", "true", "privileged: true", name)
    for capability in as_list(as_mapping(context.get("capabilities")).get("add")):
        if capability not in CAPABILITIES:
            yield Violation("cap_add", str(capability), f"the capability {capability}", name)
    if context.get("procMount") not in (None, "Default") and not in_user_namespace:
        yield Violation("security_opt", "systempaths=unconfined", f"procMount: {context['procMount']}", name)
    yield from _context_violations(context, name)
    for port in as_list(container.get("ports")):
        if as_mapping(port).get("hostPort"):
            yield Violation("ports.mode", "host", f"hostPort {as_mapping(port)['hostPort']}", name)
    for mount in as_list(container.get("volumeMounts")):
        if as_mapping(mount).get("mountPropagation") == "Bidirectional" and not privileged:
            yield Violation("privileged", "true", "mountPropagation: Bidirectional, which needs privileged", name)
    handlers = {key: as_mapping(container.get(key)) for key in PROBES}
    lifecycle = as_mapping(container.get("lifecycle"))
    handlers |= {f"lifecycle.{key}": as_mapping(lifecycle.get(key)) for key in ("postStart", "preStop")}
    for key, handler in handlers.items():
        for action in ("httpGet", "tcpSocket"):
            if host := as_mapping(handler.get(action)).get("host"):
                yield Violation("healthcheck.host", str(host), f"{key} calls the host {host}", name)


def _context_violations(context: Object, container: str) -> Iterator[Violation]:
    """Yield what `baseline` forbids in the securityContext of a pod or container."""
    for field, key in (("seccompProfile", "seccomp"), ("appArmorProfile", "apparmor")):
        profile = context.get(field)
        kind = as_mapping(profile).get("type")
        if profile is not None and kind not in ("RuntimeDefault", "Localhost"):
            yield Violation("security_opt", f"{key}=unconfined", f"{field}: {kind}", container)
    options = as_mapping(context.get("seLinuxOptions"))
    for field in ("type", "user", "role"):
        value = str(options.get(field) or "")
        if value not in SELINUX_TYPES if field == "type" else value:
            yield Violation("security_opt", f"label={field}:{value}", f"seLinuxOptions.{field}: {value}", container)
    if as_mapping(context.get("windowsOptions")).get("hostProcess"):
        yield Violation("isolation", "hostProcess", "hostProcess: true", container)


def _annotation_violations(annotations: Object) -> Iterator[Violation]:
    for key, value in annotations.items():
        text = str(value or "")
        if key.startswith(APPARMOR) and not (text in ("", "runtime/default") or text.startswith("localhost/")):
            yield Violation(f"annotations.{key}", text, f"the AppArmor profile {text}")
        if key.startswith(SECCOMP) and not (
            text in ("runtime/default", "docker/default") or text.startswith("localhost/")
        ):
            yield Violation(f"annotations.{key}", text, f"the seccomp profile {text}")


def as_mapping(value: object) -> Object:
    """Take a value for a mapping; an empty one where it is none."""
    return value if isinstance(value, _MAPPING) else {}


def as_list(value: object) -> list[Any]:
    """Take a value for a list; one of a single entry where it is something else."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
