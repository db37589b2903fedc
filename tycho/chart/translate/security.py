"""`user`, `privileged`, `read_only`, `cap_add`, `cap_drop`, `security_opt`, `group_add`, `sysctls`, `pid`, `ipc`."""

from __future__ import annotations

from collections.abc import Iterator

from tycho.chart.chart import ReportTarget
from tycho.chart.podsecurity import SAFE_SYSCTLS
from tycho.chart.translate.key_rule import (
    Rows,
    Table,
    approximated,
    ignored,
    per_pod,
    read_fields,
    rejected,
    translated,
    whole,
)
from tycho.chart.translate.key_use import KeyUse, container, pod
from tycho.chart.workload_kind import tycho_extension
from tycho.chart.yaml_writer import YamlValue
from tycho.model import Service
from tycho.model.numbers import is_digits, parse_id
from tycho.model.rights import normalize_capability, parse_option

HARDENING = "10-hardening.yaml"
GAINS = f"{HARDENING} sets it: sudo, su and other setuid programs cannot gain rights, as they can in Docker"
KEEP_OUT = "set security_opt: [no-new-privileges=false] to turn it off"
NODE, LEAVE = "it is a setting of the node, not of a container", "remove it"


def translate_security(service: Service) -> dict[str, YamlValue]:
    """Translate into the securityContext of the container."""
    context = read_ids(service)
    context |= read_fields(KEYS, service, "container").get("securityContext", {})  # type: ignore[arg-type]
    escalates = _always_escalates(service)
    for option in service.security_opt:
        context |= dict(_option(option, escalates=escalates))
    return context


def _always_escalates(service: Service) -> bool:
    """Tell whether a container has rights with which Kubernetes allows privilege escalation whatever is asked."""
    return service.privileged or "SYS_ADMIN" in map(normalize_capability, service.cap_add)


def read_ids(service: Service) -> dict[str, YamlValue]:
    """Read the numbers of user and group, as far as they are said."""
    user, _, group = (service.user or "").partition(":")
    ids = {"runAsUser": parse_id(user), "runAsGroup": parse_id(group)}
    return {name: number for name, number in ids.items() if number is not None}


def read_capabilities(names: tuple[str, ...]) -> YamlValue:
    """Read names of capabilities, as Kubernetes writes them."""
    return list[YamlValue](sorted(normalize_capability(name) for name in names))


def _option(option: str, *, escalates: bool) -> Iterator[tuple[str, YamlValue]]:
    match parse_option(option):
        case "no-new-privileges", "true":
            # The API server refuses it together with privileged or SYS_ADMIN, where it means nothing.
            if not escalates:
                yield "allowPrivilegeEscalation", False
        case "seccomp", "unconfined":
            yield "seccompProfile", {"type": "Unconfined"}
        case "seccomp", path if path and not path.startswith("{"):
            yield "seccompProfile", {"type": "Localhost", "localhostProfile": path.removeprefix("./")}
        case "apparmor", "unconfined":
            yield "appArmorProfile", {"type": "Unconfined"}
        case "apparmor", profile if profile:
            yield "appArmorProfile", {"type": "Localhost", "localhostProfile": profile}


def translate_pod_security(service: Service) -> dict[str, YamlValue]:
    """Translate into the securityContext of the pod: groups, the group of volumes, and SELinux's labels."""
    context: dict[str, YamlValue] = {}
    if groups := {number for group in service.group_add if (number := parse_id(group)) is not None}:
        context["supplementalGroups"] = list[YamlValue](sorted(groups))
    if isinstance(group := tycho_extension(service).get("fsGroup"), int):
        context["fsGroup"] = group
        context["fsGroupChangePolicy"] = "OnRootMismatch"
    if labels := _selinux_labels(service):
        context["seLinuxOptions"] = dict[str, YamlValue](labels)
    return context


def _selinux_labels(service: Service) -> dict[str, str]:
    labels = {}
    for option in service.security_opt:
        key, value = parse_option(option)
        field, _, label = value.partition(":")
        if key == "label" and field in ("user", "role", "type", "level"):
            labels[field] = label
    return labels


