"""Words of `x-tycho`, where Compose has no key of the same meaning."""

from __future__ import annotations

from tycho.compose.tree import Node


def add_extension(part: Node, word: str, value: Node) -> None:
    """Say a word of `x-tycho`, unless that part of the file says it itself.

    Args:
        part: A service, or the whole of a project.
        word: Which.
        value: What it says.
    """
    part.map.setdefault("x-tycho", value.with_value({})).map.setdefault(word, value)
