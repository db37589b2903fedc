"""Several documents become one: later over earlier, with Compose's exceptions.

Mappings merge, scalars replace, sequences append. `RULES` lists what is otherwise. `!reset` removes what was there,
`!override` replaces it without merging.

Source: Compose Specification, "Merge"; compose-go's `override` package for what it leaves open.
"""

from __future__ import annotations

from collections.abc import Callable

from tycho.compose.tree import Node
from tycho.errors import Problem

Rule = Callable[[Node, Node, str], Node]
ROOTS = ("services", "jobs")


class Unmergeable(Exception):
    """Two values that cannot become one; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def merge(base: Node, over: Node, path: str = "") -> Node:
    """One tree of two; the places are those of what survived.

    Raises:
        Unmergeable: A mapping meets a scalar.
    """
    if over.tag == "override" or base.value is None:
        return strip(over)
    rule = RULES.get(_pattern(path))
    if rule:
        return rule(base, over, path)
    if over.value is None:
        return base
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return _mappings(base, over, path)
    if isinstance(base.value, list) and isinstance(over.value, list):
        return over.with_value([*base.value, *strip(over).value])
    if isinstance(base.value, (dict, list)) or isinstance(over.value, (dict, list)):
        raise Unmergeable(over.problem(path, f"cannot override {path}: a {_kind(base)} and a {_kind(over)}"))
    return over


def strip(node: Node) -> Node:
    """A tree without what `!reset` marks."""
    if isinstance(node.value, dict):
        kept = {key: strip(child) for key, child in node.value.items() if child.tag != "reset"}
        return node.with_value(kept)
    if isinstance(node.value, list):
        return node.with_value([strip(child) for child in node.value if child.tag != "reset"])
    return node


def _mappings(base: Node, over: Node, path: str) -> Node:
    merged = dict(base.value)
    for key, child in over.value.items():
        if child.tag == "reset":
            merged.pop(key, None)
        elif key in merged:
            merged[key] = merge(merged[key], child, f"{path}.{key}" if path else key)
        else:
            merged[key] = strip(child)
    return base.with_value(merged)


def pairs(node: Node, separator: str = "=") -> Node:
    """A list of `KEY=value` as a mapping; a key alone has no value."""
    if not isinstance(node.value, list):
        return node
    found: dict[str, Node] = {}
    for child in node.value:
        from tycho.compose.interpolate import split

        key, *value = split(child.value, separator, 1) if isinstance(child.value, str) else [str(child.value)]
        found[str(key)] = child.with_value(value[0] if value else None)
    return node.with_value(found)


def _replace(base: Node, over: Node, path: str) -> Node:
    return strip(over)


def _as_pairs(base: Node, over: Node, path: str) -> Node:
    if over.value is None:
        return base
    if isinstance(base.value, (dict, list)) and isinstance(over.value, (dict, list)):
        return _mappings(pairs(base), pairs(over), path)
    return over


def _as_lists(base: Node, over: Node, path: str) -> Node:
    if over.value is None:
        return base
    one, two = (node.value if isinstance(node.value, list) else [node] for node in (base, strip(over)))
    return over.with_value([*one, *two])


def _hosts(base: Node, over: Node, path: str) -> Node:
    if over.value is None:
        return base
    one, two = (_host_list(node) for node in (base, strip(over)))
    known = {child.value for child in one}
    return over.with_value([*one, *(child for child in two if child.value not in known)])


def _host_list(node: Node) -> list[Node]:
    if isinstance(node.value, list):
        return list(node.value)
    lines = []
    for host, child in node.map.items():
        for address in child.seq or [child]:
            lines.append(address.with_value(f"{host}={address.value}"))
    return lines


def _as_keys(default: dict[str, object] | None) -> Rule:
    def rule(base: Node, over: Node, path: str) -> Node:
        if over.value is None:
            return base
        return _mappings(keyed(base, default), keyed(over, default), path)

    return rule


def keyed(node: Node, default: dict[str, object] | None) -> Node:
    """A list of names as a mapping, each with the same value."""
    if not isinstance(node.value, list):
        return node
    value = {key: node.with_value(one) for key, one in default.items()} if default else None
    return node.with_value({str(child.value): child.with_value(value) for child in node.value})


def _build(base: Node, over: Node, path: str) -> Node:
    if over.value is None:
        return base
    one, two = (
        node.with_value({"context": node}) if isinstance(node.value, str) else node for node in (base, over)
    )
    return _mappings(one, two, path)


def _logging(base: Node, over: Node, path: str) -> Node:
    one, two = base.get("driver"), over.get("driver")
    if over.value is None or (one and two and one.value != two.value):
        return base if over.value is None else strip(over)
    return _mappings(base, over, path)


def _subnets(base: Node, over: Node, path: str) -> Node:
    merged = {str(one.get("subnet").value if one.get("subnet") else i): one for i, one in enumerate(base.seq)}  # type: ignore[union-attr]
    for one in strip(over).seq:
        subnet = one.get("subnet")
        key = str(subnet.value) if subnet else f"+{len(merged)}"
        merged[key] = _mappings(merged[key], one, path) if key in merged else one
    return over.with_value(list(merged.values()))


_PAIRS = ("environment", "labels", "annotations", "sysctls", "build.args", "build.labels", "build.additional_contexts",
          "deploy.labels")  # fmt: skip
_LISTS = ("dns", "dns_opt", "dns_search", "env_file", "label_file", "tmpfs")
_WHOLE = ("command", "entrypoint", "healthcheck.test", "ulimits.*")
DEPENDENCY: dict[str, object] = {"condition": "service_started", "required": True}

RULES: dict[str, Rule] = {
    **{f"services.*.{key}": _as_pairs for key in _PAIRS},
    **{f"services.*.{key}": _as_lists for key in _LISTS},
    **{f"services.*.{key}": _replace for key in _WHOLE},
    "services.*.depends_on": _as_keys(DEPENDENCY),
    "services.*.networks": _as_keys(None),
    "services.*.models": _as_keys(None),
    "services.*.build": _build,
    "services.*.logging": _logging,
    "services.*.extra_hosts": _hosts,
    "services.*.build.extra_hosts": _hosts,
    "networks.*.labels": _as_pairs,
    "volumes.*.labels": _as_pairs,
    "configs.*.labels": _as_pairs,
    "secrets.*.labels": _as_pairs,
    "networks.*.ipam.config": _subnets,
}


def _pattern(path: str) -> str:
    """A path with the names that users choose written `*`."""
    words = path.split(".")
    if words[0] in ROOTS:
        words[0] = "services"
    if len(words) > 1:
        words[1] = "*"
    if len(words) == 4 and words[2] == "ulimits":
        words[3] = "*"
    return ".".join(words)


def _kind(node: Node) -> str:
    return {dict: "mapping", list: "list"}.get(type(node.value), "scalar")