def group_of(service: Service) -> str:
    """Return the group of a service's user, or the user's own number where none is said; "" without numbers."""
    user, _, group = (service.user or "").partition(":")
    number = group or user.lstrip("0")
    return number if is_digits(number) and is_digits(user) and int(user) else ""


def assess_user(use: KeyUse) -> Rows:
    """Assess `user`: Kubernetes does not read /etc/passwd of an image."""
    parts = str(use.value).split(":")
    names = [part for part in parts if part and parse_id(part) is None]
    if len(parts) > 2:
        yield "", rejected(f'"{use.value}" is not USER:GROUP', 'write two numbers: "1000:1000"')
    elif names:
        remedy = 'write the number, as `id` prints it in the image: "1000:1000"'
        yield "", rejected(f'"{names[0]}" is a name, and Kubernetes takes numbers', remedy)
    elif len(parts) > 1:
        but = "groups of the user in the image's /etc/group apply, too"
        yield "", translated("runAsUser, runAsGroup", find_ids, but=but)
    elif _gives_claims(use):
        why = "the user's number becomes a group of the process, which owns the pod's volumes"
        places = (container("securityContext.runAsUser"), pod("securityContext.fsGroup"))
        remedy = f'write its group, too: "{parts[0]}:{parts[0]}"'
        yield "", translated("runAsUser, fsGroup", *places, but=why, remedy=remedy)


