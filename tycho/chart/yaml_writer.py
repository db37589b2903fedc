"""A small YAML writer: text is plain where every reader takes it for text, and double-quoted everywhere else.

Helm reads YAML with go-yaml, whose plain scalars differ from everybody else's; a quoted one has one reading only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from tycho.text import json_text, printable

PLAIN = re.compile(r"(?:--?)?[A-Za-z_/][A-Za-z0-9_./-]*(?::[A-Za-z_/][A-Za-z0-9_./-]*)*|[0-9]+(?:m|Ki|Mi|Gi)")
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
WIDTH = 110  # columns of a mapping or list in one line
FLOW_ENTRIES = WIDTH // 3  # entries that fit into one: "1, " is the shortest

YamlValue: TypeAlias = "Mapping[str, YamlValue] | Sequence[YamlValue] | str | int | float | bool | Commented | None"


class Commented(Struct, frozen=True):
    """A value with a comment above its key, "" for none.

    Args:
        value: The value.
        comment: The comment.
        open: Whether a mapping has a line for each entry, however short they are.
    """

    value: YamlValue
    comment: str = ""
    open: bool = False


def strip_comments(tree: YamlValue) -> Any:
    """Return what a reader of the YAML gets: the values alone, without comments."""
    match tree:
        case str():
            return str.__str__(tree)
        case Commented():
            return strip_comments(tree.value)
        case Mapping():
            return {str(name): strip_comments(value) for name, value in tree.items()}
        case list() | tuple():
            return [strip_comments(value) for value in tree]
        case _:
            return tree


def quote(text: str) -> str:
    """Write a text as a double-quoted YAML scalar that every reader takes for the same."""
    return json_text(text)


def write_scalar(text: str) -> str:
    """Write a text as a YAML scalar, in block and in flow style: the one door into YAML."""
    return text if PLAIN.fullmatch(text) and text.lower() not in WORDS else quote(text)


def quote_key(name: str) -> str:
    """Write a mapping's key: bare where every reader takes it for text, else quoted."""
    return name if KEY.fullmatch(name) and name.lower() not in WORDS else quote(name)


def dump(tree: Mapping[str, YamlValue]) -> str:
    """Write a mapping as a YAML document, in the order given."""
    return "\n".join(_mapping(tree, "")).lstrip("\n") + "\n"


def _mapping(tree: Mapping[str, YamlValue], indent: str) -> Iterator[str]:
    before = False  # whether the entry before took several lines
    for name, entry in tree.items():
        value, comment, opened = (
            (entry.value, entry.comment, entry.open) if isinstance(entry, Commented) else (entry, "", False)
        )
        lines = list(_entry(f"{indent}{quote_key(name)}:", value, indent, opened=opened))
        if not indent and (before or len(lines) > 1):
            yield ""
        before = len(lines) > 1
        for line in comment.split("\n") if comment else ():
            yield f"{indent}# {printable(line)}".rstrip()
        yield from lines


def _entry(head: str, value: YamlValue, indent: str, *, opened: bool = False) -> Iterator[str]:
    short = None if opened and value else write_flow(value)
    if short is not None and len(indent) + len(short) <= WIDTH:
        yield f"{head} {short}"
    elif isinstance(value, Mapping):
        yield head
        yield from _mapping(value, indent + "  ")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield head
        for element in value:
            yield from _list_entry(element, indent + "  ")
    else:
        yield f"{head} {short}"


def _list_entry(value: YamlValue, indent: str) -> Iterator[str]:
    short = write_flow(value)
    if isinstance(value, Mapping) and (short is None or len(indent) + len(short) > WIDTH):
        first, *further = _mapping(value, indent + "  ")
        yield f"{indent}- {first[len(indent) + 2 :]}"
        yield from further
    else:
        yield from _entry(f"{indent}-", value, indent)


def write_flow(value: YamlValue) -> str | None:
    """Write a value in one line; None where a comment is inside, or surely no room."""
    match value:
        case str():
            return write_scalar(value)
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case int() | float():
            return str(value)
        case Commented():
            return None
        case _ if len(value) > FLOW_ENTRIES:
            return None
        case Mapping():
            pairs = [(quote_key(name), write_flow(entry)) for name, entry in value.items()]
            if any(text is None for _, text in pairs):
                return None
            return "{" + ", ".join(f"{name}: {text}" for name, text in pairs) + "}"
        case _:
            items = [write_flow(entry) for entry in value]
            return None if None in items else "[" + ", ".join(map(str, items)) + "]"
