"""Relative paths of a compose file: which values are such paths, and how they move to another directory.

Source: compose-go's `paths` package.
"""

from __future__ import annotations

import os
import re

from tycho.compose.attribute import Attribute, PathRule, Relocate
from tycho.compose.yaml_nodes import YamlNode
from tycho.model import Expr
from tycho.model.paths import is_bind, is_local, is_windows


def relocate_paths(node: YamlNode, attribute: Attribute, relocate: Relocate) -> None:
    """Change every relative path of a tree; the tree itself changes."""
    if attribute.paths:
        attribute.paths(node, relocate)
    for key, child in node.map.items():
        if (below := attribute.child(key)).has_paths:
            relocate_paths(child, below, relocate)
    if attribute.entries and attribute.entries.has_paths:
        for child in node.seq:
            relocate_paths(child, attribute.entries, relocate)


def rebase(tree: YamlNode, project: Attribute, folder: str, directory: str) -> None:
    """Let a tree's relative paths start in `directory` instead of `folder`; the tree itself changes.

    Args:
        tree: A whole file.
        project: The attribute table.
        folder: Where its paths start now.
        directory: Where they are to start.
    """

    def relocate(path: str) -> str:
        if not path or path[0] in "/~" or is_windows(path):
            return path
        moved = os.path.relpath(os.path.join(folder, path), directory or ".")
        return moved if moved[0] == "." else f"./{moved}"

    if folder != directory:
        relocate_paths(tree, project, relocate)


def is_file(path: str) -> bool:
    """Tell whether the source of a short volume is a path, and not a name."""
    return path[:1] in (".", "/", "~") or path.startswith("\\\\") or bool(re.match(r"[^\W\d_]:", path))


def split_volume(volume: str) -> list[str]:
    """Split a short volume at its colons; that of a Windows drive is none, nor one inside of `${…}`."""
    parts, depth = [""], 0
    for i, character in enumerate(volume):
        depth += volume.startswith("${", i) - (character == "}" and depth > 0)
        if character == ":" and not depth and not (len(parts[-1]) == 1 and parts[-1].isalpha()):
            parts.append("")
        else:
            parts[-1] += character
    return parts


def path_itself(node: YamlNode, relocate: Relocate) -> None:
    """Change a value that is a path."""
    if isinstance(node.value, str):
        _replace(node, relocate(node.value))


def path_or_key(key: str) -> PathRule:
    """Change an entry that is a path, or a mapping that holds one under a key."""
    return lambda node, relocate: path_itself(node.get(key) or node, relocate)


def source_of_mount(node: YamlNode, relocate: Relocate) -> None:
    """Change the source of a bind mount, in short or long syntax."""
    kind, source = node.get("type"), node.get("source")
    if kind and kind.value == "bind" and source:
        path_itself(source, relocate)
    elif isinstance(node.value, str):
        path, *options = split_volume(node.value)
        if options and is_file(path):
            _replace(node, ":".join([relocate(path), *options]))


def build_context(node: YamlNode, relocate: Relocate) -> None:
    """Change a build context that is a folder."""
    path_itself(node, lambda path: relocate(path) if is_local(path) else path)


def named_contexts(node: YamlNode, relocate: Relocate) -> None:
    """Change the folders or keys of `name: path` or `name=path`."""
    for child in node.map.values():
        build_context(child, relocate)
    for child in node.seq:
        name, equals, path = str(child.value).partition("=")
        if equals:
            _replace(child, f"{name}={relocate(path) if is_local(path) else path}")


def device_of_volume(node: YamlNode, relocate: Relocate) -> None:
    """Change the path of a volume whose local driver makes a bind mount."""
    driver, options = node.get("driver"), node.get("driver_opts")
    local = driver is not None and driver.value == "local"
    if local and options and is_bind({key: child.value for key, child in options.map.items()}):
        path_itself(options.map["device"], relocate)


def _replace(node: YamlNode, text: str) -> None:
    if isinstance(node.value, Expr):
        node.template = node.value.template
    node.value = text