def find_ids(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the numbers of user and group, as far as they are said."""
    for name in read_ids(use.service):
        yield from container(f"securityContext.{name}")(use)


def _gives_claims(use: KeyUse) -> bool:
    """Tell whether the claims of a pod belong to this service's user."""
    mounts_claims = any(volume.kind == "claim" for volume in use.pod.volumes)
    return mounts_claims and use.pod.fs_group == group_of(use.service) != ""


def assess_groups(use: KeyUse) -> Rows:
    """Assess `group_add`: groups are numbers."""
    for index, group in enumerate(use.value):
        if parse_id(str(group)) is None:
            why = f'"{group}" is a name, and Kubernetes takes numbers'
            yield f"[{index}]", rejected(why, "write the group's number")


def assess_options(use: KeyUse) -> Rows:
    """Assess `security_opt`: options that have no counterpart, and one that Docker does not have of itself."""
    file, _ = use.layout.system.at(f"services.{use.name}.security_opt")
    options = [parse_option(str(option)) for option in use.value]
    if ("no-new-privileges", "true") in options and file.endswith(HARDENING):
        words = "securityContext, with allowPrivilegeEscalation: false"
        if "allowPrivilegeEscalation" in use.container.security_context:
            yield "", translated(words, find_options, but=GAINS, remedy=KEEP_OUT)
    elif use.value and set(options) <= {("no-new-privileges", "false")}:
        yield "", translated("a container whose programs may gain rights, as in Docker", container(""))
    for index, option in enumerate(use.value):
        key, value = parse_option(str(option))
        if key not in ("no-new-privileges", "seccomp", "apparmor", "label") or value.startswith("{"):
            yield f"[{index}]", ignored(f"{key} is an option of Docker", "set services.X.securityContext")
        elif key == "seccomp" and value != "unconfined" and not is_profile(value):
            why = "a profile lies below the kubelet's seccomp folder"
            yield f"[{index}]", rejected(why, "name it relative to that")
        elif key == "label" and value == "disable":
            remedy = "set services.X.podSecurityContext.seLinuxOptions"
            yield f"[{index}]", ignored("SELinux is configured on the node", remedy)


def find_options(use: KeyUse) -> Iterator[ReportTarget]:
    """Find what the options of a service set."""
    escalates = _always_escalates(use.service)
    for option in use.service.security_opt:
        for name, _ in _option(option, escalates=escalates):
            yield from container(f"securityContext.{name}")(use)
    if _selinux_labels(use.service):
        yield from pod("securityContext.seLinuxOptions")(use)


def is_profile(option: str) -> bool:
    """Tell whether a profile lies below the kubelet's folder of profiles."""
    return not option.startswith("/") and ".." not in option.split("/")


def assess_sysctls(use: KeyUse) -> Rows:
    """Assess `sysctls`: the kubelet lets few through."""
    for name in use.value:
        if name not in SAFE_SYSCTLS:
            why = "a kubelet refuses the sysctl unless it is allowed there"
            yield f".{name}", approximated("sysctls", why, "set --allowed-unsafe-sysctls of the kubelet", SYSCTLS)


def assess_users(use: KeyUse) -> Rows:
    """Assess `userns_mode`: the host's users, which a pod has by itself, or a mapping."""
    if use.value != "host":
        yield "", approximated("", "the cluster maps users", "set services.X.podSecurityContext")


def assess_namespace(use: KeyUse) -> Rows:
    """Assess `pid` and `ipc`."""
    kind = str(use.value).partition(":")[0]
    if kind == "container":
        yield "", rejected("a container outside the project is not in the cluster", "write service:NAME")
    elif kind == "service":
        but = "they share the pod's name, address and namespaces"
        remedy = "call both by the name of the other"
        yield "", translated("one pod for both", container(""), but=but, remedy=remedy)
    elif kind != "host":
        yield "", ignored("containers of a pod share its namespaces", "remove it, or service:NAME")


SYSCTLS = pod("securityContext.sysctls")
KEYS: Table = {
    "user": translated("runAsUser, runAsGroup", find_ids, assess=assess_user),
    "group_add": per_pod(
        translated("supplementalGroups", pod("securityContext.supplementalGroups"), assess=assess_groups)
    ),
    "privileged": translated(
        "privileged", container("securityContext.privileged"), read=lambda service: service.privileged
    ),
    "read_only": translated(
        "readOnlyRootFilesystem",
        container("securityContext.readOnlyRootFilesystem"),
        read=lambda service: service.read_only,
        but="/etc/hosts, /etc/hostname and /etc/resolv.conf stay writable for root",
    ),
    "cap_add": translated(
        "capabilities.add",
        container("securityContext.capabilities.add"),
        read=lambda service: read_capabilities(service.cap_add),
    ),
    "cap_drop": translated(
        "capabilities.drop",
        container("securityContext.capabilities.drop"),
        read=lambda service: read_capabilities(service.cap_drop),
    ),
    "security_opt": translated("securityContext", find_options, assess=assess_options),
    "sysctls": per_pod(whole(translated("sysctls (live)", SYSCTLS, assess=assess_sysctls))),
    "umask": ignored("a pod has none", "set it in the image's entrypoint"),
    "userns_mode": translated("nothing: a pod has the host's users by itself", assess=assess_users),
    "pid": translated("hostPID, or one pod for both", pod("hostPID"), assess=assess_namespace),
    "ipc": translated("hostIPC, or one pod for both", pod("hostIPC"), assess=assess_namespace),
    "uts": ignored("a pod has a hostname of its own", "set hostname"),
    "cgroup": ignored(NODE, LEAVE),
    "cgroup_parent": ignored(NODE, LEAVE),
    "isolation": ignored("it is about containers on Windows", LEAVE),
    "credential_spec": whole(rejected("it is about containers on Windows", "use a GMSACredentialSpec of the cluster")),
    "devices": whole(
        rejected(
            "a pod cannot be given a device of its node",
            "ask a device plugin for it, by deploy.resources.reservations.devices",
        )
    ),
    "device_cgroup_rules": ignored(
        "devices come from plugins, with their rights", "ask for them by deploy.resources.reservations.devices"
    ),
    "use_api_socket": rejected("a cluster has no Docker", "remove it, or call the Kubernetes API as a service account"),
    "logging": whole(ignored("the node collects what a container prints", "use kubectl logs, or a log collector")),
}
