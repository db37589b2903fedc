"""A small YAML writer: every text is a double-quoted scalar, whatever it holds, and keys of users are quoted too.

Helm reads YAML with go-yaml, whose plain scalars differ from everybody else's; a quoted one has one reading only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tycho.text import json_text, printable

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

Tree: TypeAlias = "Mapping[str, Tree] | Sequence[Tree] | str | int | float | bool | Noted | None"


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with a comment above its key."""

    value: Tree
    comment: str


def quote(text: str) -> str:
    """Write a text as a double-quoted YAML scalar that every reader takes for the same: the one door into YAML."""
    return json_text(text)


def quote_key(name: str) -> str:
    """Write a mapping's key: bare where every reader takes it for text, else quoted."""
    return name if PLAIN.fullmatch(name) and name.lower() not in WORDS else quote(name)


def dump(tree: Mapping[str, Tree]) -> str:
    """A mapping as a YAML document, in the order given."""
    return "\n".join(_mapping(tree, "")).lstrip("\n") + "\n"


def _mapping(tree: Mapping[str, Tree], indent: str) -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, Noted):
            if not indent:
                yield ""
            for line in value.comment.split("\n"):
                yield f"{indent}# {printable(line)}".rstrip()
            value = value.value  # noqa: PLW2901
        yield from _entry(f"{indent}{quote_key(name)}:", value, indent)


def _entry(head: str, value: Tree, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield head
        yield from _mapping(value, indent + "  ")
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        yield head
        for item in value:
            yield from _item(item, indent + "  ")
    else:
        yield f"{head} {_scalar(value)}"


def _item(value: Tree, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        first, *rest = _mapping(value, indent + "  ")
        yield f"{indent}- {first[len(indent) + 2 :]}"
        yield from rest
    else:
        yield from _entry(f"{indent}-", value, indent)


def _scalar(value: Tree) -> str:
    match value:
        case str():
            return quote(value)
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case int() | float():
            return str(value)
        case Mapping():
            return "{}"
        case _:
            return "[]"
