"""The Compose Specification's schema over a merged tree, in Compose's words, with the nearest known key as a hint.

The schema is the one that the check-jsonschema package carries; jsonschema-rs validates, for it honours
`unevaluatedProperties` and is quick.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tycho.compose.tree import WRONG, Node, below, plain
from tycho.errors import Problem

Where = list[str | int]
HINTS = {
    "string": "quote it",
    "mapping": "write KEY: VALUE lines below it",
    "list": "write a list: [one, two]",
    "boolean": "write true or false",
    "integer": "write a whole number",
    "number": "write a number",
}


@cache
def schema() -> dict[str, Any]:
    """The Compose Specification's JSON Schema."""
    spec = find_spec("check_jsonschema")
    folder = Path(*(spec.submodule_search_locations or ())[:1] if spec else ())
    found: dict[str, Any] = json.loads((folder / "builtin_schemas/vendor/compose-spec.json").read_bytes())
    return found


@cache
def _validator() -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(schema())


def against_schema(tree: Node) -> list[Problem]:
    """Every place where the tree is not what the schema allows."""
    value = plain(tree)
    try:
        validator = _validator()
        if validator.is_valid(value):
            return []
    except ValueError as error:  # a number that JSON cannot hold
        return [tree.problem("", str(error), "write a smaller number")]
    problems: dict[tuple[str, str], Problem] = {}
    for found in validator.iter_errors(value):
        for problem in _told(tree, found):
            problems.setdefault((problem.path, problem.message), problem)
    return list(problems.values())


def prune(tree: Node, problems: Iterable[Problem]) -> Node:
    """A tree without the nodes that are wrong, so that the rest can be looked at, too; the tree itself changes."""
    for problem in problems:
        steps = problem.path.replace("[", ".[").split(".")
        node: Node | None = tree
        while len(steps) > 1 and node is not None:
            found, used = _step(node, steps)
            if not found or used == len(steps):
                break
            node, steps = found, steps[used:]
        last = ".".join(steps)
        if node is not None and last in node.map:
            del node.value[last]
        elif node is not None and last.startswith("[") and int(last[1:-1]) < len(node.seq):
            node.seq[int(last[1:-1])].tag = WRONG
    return tree


def _step(node: Node, steps: list[str]) -> tuple[Node | None, int]:
    """The child that the first steps lead to, and how many they are: a name may hold dots."""
    if steps[0].startswith("["):
        index = int(steps[0][1:-1])
        return (node.seq[index] if index < len(node.seq) else None), 1
    for used in range(1, len(steps) + 1):
        if (name := ".".join(steps[:used])) in node.map:
            return node.map[name], used
    return None, 1


def _told(tree: Node, error: Any) -> Iterator[Problem]:
    where = list(error.instance_path)
    kind = error.kind
    name = type(kind).__name__.rsplit("_", 1)[-1]
    if name in ("AnyOf", "OneOfNotValid", "OneOfMultipleValid") and getattr(kind, "context", None):
        inner = [one for branch in kind.context for one in branch]
        deepest = max(inner, key=_depth, default=None)
        if deepest is not None and _depth(deepest) > len(where):
            for one in inner:
                if _depth(one) == _depth(deepest):
                    yield from _told(tree, one)
            return
        yield _mistyped(tree, where, inner, str(error.message))
        return
    unexpected = getattr(kind, "unexpected", None)
    if unexpected:
        for key in unexpected:
            node, path = _at(tree, [*where, key])
            parent = ".".join(str(word) for word in where)
            said = f"additional properties '{key}' not allowed"
            yield node.problem(path, f"{parent} {said}".strip(), _nearest(key, where))
        return
    node, path = _at(tree, where)
    dotted = ".".join(str(word) for word in where)
    if name == "Required":
        said = f"{dotted} missing property '{kind.property}'"
        yield node.problem(path, said.strip(), f"write {kind.property}:")
    elif name == "Type":
        yield _mistyped(tree, where, [error], "")
    elif name == "Minimum":
        yield node.problem(path, f"{dotted} must be greater than or equal to {kind.limit}")
    elif name == "Maximum":
        yield node.problem(path, f"{dotted} must be less than or equal to {kind.limit}")
    else:
        yield node.problem(path, f"{dotted}: {error.message}".removeprefix(": "))


def _depth(error: Any) -> int:
    """How far down an error is; an unknown key counts as below the mapping that holds it."""
    return len(list(error.instance_path)) + bool(getattr(error.kind, "unexpected", None))


def _mistyped(tree: Node, where: Where, errors: list[Any], otherwise: str) -> Problem:
    words = {"object": "mapping", "array": "list"}
    found: set[str] = set()
    for error in errors:
        found |= {words.get(one, one) for one in getattr(error.kind, "types", None) or ()}
    node, path = _at(tree, where)
    dotted = ".".join(str(word) for word in where)
    types = sorted(found)
    if not types:
        return node.problem(path, f"{dotted}: {otherwise}")
    listed = types[0] if len(types) == 1 else f"{', '.join(types[:-1])} or {types[-1]}"
    return node.problem(path, f"{dotted} must be a {listed}", HINTS.get(types[-1], "") if len(types) == 1 else "")


def _at(tree: Node, where: Where) -> tuple[Node, str]:
    node, path = tree, ""
    for step in where:
        path = below(path, step)
        if isinstance(step, int) and step < len(node.seq):
            node = node.seq[step]
        elif not isinstance(step, int) and step in node.map:
            node = node.map[step]
    return node, path


def _nearest(key: str, where: Where) -> str:
    definitions = schema()["$defs"]
    if not where:
        known = list(schema()["properties"])
    elif where[0] in ("services", "jobs") and len(where) == 2:
        parts = ("container_spec", "workload_spec", "service" if where[0] == "services" else "job")
        known = [one for name in parts for one in definitions[name]["properties"]]
    else:
        known = [one for part in definitions.values() for one in part.get("properties", ())]
    return nearest(key, known) or "keys of your own begin with x-"


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the known name that is most like this one."""
    close = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f'did you mean "{close[0]}"?' if close else ""
