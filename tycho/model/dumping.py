"""Parts of the model as mappings, tuples and lists, or as JSON has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tycho.model.node import Node

REQUIRED = object()  # in the place of a default where there is none


def dump_fields(
    node: Node, *, mode: str, include: Collection[str] | None, exclude: Collection[str], kept: Mapping[str, bool]
) -> dict[str, Any]:
    """Return the fields of a part as `Node.model_dump` says.

    Args:
        node: The part.
        mode: `python` or `json`.
        include: Of these fields alone.
        exclude: Without these.
        kept: Which others are left out, here and in the parts below.
    """
    written = vars(node)
    fields: dict[str, Any] = {}
    for name in node.model_fields:
        value = getattr(node, name)
        left_out = (
            name in exclude
            or (include is not None and name not in include)
            or (kept["exclude_unset"] and name not in written)
            or (kept["exclude_none"] and value is None)
            or (kept["exclude_defaults"] and value == getattr(type(node), name, REQUIRED))
        )
        if not left_out:
            fields[name] = _dump(value, mode, kept)
    return fields


def _dump(value: Any, mode: str, kept: Mapping[str, bool]) -> Any:
    if hasattr(value, "model_fields_set"):
        return dump_fields(value, mode=mode, include=None, exclude=(), kept=kept)
    if isinstance(value, Mapping):
        return {key: _dump(child, mode, kept) for key, child in value.items()}
    if isinstance(value, list | tuple):
        children = [_dump(child, mode, kept) for child in value]
        return tuple(children) if isinstance(value, tuple) and mode == "python" else children
    if isinstance(value, datetime) and mode == "json":
        return value.isoformat().replace("+00:00", "Z")
    return value
