"""Unicity: of several entries of a list for the same thing the last one counts, in the first one's place.

Source: compose-go's `override` package, the rules of unicity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tycho.compose.attribute import Attribute
from tycho.compose.go_scalars import format_go
from tycho.compose.paths import split_volume
from tycho.compose.yaml_nodes import YamlNode, to_python, value_of

SECTIONS = ("services", "networks")  # compose-go has no rules for the others


def enforce_unicity(tree: YamlNode, project: Attribute) -> YamlNode:
    """Keep one entry per unicity key in every list that has such keys; the tree itself changes."""
    for name in SECTIONS:
        if section := tree.get(name):
            _enforce(section, project.child(name))
    return tree


def _enforce(node: YamlNode, attribute: Attribute) -> None:
    if attribute.unicity and len(node.seq) > 1:
        node.value = list({repr(attribute.unicity(entry)): entry for entry in node.seq}.values())
    for key, child in node.map.items():
        if (below := attribute.child(key)).has_unicity:
            _enforce(child, below)


def name_before_equals(node: YamlNode) -> Any:
    """Return `KEY` of `KEY=value`."""
    return node.value.partition("=")[0] if isinstance(node.value, str) else (id(node),)


def scalar_text(node: YamlNode) -> Any:
    """Return a scalar as text."""
    return format_go(node.value) if not isinstance(node.value, dict | list) else (id(node),)


def env_file_path(node: YamlNode) -> Any:
    """Return the path of an entry of `env_file`."""
    return value_of(node, "path") if isinstance(node.value, dict) else scalar_text(node)


def device_target(node: YamlNode) -> Any:
    """Return the path of a device in the container."""
    if isinstance(node.value, dict):
        return value_of(node, "target")
    source, _, target = node.value.partition(":") if isinstance(node.value, str) else ("", "", "")
    return target.partition(":")[0] or source


def reference_target(folder: str) -> Callable[[YamlNode], Any]:
    """Return the unicity key of `configs` or `secrets`: the path in the container, below a folder by default."""

    def target(node: YamlNode) -> Any:
        if isinstance(node.value, dict):
            return value_of(node, "target") if node.get("target") else f"{folder}/{value_of(node, 'source')}"
        return f"{folder}/{scalar_text(node)}"

    return target


def port_key(node: YamlNode) -> Any:
    """Return address, published port, target and protocol of a port."""
    if not isinstance(node.value, dict):
        return scalar_text(node)
    port = to_python(node)
    host_ip = port.get("host_ip", "0.0.0.0")  # noqa: S104
    return (host_ip, str(port.get("published")), port.get("target"), port.get("protocol", "tcp"))


def volume_target(node: YamlNode) -> Any:
    """Return the path of a mount in the container."""
    if isinstance(node.value, dict):
        return value_of(node, "target") or (id(node),)
    text = scalar_text(node)
    return ([*split_volume(text), ""][1] if isinstance(text, str) else "") or text
