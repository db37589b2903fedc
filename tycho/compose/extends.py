"""`extends`: a service begins with what another one says.

Source: Compose Specification, "Extend"; compose-go's `loader/extends.go`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tycho.compose.merge import At, Unmergeable, merge, reset, strip
from tycho.compose.paths import rebase
from tycho.compose.suggestions import nearest
from tycho.compose.yaml_nodes import Node

if TYPE_CHECKING:
    from tycho.compose.loader import Gathering


MAX_CHAIN = 100  # services that extend each other
MAX_COPIED = 200_000  # values that services take over from others


@dataclass(frozen=True)
class Place:
    """The services of one file, and what their paths and variables mean."""

    services: Mapping[str, Node]
    file: str
    directory: str
    env: Mapping[str, str]
    root: str = "services"


def extend(state: Gathering, document: Node, file: str, directory: str, env: Mapping[str, str]) -> None:
    """Carry out every `extends` of a document; the document itself changes."""
    for root in ("services", "jobs"):
        section = document.get(root)
        if section is not None and any("extends" in one.map for one in section.map.values()):
            place = Place(section.map, file, directory, env, root)
            section.value = {name: _extended(state, place, name, ()) for name in section.map}


def _extended(state: Gathering, place: Place, name: str, above: tuple[tuple[str, str], ...]) -> Node:
    node = place.services[name]
    extends = node.get("extends")
    if extends is None or extends.value is None:
        return node
    key = (id(place.services), name)
    if key not in state.extended:
        known = len(state.problems)
        whole = _merged(state, place, name, node, extends, above)
        if len(state.problems) > known:  # a circle looks different from each of its services
            return whole
        state.extended[key] = whole
    return state.extended[key]


def _merged(
    state: Gathering, place: Place, name: str, node: Node, extends: Node, above: tuple[tuple[str, str], ...]
) -> Node:
    alone = node.with_value({key: child for key, child in node.map.items() if key != "extends"})
    path = f"{place.root}.{name}.extends"
    here = (place.file, name)
    if state.copied > MAX_COPIED:  # which was told already
        return alone
    if len(above) >= MAX_CHAIN:
        state.copied = MAX_COPIED + 1
        message = f"more than {MAX_CHAIN} services extend each other in a row"
        state.wrong(extends.problem(path, message, "extend one that says it all"))
        return alone
    if here in above:
        (file, first), *rest = *above[above.index(here) :], here
        circle = "".join(f"\n  extends {one} in {where}" for where, one in rest)
        said = f"Circular reference:\n  {first} in {file}{circle}"
        state.wrong(extends.problem(path, said, "leave one of them out"))
        return alone
    found = _base(state, place, name, extends, path)
    if found is None:
        return alone
    origin = _extended(state, *found, (*above, here))
    if origin.value is None or state.copied > MAX_COPIED:
        return alone
    state.copied += origin.size
    if state.copied > MAX_COPIED:
        message = f"services take over more than {MAX_COPIED} values by extends"
        state.wrong(extends.problem(path, message, "write large parts into env files"))
        return alone
    base = clone(origin)
    reset(base, alone)
    try:
        return merge(strip(base), alone, At(f"{place.root}.{name}", "services.*"))
    except Unmergeable as error:
        state.wrong(error.problem)
        return alone


def _base(state: Gathering, place: Place, name: str, extends: Node, path: str) -> tuple[Place, str] | None:
    """Where the base is, and its name there."""
    service, other = extends.get("service"), extends.get("file")
    said = service.value if service else extends.value
    if not isinstance(said, str):
        state.wrong(extends.problem(path, f"extends.{name}.service is required", "service: NAME"))
        return None
    among = place
    if other is not None and other.value is not None:
        at = state.sources.join(place.directory, str(other.value))
        services = _file(state, at, other, path, place)
        if services is None:
            return None
        among = Place(services, state.sources.shown(at), place.directory, place.env)
    if said not in among.services:
        where = f" in {other.value}" if other else ""
        wrong = f'cannot extend service "{name}" in {place.file}: service "{said}" not found{where}'
        state.wrong(extends.problem(path, wrong, nearest(said, among.services)))
        return None
    return among, said


def _file(state: Gathering, at: str, other: Node, path: str, place: Place) -> Mapping[str, Node] | None:
    """The services of another file, their paths as if they stood here."""
    key = (at, place.directory, id(place.env))
    if key not in state.bases:
        text = state.read(at, other, path)
        if text is None:
            return None
        tree = Node({})
        for document in state.documents(state.sources.shown(at), text):
            tree = state.over(tree, strip(state.prepared(document, place.env)))
        rebase(tree, os.path.dirname(at), place.directory, whole=False)
        state.bases[key] = (tree.get("services") or Node({})).map
    return state.bases[key]


def clone(node: Node) -> Node:
    """A copy that may be changed."""
    value = node.value
    if isinstance(value, dict):
        value = {key: clone(child) for key, child in value.items()}
    elif isinstance(value, list):
        value = [clone(child) for child in value]
    return Node(value, node.file, node.line, node.tag, node.template)
