"""Every key that the loader's schema knows, and whether a table has a row for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tycho.compose.schema import schema

SPEC = schema()

DEFINITIONS = {
    "services": "service",
    "jobs": "job",
    "networks": "network",
    "volumes": "volume",
    "configs": "config",
    "secrets": "secret",
}


def keys(schema: Any, path: str = "", seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every key that a part of the schema knows: `deploy.resources.limits.cpus`, `ports[].target`."""
    if reference := schema.get("$ref"):
        name = reference.rsplit("/", 1)[-1]
        if name not in seen:
            yield from keys(SPEC["$defs"][name], path, seen | {name})
        return
    for branch in ("oneOf", "anyOf", "allOf"):
        for child in schema.get(branch, ()):
            yield from keys(child, path, seen)
    for name, child in schema.get("properties", {}).items():
        at = f"{path}.{name}".lstrip(".")
        yield at
        yield from keys(child, at, seen)
    if isinstance(items := schema.get("items"), dict):
        yield from keys(items, f"{path}[]", seen)


def covered(key: str, table: Any) -> bool:
    """Whether a key has a row, is part of one that covers all below it, or only holds keys that have."""
    if key in table:
        return True
    above = key
    while above:
        above = above.rpartition(".")[0].removesuffix("[]")
        if above in table and table[above].whole:
            return True
    return any(other.startswith((f"{key}.", f"{key}[]")) for other in table)
