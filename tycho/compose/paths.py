"""Relative paths: which values are one, and how they move with the file that holds them.

Source: compose-go's `paths` package.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from tycho.compose.yaml_nodes import Node
from tycho.model import Expr
from tycho.model.paths import is_bind, is_local, is_windows

Moved = Callable[[str], str]


def rebase(tree: Node, folder: str, directory: str, *, whole: bool) -> None:
    """Let a tree's relative paths start in `directory` instead of `folder`; the tree itself changes.

    Args:
        tree: What a file says.
        folder: Where its paths start now.
        directory: Where they are to start.
        whole: Whether it is a project of its own, whose builds have their default context there, or a base of others.
    """
    if folder == directory:
        return

    def moved(path: str) -> str:
        if not path or path[0] in "/~" or is_windows(path):
            return path
        found = os.path.relpath(os.path.join(folder, path), directory or ".")
        return found if found[0] == "." else f"./{found}"

    for root in ("services", "jobs"):
        for service in _children(tree, root):
            if whole and (build := service.get("build")) and build.map and "context" not in build.map:
                build.value["context"] = build.with_value(".")
            _service(service, moved)
    for root in ("configs", "secrets"):
        for one in _children(tree, root):
            _move(one.get("file"), moved)
    for volume in _children(tree, "volumes"):
        options = volume.get("driver_opts")
        local = (driver := volume.get("driver")) is not None and driver.value == "local"
        if local and options and is_bind({key: child.value for key, child in options.map.items()}):
            _move(options.get("device"), moved)


def is_file(path: str) -> bool:
    """Whether the source of a short volume is a path, and not a name."""
    return path[:1] in (".", "/", "~") or path.startswith("\\\\") or bool(re.match(r"[^\W\d_]:", path))


def sections(volume: str) -> list[str]:
    """What stands between the colons of a short volume; that of a drive is none, nor one inside of `${…}`."""
    found, depth = [""], 0
    for i, character in enumerate(volume):
        depth += volume.startswith("${", i) - (character == "}" and depth > 0)
        if character == ":" and not depth and not (len(found[-1]) == 1 and found[-1].isalpha()):
            found.append("")
        else:
            found[-1] += character
    return found


def _service(service: Node, moved: Moved) -> None:
    for key in ("env_file", "label_file"):
        for one in _items(service.get(key)):
            _move(one.get("path") or one, moved)
    for one in _items(service.get("volumes")):
        kind = one.get("type")
        if kind and kind.value == "bind":
            _move(one.get("source"), moved)
        elif isinstance(one.value, str):
            source, *rest = sections(one.value)
            if rest and is_file(source):
                _change(one, ":".join([moved(source), *rest]))
    for one in _items(watch.get("watch") if (watch := service.get("develop")) else None):
        _move(one.get("path"), moved)
    if extends := service.get("extends"):
        _move(extends.get("file"), moved)
    if build := service.get("build"):
        _build(build, lambda path: moved(path) if is_local(path) else path)
    for hook in _items(service.get("pre_start")):
        _service(hook, moved)


def _build(build: Node, moved: Moved) -> None:
    _move(build.get("context") or build, moved)
    for key in ("additional_contexts", "ssh"):
        node = build.get(key)
        for child in node.map.values() if node else ():
            _move(child, moved)
        for child in node.seq if node else ():
            name, equals, path = str(child.value).partition("=")
            if equals:
                _change(child, f"{name}={moved(path)}")


def _move(node: Node | None, moved: Moved) -> None:
    if node is not None and isinstance(node.value, str):
        _change(node, moved(node.value))


def _change(node: Node, text: str) -> None:
    if isinstance(node.value, Expr):
        node.template = node.value.template
    node.value = text


def _children(tree: Node, root: str) -> Iterator[Node]:
    section = tree.get(root)
    return iter(section.map.values() if section else ())


def _items(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.seq or ([node] if isinstance(node.value, str) else [])
