"""`securityContext` of a service and `security_context` of the whole file: users, groups and rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tycho.compose.dialect.extension import add_extension, read_digits
from tycho.compose.dialect.notes import Notes
from tycho.compose.go_scalars import format_go
from tycho.compose.yaml_nodes import YamlNode

SPELLED: Mapping[str, str] = {
    "run_as_user": "runAsUser", "run_as_group": "runAsGroup", "fs_group": "fsGroup",
}  # fmt: skip
"""Keys of `security_context`, as Kubernetes writes them."""


def translate_security(service: YamlNode, path: str, notes: Notes) -> None:
    """Translate the `securityContext` of a service.

    Args:
        service: It changes.
        path: Its Compose path.
        notes: Where uses and problems go.
    """
    context = service.map.pop("securityContext", None)
    if context is not None:
        _translate(context, [(path, service)], f"{path}.securityContext", notes)


def translate_system_security(context: YamlNode, document: YamlNode, notes: Notes) -> None:
    """Translate the `security_context` of a document: of all its services, as far as they do not say it themselves.

    Args:
        context: What it says.
        document: Whose services change.
        notes: Where uses and problems go.
    """
    services = [
        (f"{root}.{name}", service)
        for root in ("services", "jobs")
        for name, service in (document.get(root) or document.with_value({})).map.items()
        if isinstance(service.value, dict)
    ]
    _translate(context, services, "security_context", notes)


def _is_scalar(node: YamlNode) -> bool:
    return not isinstance(node.value, dict | list)


def _is_list(node: YamlNode | None) -> bool:
    return node is None or (isinstance(node.value, list) and all(map(_is_scalar, node.value)))


def _is_capabilities(node: YamlNode) -> bool:
    known = node.map.keys() <= {"add", "drop"}
    return isinstance(node.value, dict) and known and _is_list(node.get("add")) and _is_list(node.get("drop"))


SHAPES: Mapping[str, tuple[Callable[[YamlNode], bool], str]] = {
    **dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), (_is_scalar, "1000")),
    **dict.fromkeys(("privileged", "readOnlyRootFilesystem", "allowPrivilegeEscalation"), (_is_scalar, "true")),
    "supplementalGroups": (_is_list, "[5000]"),
    "capabilities": (_is_capabilities, "{drop: [ALL], add: [NET_BIND_SERVICE]}"),
}
"""How each field is told to be well written, and an example."""


def _translate(context: YamlNode, services: list[tuple[str, YamlNode]], where: str, notes: Notes) -> None:
    if context.value is None:
        return
    if not isinstance(context.value, dict):
        notes.refused(context, where, "it is not a mapping", "write for example {runAsUser: 1000, fsGroup: 1000}")
        return
    fields = {SPELLED.get(key, key): (key, node) for key, node in context.map.items() if node.value not in (None, "")}
    for field, (key, node) in [*fields.items()]:
        if field in SHAPES and not SHAPES[field][0](node):
            notes.refused(node, f"{where}.{key}", "it cannot hold this", f"write {key}: {SHAPES[field][1]}")
            del fields[field]
    _translate_user(fields, services, where, notes)
    for field, (key, node) in fields.items():
        at = f"{where}.{key}"
        if field in ("runAsUser", "runAsGroup"):
            continue
        if field in WRITERS:
            keys, write = WRITERS[field]
            paths = [write(service, path, node) for path, service in services]
            notes.translated(node, at, keys, paths[0] if paths else "")
        else:
            notes.ignored(node, at, "Compose has no such key", "set services.X.securityContext in the chart's values")


def _translate_user(
    fields: Mapping[str, tuple[str, YamlNode]], services: list[tuple[str, YamlNode]], where: str, notes: Notes
) -> None:
    """Write `user: USER:GROUP`, unless the service says its user itself."""
    parts = {field: fields[field] for field in ("runAsUser", "runAsGroup") if field in fields}
    if not parts:
        return
    texts = {field: format_go(node.value) for field, (_, node) in parts.items()}
    user = texts.get("runAsUser", "")
    _, first = next(iter(parts.values()))
    text = f"{user}:{texts['runAsGroup']}" if "runAsGroup" in texts else user
    unsaid = [(path, service) for path, service in services if "user" not in service.map]
    for _, service in unsaid:
        service.value["user"] = first.with_value(text)
    for key, node in parts.values():
        if unsaid:
            notes.translated(node, f"{where}.{key}", "user", f"{unsaid[0][0]}.user")
        else:
            notes.ignored(node, f"{where}.{key}", "user counts, which the service says itself", "remove one of them")


def _set_fs_group(service: YamlNode, path: str, node: YamlNode) -> str:
    add_extension(service, "fsGroup", read_digits(node))
    return f"{path}.x-tycho.fsGroup"


def _set(key: str) -> Callable[[YamlNode, str, YamlNode], str]:
    def put(service: YamlNode, path: str, node: YamlNode) -> str:
        service.map.setdefault(key, node)
        return f"{path}.{key}"

    return put


def _set_groups(service: YamlNode, path: str, node: YamlNode) -> str:
    _append(service, "group_add", [node.with_value(format_go(child.value)) for child in node.seq])
    return f"{path}.group_add"


def _set_escalation(service: YamlNode, path: str, node: YamlNode) -> str:
    allowed = str(node.value).lower() == "true"
    _append(service, "security_opt", [node.with_value(f"no-new-privileges={str(not allowed).lower()}")])
    return f"{path}.security_opt"


def _set_capabilities(service: YamlNode, path: str, node: YamlNode) -> str:
    for key, ours in (("add", "cap_add"), ("drop", "cap_drop")):
        if child := node.get(key):
            _append(service, ours, list(child.seq))
    return f"{path}.cap_{'add' if 'add' in node.map else 'drop'}"


def _append(service: YamlNode, key: str, entries: list[YamlNode]) -> None:
    """Add what is not in a list yet."""
    if not entries:
        return
    known = service.map.setdefault(key, entries[0].with_value([]))
    if isinstance(known.value, list):
        values = [child.value for child in known.value]
        known.value += [entry for entry in entries if entry.value not in values]


WRITERS: Mapping[str, tuple[str, Callable[[YamlNode, str, YamlNode], str]]] = {
    "fsGroup": ("x-tycho.fsGroup", _set_fs_group),
    "privileged": ("privileged", _set("privileged")),
    "readOnlyRootFilesystem": ("read_only", _set("read_only")),
    "supplementalGroups": ("group_add", _set_groups),
    "allowPrivilegeEscalation": ("security_opt", _set_escalation),
    "capabilities": ("cap_add, cap_drop", _set_capabilities),
}
"""Fields of Kubernetes: the keys of Compose that each becomes, and what writes them; it returns the path of one."""
