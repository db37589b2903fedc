"""Merging: an override over a base, with Compose's exceptions.

Mappings merge, lists append and scalars are replaced; the attribute table names the rule of any other attribute.
`!reset` removes what was there, `!override` makes way for what replaces it: both before anything merges.

Source: Compose Specification, "Merge"; compose-go's `override` package for what it leaves open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tycho.compose.attribute import Attribute, MergeRule
from tycho.compose.go_scalars import format_go
from tycho.compose.interpolation import split
from tycho.compose.yaml_nodes import YamlNode, child_path, to_python, value_of
from tycho.errors import Problem

MAX_POOLS = 100  # of a network: each is compared with all others
DEPENDENCY: Mapping[str, Any] = {"condition": "service_started", "required": True}


class Unmergeable(Exception):
    """Two values cannot become one; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def remove_replaced(base: YamlNode, override: YamlNode) -> None:
    """Remove from the base whatever the override marks with `!reset` or `!override`."""
    for key, child in override.map.items():
        if key in base.map:
            if child.tag in ("reset", "override"):
                del base.value[key]
            else:
                remove_replaced(base.value[key], child)


def remove_resets(node: YamlNode) -> YamlNode:
    """Remove what is marked with `!reset`; the tree itself changes."""
    if isinstance(node.value, dict):
        node.value = {key: remove_resets(child) for key, child in node.value.items() if child.tag != "reset"}
    elif isinstance(node.value, list):
        node.value = [remove_resets(child) for child in node.value if child.tag != "reset"]
    return node


