"""`user`, `privileged`, `read_only`, `cap_add`, `cap_drop`, `security_opt`, `group_add`, `sysctls`."""

from __future__ import annotations

from collections.abc import Iterator

from tycho.chart.yaml import Tree
from tycho.model import Service
from tycho.model.numbers import is_digits, parse_id
from tycho.model.rights import normalize_capability, parse_option


def translate_security(service: Service) -> dict[str, Tree]:
    """Translate into the securityContext of the container."""
    user, _, group = (service.user or "").partition(":")
    ids = {"runAsUser": parse_id(user), "runAsGroup": parse_id(group)}
    context: dict[str, Tree] = {key: number for key, number in ids.items() if number is not None}
    if service.privileged:
        context["privileged"] = True
    if service.read_only:
        context["readOnlyRootFilesystem"] = True
    add, drop = ([normalize_capability(name) for name in names] for names in (service.cap_add, service.cap_drop))
    capabilities: dict[str, Tree] = {key: sorted(names) for key, names in (("add", add), ("drop", drop)) if names}
    if capabilities:
        context["capabilities"] = capabilities
    for option in service.security_opt:
        context |= dict(_option(option, rising=service.privileged or "SYS_ADMIN" in add))
    return context


def _option(option: str, *, rising: bool) -> Iterator[tuple[str, Tree]]:
    match parse_option(option):
        case "no-new-privileges", "true":
            # The API server refuses it together with privileged or SYS_ADMIN, where it means nothing.
            if not rising:
                yield "allowPrivilegeEscalation", False
        case "seccomp", "unconfined":
            yield "seccompProfile", {"type": "Unconfined"}
        case "seccomp", path if path and not path.startswith("{"):
            yield "seccompProfile", {"type": "Localhost", "localhostProfile": path.removeprefix("./")}
        case "apparmor", "unconfined":
            yield "appArmorProfile", {"type": "Unconfined"}
        case "apparmor", profile if profile:
            yield "appArmorProfile", {"type": "Localhost", "localhostProfile": profile}


def translate_pod_security(service: Service) -> dict[str, Tree]:
    """Translate into the securityContext of the pod: groups, and SELinux's labels."""
    context: dict[str, Tree] = {}
    if groups := {number for group in service.group_add if (number := parse_id(group)) is not None}:
        context["supplementalGroups"] = list[Tree](sorted(groups))
    if labels := _selinux_labels(service):
        context["seLinuxOptions"] = dict[str, Tree](labels)
    return context


def _selinux_labels(service: Service) -> dict[str, str]:
    labels = {}
    for option in service.security_opt:
        key, value = parse_option(option)
        field, _, label = value.partition(":")
        if key == "label" and field in ("user", "role", "type", "level"):
            labels[field] = label
    return labels


def owner_of(service: Service) -> str:
    """Return who owns what is copied into a service's volumes, as `chown` takes it; "" without a number."""
    user, _, group = (service.user or "").partition(":")
    uid, gid = parse_id(user), parse_id(group)
    return ("" if uid is None else str(uid)) + ("" if gid is None else f":{gid}")


def group_of(service: Service) -> str:
    """Return the group of a service's user, or the user's own number where none is said; "" without numbers."""
    user, _, group = (service.user or "").partition(":")
    number = group or user.lstrip("0")
    return number if is_digits(number) and is_digits(user) and int(user) else ""
