"""From many texts to one tree: documents, interpolation, `include`, `extends`, merge.

Source: Compose Specification, "Include", "Extend", "Merge"; the order is compose-go's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tycho.compose import dotenv, interpolate
from tycho.compose.bind import printed
from tycho.compose.merge import Unmergeable, merge, strip
from tycho.compose.source import Nowhere, Sources
from tycho.compose.tree import Node, Unreadable, parse
from tycho.errors import Problem

MAX_INCLUDES = 64
# A path in these keys moves with the file that holds it.
PATHS = ("env_file", "label_file", "volumes", "build", "file")


@dataclass
class Gathering:
    """What the gathering has found out so far."""

    sources: Sources
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    open: tuple[str, ...] = ()  # files that are being included, to notice a circle
    texts: dict[str, bytes] = field(default_factory=dict)

    def unset(self, node: Node, path: str, name: str) -> None:
        """Note that a variable has no value, once a variable, as Compose does."""
        said = f'The "{name}" variable is not set. Defaulting to a blank string.'
        if all(warning.message != said for warning in self.warnings):
            self.warnings.append(
                node.problem(path, said, f"set {name} in the environment or .env, or write ${{{name}:-}}")
            )


def gather(sources: Sources) -> tuple[Node, list[Problem], list[Problem]]:
    """All texts of the sources as one tree.

    Returns:
        The tree, the problems, and the warnings.
    """
    state = Gathering(sources)
    tree = Node({})
    for file, text in sources.texts:
        tree = _over(state, tree, _file(state, file, text, sources.directory, sources.env))
    return tree, state.problems, state.warnings


def _over(state: Gathering, base: Node, over: Node) -> Node:
    try:
        return merge(base, over) if base.map else strip(over)
    except Unmergeable as error:
        state.problems.append(error.problem)
        return base


def _file(state: Gathering, file: str, text: bytes, directory: str, env: Mapping[str, str]) -> Node:
    """One file's documents, merged; what it includes lies below them."""
    try:
        documents = parse(text, file)
    except Unreadable as error:
        state.problems.append(error.problem)
        return Node({}, file)
    tree = Node({}, file, 1)
    for document in documents:
        if document.value is None:
            continue
        if not isinstance(document.value, dict):
            state.problems.append(
                document.problem("", "top-level object must be a mapping", "begin with services:")
            )
            continue
        document = _interpolated(state, document, "", env)
        for item in _items(document.value.pop("include", None)):
            tree = _over(state, _include(state, item, directory, env), tree)
        document = _extended(state, document, file, directory, env)
        tree = _over(state, tree, document)
    return tree


def _items(node: Node | None) -> list[Node]:
    if node is None or node.value is None:
        return []
    return node.seq if isinstance(node.value, list) else [node]


def _interpolated(state: Gathering, node: Node, path: str, env: Mapping[str, str]) -> Node:
    """The tree with every string's variables replaced; the strings remember their templates."""
    if isinstance(node.value, dict):
        children = {
            key: _interpolated(state, child, f"{path}.{key}" if path else key, env)
            for key, child in node.value.items()
        }
        return Node(children, node.file, node.line, node.tag)
    if isinstance(node.value, list):
        items = [_interpolated(state, child, f"{path}[{i}]", env) for i, child in enumerate(node.value)]
        return Node(items, node.file, node.line, node.tag)
    if isinstance(node.value, str) and "$" in node.value:
        try:
            value = interpolate.value(node.value, env, lambda name: state.unset(node, path, name))
        except interpolate.Invalid as error:
            message, hint = interpolate.problem(node.value, error, path)
            state.problems.append(node.problem(path, message, hint))
            value = ""
        return Node(value, node.file, node.line, node.tag)
    return node


