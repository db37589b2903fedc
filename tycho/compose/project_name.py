"""The project's name: the caller's, the last file's, the folder's.

Source: Compose Specification, "Version and name top-level elements"; compose-go's project options.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tycho.compose import interpolation
from tycho.compose.sources import Sources
from tycho.compose.yaml_nodes import YamlNode
from tycho.errors import Problem

LEGAL = re.compile(r"[a-z0-9][a-z0-9_-]*")


def project_name(sources: Sources, documents: Iterable[YamlNode]) -> tuple[str, list[Problem]]:
    """The name, and what is wrong with it."""
    if sources.name:
        if LEGAL.fullmatch(sources.name):
            return sources.name, []
        message = (
            f'invalid project name "{sources.name}": must consist only of lowercase alphanumeric characters, hyphens, '
            "and underscores as well as start with a letter or number"
        )
        return "", [Problem("", 0, "name", message, f'write for example "{normal(sources.name) or "project"}"')]
    candidate = sources.fallback
    for document in documents:
        declared = document.get("name")
        if declared is not None and isinstance(declared.value, str) and declared.value:
            try:
                candidate = interpolation.expand(declared.value, sources.env)
            except interpolation.Invalid:
                continue  # told of when the file is interpolated
    name = normal(candidate)
    if not name:
        return "", [Problem("", 0, "name", "project name must not be empty", "write name: at the top, or say --name")]
    return name, []


def normal(text: str) -> str:
    """A name as Compose writes it."""
    return re.sub(r"[^a-z0-9_-]", "", text.lower()).lstrip("_-")
