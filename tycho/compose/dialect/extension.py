"""Words of `x-tycho`, where Compose has no key of the same meaning."""

from __future__ import annotations

from tycho.compose.yaml_nodes import YamlNode


def add_extension(part: YamlNode, word: str, value: YamlNode) -> None:
    """Say a word of `x-tycho`, unless that part of the file says it itself.

    Args:
        part: A service, or the whole of a project.
        word: Which.
        value: What it says.
    """
    part.map.setdefault("x-tycho", value.with_value({})).map.setdefault(word, value)


def read_digits(value: YamlNode) -> YamlNode:
    """Return digits in quotes as a number, which words of `x-tycho` want; any other value as it is."""
    text = str(value.value)
    return value.with_value(int(text)) if text.isascii() and text.isdigit() and len(text) < 12 else value
