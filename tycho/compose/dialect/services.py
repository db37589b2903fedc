"""Keys of a service that Compose calls otherwise, or does not have: `env`, `conn_string`, `gitea_integration`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tycho.compose.dialect.extension import add_extension
from tycho.compose.dialect.notes import Notes
from tycho.compose.go_scalars import format_go
from tycho.compose.merge import pairs_to_map
from tycho.compose.yaml_nodes import YamlNode
from tycho.release import CONN_STRING


def translate_service(service: YamlNode, path: str, notes: Notes) -> None:
    """Translate the keys of a service that are not of its volumes, resources, rights and checks.

    Args:
        service: It changes.
        path: Its Compose path.
        notes: Where uses and problems go.
    """
    for key, translate in TRANSLATORS.items():
        if key in service.map:
            node = service.map.pop(key)
            if node.value is not None:
                translate(service, node, path, notes)


def _translate_env(service: YamlNode, node: YamlNode, path: str, notes: Notes) -> None:
    """Write `environment`; what the service says there itself goes before."""
    at = f"{path}.env"
    if isinstance(node.value, list):
        node.value = [_pair(child) for child in node.value]
    if not isinstance(node.value, list | dict):
        notes.refused(node, at, "it is neither a list nor a mapping", "write env: {NAME: value}, or - NAME=value")
        return
    written = service.get("environment")
    if written is not None and written.value:
        node = node.with_value({**pairs_to_map(node).map, **pairs_to_map(written).map})
    service.value["environment"] = node
    notes.translated(node, at, "environment", f"{path}.environment")


def _pair(entry: YamlNode) -> YamlNode:
    """Write an entry with a name and a value as `NAME=value`."""
    name, value = entry.get("name"), entry.get("value")
    if name is None:
        return entry
    return entry.with_value(f"{format_go(name.value)}={'' if value is None else format_go(value.value)}")


def _translate_conn_string(service: YamlNode, node: YamlNode, path: str, notes: Notes) -> None:
    """Keep the text with the workload, where a status finds it."""
    if node.value == "":
        return
    deploy = service.map.setdefault("deploy", node.with_value({}))
    if not isinstance(deploy.value, dict):
        deploy.value = {}
    labels = deploy.map.setdefault("labels", node.with_value({}))
    labels.value = {CONN_STRING: node, **pairs_to_map(labels).map}
    notes.translated(node, f"{path}.{CONN_STRING}", f"deploy.labels.{CONN_STRING}", f"{path}.deploy.labels")


def _refuse_gitea(service: YamlNode, node: YamlNode, path: str, notes: Notes) -> None:
    at = f"{path}.gitea_integration"
    if str(node.value).lower() == "false":
        notes.translated(node, at, "nothing: it is switched off")
        return
    hint = "remove it; a service that clones the repository into a volume, with depends_on, does the same"
    notes.refused(node, at, "Tycho knows no Gitea, and gives nobody's tokens to containers", hint)


def _translate_rewrite(service: YamlNode, node: YamlNode, path: str, notes: Notes) -> None:
    """Have the prefix of its URL taken off; what stands in its place is nothing else than /."""
    at, enabled, target = f"{path}.proxy_rewrite", node.get("enabled"), node.get("target")
    if not isinstance(node.value, dict) or not node.map.keys() <= {"enabled", "target"}:
        notes.refused(node, at, "it is not {enabled, target}", "write proxy_rewrite: {enabled: true, target: /}")
    elif not _is_on(enabled):
        notes.translated(node, at, "nothing: programs are asked for paths with their prefix")
    elif target is None or target.value in (None, "", "/"):
        _strip(service, node, at, path, notes)
    else:
        add_extension(service, "url", node.with_value("strip"))
        why = f"programs are asked for paths below /, and not below {target.value}"
        notes.approximated(node, at, "x-tycho.url: strip", f"{path}.x-tycho.url", why, "have them serve below /")


def _translate_rule(service: YamlNode, node: YamlNode, path: str, notes: Notes) -> None:
    at = f"{path}.proxy_rewrite_rule"
    if _is_on(node):
        _strip(service, node, at, path, notes)
    else:
        notes.translated(node, at, "nothing: programs are asked for paths with their prefix")


def _strip(service: YamlNode, node: YamlNode, at: str, path: str, notes: Notes) -> None:
    add_extension(service, "url", node.with_value("strip"))
    notes.translated(node, at, "x-tycho.url: strip", f"{path}.x-tycho.url")


def _is_on(node: YamlNode | None) -> bool:
    return node is not None and str(node.value).lower() == "true"


TRANSLATORS: Mapping[str, Callable[[YamlNode, YamlNode, str, Notes], None]] = {
    "env": _translate_env,
    CONN_STRING: _translate_conn_string,
    "gitea_integration": _refuse_gitea,
    "proxy_rewrite": _translate_rewrite,
    "proxy_rewrite_rule": _translate_rule,
}