def _include(state: Gathering, item: Node, directory: str, env: Mapping[str, str]) -> Node:
    said = item.map or {"path": item}
    paths = [str(one.value) for one in _items(said.get("path"))]
    if isinstance(state.sources.files, Nowhere) and not state.sources.files.files:
        state.problems.append(
            item.problem("include", "other files cannot be included here: a request is one document")
        )
        return Node({})
    tree = Node({})
    if not paths:
        state.problems.append(item.problem("include", "include needs a path", "path: other/compose.yaml"))
        return tree
    first = os.path.normpath(os.path.join(directory, paths[0]))
    folder = said.get("project_directory")
    inner = os.path.normpath(os.path.join(directory, str(folder.value))) if folder else os.path.dirname(first)
    scope = _include_env(state, said.get("env_file"), directory, inner, env, item)
    for path in paths:
        at = os.path.normpath(os.path.join(directory, path))
        if at in state.open or len(state.open) > MAX_INCLUDES:
            state.problems.append(
                item.problem("include", f"include cycle detected: {' -> '.join((*state.open, at))}")
            )
            return Node({})
        text = state.sources.files.read(at)
        if text is None:
            state.problems.append(item.problem("include", f"{path}: no such file"))
            continue
        before, state.open = state.open, (*state.open, at)
        tree = _over(
            state, tree, rebased(_file(state, path, text, inner, scope), inner, state.sources.directory)
        )
        state.open = before
    return tree


def _include_env(
    state: Gathering, said: Node | None, directory: str, inner: str, env: Mapping[str, str], item: Node
) -> Mapping[str, str]:
    """An included file's own variables; the including one's win."""
    named = [(str(one.value), os.path.join(directory, str(one.value))) for one in _items(said)]
    scope: dict[str, str] = {}
    for shown, path in named or [(".env", os.path.join(inner, ".env"))]:
        text = state.sources.files.read(os.path.normpath(path)) if shown != "/dev/null" else b""
        if text is None:
            if named:
                state.problems.append(item.problem("include", f"env file {shown} not found"))
            continue
        try:
            read = dotenv.parse(text, shown, {**scope, **env})
        except dotenv.Malformed as error:
            state.problems.append(error.problem)
            continue
        scope.update({key: value for key, value in read.items() if value is not None})
    return {**scope, **env}


def _extended(state: Gathering, document: Node, file: str, directory: str, env: Mapping[str, str]) -> Node:
    """The document with every `extends` carried out."""
    for root in ("services", "jobs"):
        services = document.get(root)
        if services is None or not isinstance(services.value, dict):
            continue
        resolved: dict[str, Node] = {}
        for name in services.map:
            resolved[name] = _service(state, services.map, name, file, directory, env, ())
        document.value[root] = services.with_value(resolved)
    return document


def _service(
    state: Gathering,
    services: Mapping[str, Node],
    name: str,
    file: str,
    directory: str,
    env: Mapping[str, str],
    above: tuple[tuple[str, str], ...],
) -> Node:
    node = services[name]
    extends = node.get("extends")
    if extends is None or extends.value is None:
        return node
    path = f"services.{name}.extends"
    if (file, name) in above:
        circle = " -> ".join(f"{one} in {where}" for where, one in (*above, (file, name)))
        state.problems.append(extends.problem(path, f"Circular reference: {circle}"))
        return _without(node)
    base_name, other = extends.get("service"), extends.get("file")
    wanted = (
        str(extends.value) if isinstance(extends.value, str) else str(base_name.value) if base_name else ""
    )
    if not wanted:
        state.problems.append(extends.problem(path, f"extends.{name}.service is required", "service: NAME"))
        return _without(node)
    among, place, folder = services, file, directory
    if other is not None:
        at = os.path.normpath(os.path.join(directory, str(other.value)))
        text = state.sources.files.read(at)
        if text is None:
            state.problems.append(other.problem(path, f"{other.value}: no such file"))
            return _without(node)
        try:
            documents = parse(text, str(other.value))
        except Unreadable as error:
            state.problems.append(error.problem)
            return _without(node)
        quiet = Gathering(state.sources)
        found = [_interpolated(quiet, one, "", env) for one in documents if isinstance(one.value, dict)]
        among = {key: child for one in found for key, child in (one.get("services") or Node({})).map.items()}
        place, folder = str(other.value), os.path.dirname(at)
    if wanted not in among:
        where = f" in {other.value}" if other else ""
        said = f'cannot extend service "{name}" in {file}: service "{wanted}" not found{where}'
        state.problems.append(extends.problem(path, said))
        return _without(node)
    base = _service(state, among, wanted, place, folder, env, (*above, (file, name)))
    if folder != directory:
        wrapped = Node({"services": Node({wanted: base})})
        base = rebased(wrapped, folder, directory).map["services"].map[wanted]
    base = base if isinstance(base.value, dict) else base.with_value({})
    try:
        return merge(base, _without(node), f"services.{name}")
    except Unmergeable as error:
        state.problems.append(error.problem)
        return _without(node)


