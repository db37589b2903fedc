"""What a schema's errors say: Compose's words, and what to write instead.

Of the branches of a choice, those count that want the type that is there: who writes a mapping is told of its keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from typing import Any

from tycho.compose.go_scalars import format_go
from tycho.compose.merge import freeze
from tycho.compose.suggestions import nearest
from tycho.compose.yaml_nodes import YamlNode, child_path
from tycho.errors import Problem

Where = Sequence[str | int]
Known = Callable[[Where], list[str]]
TYPES = {"object": "mapping", "array": "list"}
HINTS = {
    "string": "quote it",
    "mapping": "write KEY: VALUE lines below it",
    "list": "write a list: [one, two]",
    "boolean": "write true or false",
    "integer": "write a whole number",
    "number": "write a number",
}
PATTERNS = {
    "pull_policy": "always, missing, never, build, daily, weekly, or every_12h",
    "container_name": "two characters at least: letters, digits and _ . -",
}


def worded(tree: YamlNode, error: Any, known: Known) -> Iterator[Problem]:
    """The problems that an error of the schema stands for.

    Args:
        tree: What was validated.
        error: As jsonschema-rs tells it.
        known: The names of the keys that may stand in a place.
    """
    where, kind = _where(tree, error.instance_path), error.kind
    node, path = _at(tree, where)
    if isinstance(node.value, float) and not isfinite(node.value):
        message = f"{_dotted(where)}: unsupported value: {format_go(node.value)}"
        yield node.problem(path, message, "quote it, or write a number that has an end")
    elif kind.name in ("anyOf", "oneOf"):
        yield from _choice(tree, where, kind, known)
    elif kind.name in ("additionalProperties", "unevaluatedProperties"):
        yield from _unexpected(tree, where, kind, known)
    else:
        message, hint = MESSAGES.get(kind.name, _other)(error, str(where[-1]) if where else "")
        yield node.problem(path, f"{_dotted(where)} {message}".strip(), hint)


def _choice(tree: YamlNode, where: Where, kind: Any, known: Known) -> Iterator[Problem]:
    """A choice of which no branch fits."""
    branches = getattr(kind, "context", None) or []
    apt = [branch for branch in branches if not any(_mistyped(error, where) for error in branch)]
    for error in max(apt, key=_depth, default=()):
        yield from worded(tree, error, known)
    if not apt:
        node, path = _at(tree, where)
        message, hint = _typed(error for branch in branches for error in branch if _mistyped(error, where))
        yield node.problem(path, f"{_dotted(where)} {message}", hint)


def _unexpected(tree: YamlNode, where: Where, kind: Any, known: Known) -> Iterator[Problem]:
    """Keys that nobody knows. One wrong value makes a schema doubt all keys beside it: the known ones are not meant."""
    names = known(where)
    doubted = names if kind.name == "unevaluatedProperties" else ()
    for key in kind.unexpected:
        if key not in doubted:
            node, path = _at(tree, [*where, key])
            message = f"additional properties '{key}' not allowed"
            yield node.problem(
                path, f"{_dotted(where)} {message}".strip(), nearest(key, names) or "keys of your own begin with x-"
            )


def _mistyped(error: Any, where: Where) -> bool:
    return bool(error.kind.name == "type" and list(error.instance_path) == list(where))


def _depth(branch: Iterable[Any]) -> int:
    return max(len(list(error.instance_path)) for error in branch)


def _typed(errors: Iterable[Any]) -> tuple[str, str]:
    types = sorted({TYPES.get(kind, kind) for error in errors for kind in error.kind.types})
    listed = types[0] if len(types) == 1 else f"{', '.join(types[:-1])} or {types[-1]}"
    return f"must be {'an' if listed[0] in 'aeiou' else 'a'} {listed}", HINTS[types[0]] if len(types) == 1 else ""


def _unique(error: Any, key: str) -> tuple[str, str]:
    seen: dict[Any, int] = {}
    for at, entry in enumerate(error.instance):
        first = seen.setdefault(freeze(entry), at)
        if first != at:
            return f"items at {first} and {at} are equal", "keep one of them"
    return "items are equal", "keep one of them"


def _enum(error: Any, key: str) -> tuple[str, str]:
    options = ", ".join(f"'{option}'" for option in error.kind.options)
    return f"value must be {options}" if len(error.kind.options) == 1 else f"value must be one of {options}", ""


def _pattern(error: Any, key: str) -> tuple[str, str]:
    return f"'{error.instance}' does not match pattern '{error.kind.pattern}'", PATTERNS.get(key, "")


def _other(error: Any, key: str) -> tuple[str, str]:
    return str(error.message), ""


MESSAGES: dict[str, Callable[[Any, str], tuple[str, str]]] = {
    "required": lambda error, key: (f"missing property '{error.kind.property}'", f"write {error.kind.property}:"),
    "type": lambda error, key: _typed([error]),
    "minimum": lambda error, key: (f"must be greater than or equal to {error.kind.limit}", ""),
    "maximum": lambda error, key: (f"must be less than or equal to {error.kind.limit}", ""),
    "uniqueItems": _unique,
    "enum": _enum,
    "pattern": _pattern,
}


def _dotted(where: Where) -> str:
    return ".".join(map(str, where))


def _where(tree: YamlNode, steps: Where) -> list[str | int]:
    """The way to a place; a mapping's key that looks like a number is text nevertheless."""
    where: list[str | int] = []
    for step in steps:
        node, _ = _at(tree, where)
        where.append(step if isinstance(node.value, list) else str(step))
    return where


def _at(tree: YamlNode, where: Where) -> tuple[YamlNode, str]:
    node, path = tree, ""
    for step in where:
        path = child_path(path, step)
        if isinstance(step, int) and step < len(node.seq):
            node = node.seq[step]
        elif not isinstance(step, int) and step in node.map:
            node = node.map[step]
    return node, path
