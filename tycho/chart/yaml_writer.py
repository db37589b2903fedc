"""A small YAML writer: text is plain where every reader takes it for text, and double-quoted everywhere else.

Helm reads YAML with go-yaml, whose plain scalars differ from everybody else's; a quoted one has one reading only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from msgspec import Struct

from tycho.text import json_text, printable

PLAIN = re.compile(r"(?:--?)?[A-Za-z_/][A-Za-z0-9_./-]*(?::[A-Za-z_/][A-Za-z0-9_./-]*)*|[0-9]+(?:m|Ki|Mi|Gi)")
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
WIDTH = 110  # columns of a mapping or list in one line
MAPPING, LIST, NUMBER = (dict, Mapping), (list, tuple), (int, float)  # what is asked of every value, fastest so
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
    if isinstance(tree, Commented):
        tree = tree.value
    if isinstance(tree, str):
        return str.__str__(tree)
    if isinstance(tree, MAPPING):
        return {str(name): strip_comments(value) for name, value in tree.items()}
    return [strip_comments(value) for value in tree] if isinstance(tree, LIST) else tree


def write_scalar(text: str) -> str:
    """Write a text as a YAML scalar, in block and in flow style: the one door into YAML."""
    return text if PLAIN.fullmatch(text) and text.lower() not in WORDS else json_text(text)


@lru_cache(maxsize=1024)  # services have the same keys
def quote_key(name: str) -> str:
    """Write a mapping's key: bare where every reader takes it for text, else quoted."""
    return name if KEY.fullmatch(name) and name.lower() not in WORDS else json_text(name)


def dump(tree: Mapping[str, YamlValue]) -> str:
    """Write a mapping as a YAML document, in the order given."""
    return "\n".join(_mapping(tree, "")).lstrip("\n") + "\n"


def _mapping(tree: Mapping[str, YamlValue], indent: str) -> list[str]:
    lines: list[str] = []
    before = False  # whether the entry before took several lines
    for name, entry in tree.items():
        value, comment, opened = (
            (entry.value, entry.comment, entry.open) if isinstance(entry, Commented) else (entry, "", False)
        )
        added = _entry(f"{indent}{quote_key(name)}:", value, indent, opened=opened)
        if not indent and (before or len(added) > 1):
            lines.append("")
        before = len(added) > 1
        if comment:
            lines += [f"{indent}# {printable(line)}".rstrip() for line in comment.split("\n")]
        lines += added
    return lines


def _entry(head: str, value: YamlValue, indent: str, *, opened: bool = False) -> list[str]:
    if not (opened and value) and (short := write_flow(value, WIDTH - len(indent))) is not None:
        return [f"{head} {short}"]
    lines = [head]
    if isinstance(value, MAPPING):
        lines += _mapping(value, indent + "  ")
    elif isinstance(value, Sequence):
        for element in value:
            lines += _list_entry(element, indent + "  ")
    return lines


def _list_entry(value: YamlValue, indent: str) -> list[str]:
    if isinstance(value, MAPPING) and write_flow(value, WIDTH - len(indent)) is None:
        first, *further = _mapping(value, indent + "  ")
        return [f"{indent}- {first[len(indent) + 2 :]}", *further]
    return _entry(f"{indent}-", value, indent)


def write_flow(value: YamlValue, room: int) -> str | None:
    """Write a value in one line.

    Args:
        value: The value.
        room: Columns that a mapping or list may take; a text or number takes what it needs.

    Returns:
        None where there is no room, or a comment is inside.
    """
    if isinstance(value, str):
        return write_scalar(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, NUMBER):
        return str(value)
    if isinstance(value, Commented) or len(value) > FLOW_ENTRIES:
        return None
    if isinstance(value, MAPPING):
        written = ((f"{quote_key(name)}: ", entry) for name, entry in value.items())
        return _write_items("{", written, "}", room)
    return _write_items("[", (("", entry) for entry in value), "]", room)


def _write_items(opening: str, items: Iterable[tuple[str, YamlValue]], closing: str, room: int) -> str | None:
    """Write what stands in brackets, no further than there is room for it."""
    texts = []
    for head, entry in items:
        text = write_flow(entry, room)
        if text is None:
            return None
        texts.append(head + text)
        room -= len(texts[-1]) + len(", ")
        if room < 0:
            return None
    return opening + ", ".join(texts) + closing