def _without(node: Node) -> Node:
    return replace(node, value={key: child for key, child in node.map.items() if key != "extends"})


def rebased(tree: Node, folder: str, directory: str) -> Node:
    """A tree whose relative paths start in `directory` instead of `folder`."""
    if folder == directory:
        return tree

    def moved(node: Node, *, bind: bool = False) -> Node:
        if not isinstance(node.value, str):
            return node
        said, rest = node.value, ""
        if bind:
            if said[:1] != ".":
                return node
            said, colon, rest = said.partition(":")
            rest = colon + rest
        if not said or said[0] in "/~" or "://" in said:
            return node
        return node.with_value(os.path.relpath(os.path.join(folder, said), directory or ".") + rest)

    for root in ("services", "jobs"):
        for service in (tree.get(root) or Node({})).map.values():
            _rebase_service(service, moved)
    for root in ("configs", "secrets"):
        for one in (tree.get(root) or Node({})).map.values():
            if file := one.get("file"):
                one.value["file"] = moved(file)
    return tree


def _rebase_service(service: Node, moved: object) -> None:
    assert callable(moved)
    for key in ("env_file", "label_file"):
        if node := service.get(key):
            items = [
                one.with_value({**one.map, "path": moved(one.map["path"])}) if one.get("path") else moved(one)
                for one in _items(node)
            ]
            service.value[key] = node.with_value(items)
    if node := service.get("volumes"):
        items = []
        for one in node.seq:
            source = one.get("source")
            kind = one.get("type")
            if source and kind and kind.value == "bind":
                one = one.with_value({**one.map, "source": moved(source)})
            items.append(moved(one, bind=True) if isinstance(one.value, str) else one)
        service.value["volumes"] = node.with_value(items)
    if node := service.get("build"):
        if isinstance(node.value, str):
            service.value["build"] = moved(node)
        elif context := node.get("context"):
            service.value["build"] = node.with_value({**node.map, "context": moved(context)})


def project_name(sources: Sources, tree: Node) -> tuple[str, list[Problem]]:
    """The project's name: the caller's, the last file's, the folder's."""
    import re

    said = tree.get("name")
    if sources.name:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", sources.name):
            message = (
                f'invalid project name "{sources.name}": must consist only of lowercase alphanumeric characters, '
                "hyphens, and underscores as well as start with a letter or number"
            )
            return "", [Problem("", 0, "name", message)]
        return sources.name, []
    if said is not None and not isinstance(said.value, str):
        return "", [said.problem("name", "name must be a string", f'write name: "{printed(said.value)}"')]
    wanted = str(said.value) if said is not None and said.value else sources.fallback
    name = re.sub(r"[^a-z0-9_-]", "", wanted.lower()).lstrip("_-")
    if not name:
        return "", [
            Problem("", 0, "name", "project name must not be empty", "write name: at the top, or say --name")
        ]
    return name, []
