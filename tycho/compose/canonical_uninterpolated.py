"""The canonical form of a merged tree with its variables in place, as `config --no-interpolate` prints it.

Short syntax is written out where no variable stands in the way; numbers and units stay text.

Source: compose-go's `transform` package, and `normalize.go`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tycho.compose.attribute import Attribute
from tycho.compose.attributes import PROJECT
from tycho.compose.casts import TRUE
from tycho.compose.go_scalars import format_go
from tycho.compose.normalize import implicit_dependencies
from tycho.compose.paths import relocate_paths
from tycho.compose.sources import Sources
from tycho.compose.yaml_nodes import YamlNode, to_python
from tycho.model.paths import is_windows

Tree = dict[str, Any]
ELEMENTS = ("networks", "volumes", "configs", "secrets")


def to_canonical_uninterpolated(tree: YamlNode, name: str, sources: Sources) -> Tree:
    """Write a tree in canonical form, as far as that goes without values; the tree itself changes.

    Args:
        tree: Merged, with every variable in place.
        name: The project's.
        sources: Where relative paths start.
    """
    for root in PROJECT.keys:
        if section := tree.get(root):
            tree.value[root] = write_long_syntax(section, PROJECT.child(root))
    relocate_paths(tree, PROJECT, lambda path: path if is_windows(path) else sources.path(path))
    canonical: Tree = {**to_python(tree), "name": name}
    canonical.pop("version", None)
    for root in ("services", "jobs"):
        for service in (canonical.get(root) or {}).values():
            _normalize(service)
            if "default" in (service.get("networks") or ()):
                canonical.setdefault("networks", {}).setdefault("default", None)
    for root in ELEMENTS:
        for key, element in (canonical.get(root) or {}).items():
            canonical[root][key] = _name_element(element or {}, key, name)
    return canonical


def write_long_syntax(node: YamlNode, attribute: Attribute) -> YamlNode:
    """Return a tree without short syntax."""
    long = attribute.long_form(node) if attribute.long_form and node.value is not None else node
    if isinstance(long.value, dict):
        return long.with_value({key: write_long_syntax(child, attribute.child(key)) for key, child in long.map.items()})
    if isinstance(long.value, list):
        return long.with_value([write_long_syntax(child, attribute.child(i)) for i, child in enumerate(long.seq)])
    return long


def _normalize(service: Tree) -> None:
    for key in ("command", "entrypoint"):
        if service.get(key, "") is None:
            del service[key]
    if not service.get("networks") and "network_mode" not in service and "provider" not in service:
        service["networks"] = {"default": None}
    for _, dependency, restart in implicit_dependencies(service):
        implied = {"condition": "service_started", "required": True, "restart": restart}
        service.setdefault("depends_on", {}).setdefault(dependency, implied)


def _name_element(element: Tree, key: str, project: str) -> Tree:
    external = element.get("external")
    if isinstance(external, Mapping):
        element = {**element, "external": True, **({"name": external["name"]} if "name" in external else {})}
    is_external = format_go(element.get("external")).lower() in TRUE
    return {"name": key if is_external else f"{project}_{key}", **element}
