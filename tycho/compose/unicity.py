"""Lists that hold a thing but once: of several entries for it the last one stands, in the first one's place.

Source: compose-go's `override` package, the rules of unicity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tycho.compose.go_scalars import printed
from tycho.compose.merge import said_of
from tycho.compose.paths import sections
from tycho.compose.yaml_nodes import Node, plain


def unify(tree: Node) -> Node:
    """Let the last of several entries for one thing stand, in the first one's place; the tree itself changes."""
    for root, table in UNIQUE.items():
        if section := tree.get(root):
            for part in section.map.values():
                _unify(part, table)
    return tree


def _unify(node: Node, table: Mapping[str, Any]) -> None:
    for key, index in table.items():
        children = node.map.items() if key == "*" else [(key, node.map[key])] if key in node.map else []
        for _, child in children:
            if isinstance(index, dict):
                _unify(child, index)
            elif len(child.seq) > 1:
                child.value = list({repr(index(one)): one for one in child.seq}.values())


def _name(node: Node) -> Any:
    """What stands before the `=`."""
    return node.value.partition("=")[0] if isinstance(node.value, str) else (id(node),)


def _text(node: Node) -> Any:
    return printed(node.value) if not isinstance(node.value, dict | list) else (id(node),)


def _path(node: Node) -> Any:
    return said_of(node, "path") if isinstance(node.value, dict) else _text(node)


def _device(node: Node) -> Any:
    if isinstance(node.value, dict):
        return said_of(node, "target")
    source, _, rest = _text(node).partition(":") if isinstance(node.value, str) else ("", "", "")
    return rest.partition(":")[0] or source


def _grant(folder: str) -> Callable[[Node], Any]:
    def index(node: Node) -> Any:
        if isinstance(node.value, dict):
            return said_of(node, "target") if node.get("target") else f"{folder}/{said_of(node, 'source')}"
        return f"{folder}/{_text(node)}"

    return index


def _port(node: Node) -> Any:
    if not isinstance(node.value, dict):
        return _text(node)
    said = plain(node)
    host = said.get("host_ip", "0.0.0.0")  # noqa: S104
    return (host, str(said.get("published")), said.get("target"), said.get("protocol", "tcp"))


def _volume(node: Node) -> Any:
    if isinstance(node.value, dict):
        return said_of(node, "target") or (id(node),)
    said = _text(node)
    return ([*sections(said), ""][1] if isinstance(said, str) else "") or said


_NAMES = dict.fromkeys(
    ("annotations", "cap_add", "cap_drop", "dns", "dns_opt", "dns_search", "environment", "labels", "profiles",
     "sysctls", "tmpfs"), _name,
)  # fmt: skip
UNIQUE: dict[str, dict[str, Any]] = {
    "services": {
        **_NAMES,
        "build": dict.fromkeys(("args", "additional_contexts", "tags", "labels"), _name),
        "configs": _grant(""),
        "deploy": {"labels": _name},
        "devices": _device,
        "env_file": _path,
        "expose": _text,
        "networks": {"*": {"aliases": _name, "link_local_ips": _name}},
        "ports": _port,
        "secrets": _grant("/run/secrets"),
        "volumes": _volume,
    },
    "networks": {"labels": _name},
}
