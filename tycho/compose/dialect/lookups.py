"""`{{ name }}`: a look-up among the variables, and nothing else that a template engine could do."""

from __future__ import annotations

import re

from tycho.compose.dialect.notes import Notes
from tycho.compose.yaml_nodes import YamlNode, child_path

LOOKUP = re.compile(r"(?<![$\\{])\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}(?!\})", re.ASCII)


def translate_lookups(node: YamlNode, notes: Notes, path: str = "") -> None:
    """Write `${name}` for `{{ name }}` where there is such a variable; other text in double braces stays as it is.

    Args:
        node: What is looked at, with all below it; it changes.
        notes: Where uses go; with what variables are worth.
        path: The node's Compose path.
    """
    for key, child in node.map.items():
        translate_lookups(child, notes, child_path(path, key))
    for index, child in enumerate(node.seq):
        translate_lookups(child, notes, child_path(path, index))
    if not isinstance(node.value, str) or "{{" not in node.value:
        return
    names = [name for name in LOOKUP.findall(node.value) if name in notes.env]
    if not names:
        return
    node.value = LOOKUP.sub(lambda match: f"${{{match[1]}}}" if match[1] in notes.env else match[0], node.value)
    written = ", ".join(f"${{{name}}}" for name in dict.fromkeys(names))
    notes.translated(node, path, f"{written}: a variable of Compose", path)