def merge(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    """Merge two trees into one; places are those of the values that remain.

    Raises:
        Unmergeable: A mapping or list meets something else.
    """
    if attribute.merge:
        return attribute.merge(base, override, path, attribute)
    if override.value is None:
        return base
    if isinstance(base.value, dict) and isinstance(override.value, dict):
        return _merge_mappings(base, override, path, attribute)
    if isinstance(base.value, list) and isinstance(override.value, list):
        return _append(base, override)
    if isinstance(base.value, dict | list):
        kinds = f"{_kind(base)} cannot become a {_kind(override)}"
        raise Unmergeable(override.problem(path, f"cannot override {path}: a {kinds}", "mark it !override"))
    return override


def _merge_mappings(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    merged = dict(base.map)
    for key, child in override.map.items():
        if key in merged:
            child = merge(merged[key], child, child_path(path, key), attribute.child(key))  # noqa: PLW2901
        merged[key] = child
    return base.with_value(merged)


def _append(base: YamlNode, override: YamlNode) -> YamlNode:
    known = {freeze(to_python(child)) for child in base.seq}
    return base.with_value([*base.seq, *(child for child in override.seq if freeze(to_python(child)) not in known)])


def append_short_syntax(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    """Append a list; Compose has written out the base's short syntax, so a short entry is never the same."""
    if not isinstance(base.value, list) or not isinstance(override.value, list):
        return override if override.value is not None else base  # which the schema refuses
    known = {freeze(to_python(child)) for child in base.seq if child.map}
    added = [child for child in override.seq if not child.map or freeze(to_python(child)) not in known]
    return base.with_value([*base.seq, *added])


def replace(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    """Let the override replace the base, even by nothing."""
    return override


def merge_pairs(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    """Merge mappings that may be lists of `KEY=value`."""
    return base.with_value({**pairs_to_map(base).map, **pairs_to_map(override).map})


def merge_variables(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    """Merge environment variables; a blank before the equals sign is a mistake."""
    merged = merge_pairs(base, override, path, attribute)
    for key, child in merged.map.items():
        if key != key.rstrip():
            message = f"environment variable {key} is declared with a trailing space"
            raise Unmergeable(child.problem(path, message, f'write "{key.rstrip()}=…"'))
    return merged


def merge_as_lists(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    """Append what may be a text, a list, or a mapping of `key=value`."""
    return _append(_to_list(base), _to_list(override))


def _to_list(node: YamlNode) -> YamlNode:
    if isinstance(node.value, list):
        return node
    if not isinstance(node.value, dict):
        return node.with_value([] if node.value is None else [node])
    lines = [
        scalar.with_value(key if scalar.value is None else f"{key}={format_go(scalar.value)}")
        for key, child in sorted(node.map.items())
        for scalar in (child.seq or [child])
    ]
    return node.with_value(lines)


def merge_names(default: Mapping[str, Any] | None = None) -> MergeRule:
    """Merge mappings that may be lists of names, each worth the default."""
    return lambda base, override, path, attribute: _merge_mappings(
        names_to_map(base, default), names_to_map(override, default), path, attribute
    )


def merge_builds(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    """Merge builds; a text is a context."""
    return _merge_mappings(context_to_map(base), context_to_map(override), path, attribute)


def context_to_map(node: YamlNode) -> YamlNode:
    """Write a build that is a context alone as a mapping."""
    return node.with_value({"context": node}) if isinstance(node.value, str) else node


def merge_same_driver(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    """Merge the options of one driver; those of another one replace them."""
    old, new = base.get("driver"), override.get("driver")
    return override if old and new and old.value != new.value else _merge_mappings(base, override, path, attribute)


def merge_limits(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    """Merge soft and hard limits; a single number replaces both."""
    both = isinstance(base.value, dict) and isinstance(override.value, dict)
    return _merge_mappings(base, override, path, attribute) if both else override


def merge_subnets(base: YamlNode, override: YamlNode, path: str, attribute: Attribute) -> YamlNode:
    """Merge address pools of one subnet; others stay side by side. As in Compose, a pool changes where it stands."""
    pools: list[YamlNode] = []
    if max(len(base.seq), len(override.seq)) > MAX_POOLS:
        message = f"more than {MAX_POOLS} address pools"
        raise Unmergeable(override.problem(path, message, "leave the addresses to the cluster"))
    for original in base.seq:
        for pool in override.seq:
            if value_of(pool, "subnet") not in (value_of(other, "subnet") for other in (original, *pools)):
                pools.append(pool)
                continue
            original.value = _merge_mappings(original, pool, path, attribute).value
            subnet = value_of(original, "subnet")
            same = [i for i, other in enumerate(pools) if value_of(other, "subnet") == subnet]
            place = same[0] if same else len(pools)
            pools[place : place + 1] = [original]
    return override.with_value(pools)


def pairs_to_map(node: YamlNode) -> YamlNode:
    """Write a list of `KEY=value` as a mapping; a key alone has no value."""
    if not isinstance(node.value, list):
        return node
    pairs: dict[str, YamlNode] = {}
    for child in node.value:
        key, *value = split(child.value, "=", 1) if isinstance(child.value, str) else [format_go(child.value)]
        pairs[str.__str__(key)] = child.with_value(value[0] if value else None)
    return node.with_value(pairs)


def names_to_map(node: YamlNode, default: Mapping[str, Any] | None = None) -> YamlNode:
    """Write a list of names as a mapping, each with the same value."""
    if isinstance(node.value, dict):
        return node
    names = {}
    for child in node.seq or ([node] if isinstance(node.value, str) else []):
        fields = {key: child.with_value(value) for key, value in default.items()} if default else None
        names[str.__str__(format_go(child.value))] = child.with_value(fields)
    return node.with_value(names)


def freeze(value: Any) -> Any:
    """Make a value that a set can hold, equal to what the value is equal to."""
    if isinstance(value, dict):
        return frozenset((key, freeze(child)) for key, child in value.items())
    return tuple(map(freeze, value)) if isinstance(value, list) else value


def _kind(node: YamlNode) -> str:
    return "mapping" if isinstance(node.value, dict) else "list" if isinstance(node.value, list) else "scalar"
