"""Several documents become one: later over earlier, with Compose's exceptions.

Mappings merge, scalars replace, sequences append. `RULES` lists what is otherwise.
`!reset` removes what was there, `!override` makes way for what replaces it: both before anything merges.

Source: Compose Specification, "Merge"; compose-go's `override` package for what it leaves open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tycho.compose.go_scalars import printed
from tycho.compose.interpolation import split
from tycho.compose.yaml_nodes import Node, below, plain
from tycho.errors import Problem


class At(NamedTuple):
    """Where two values meet: the path for the reader, and the pattern that the rules are found by."""

    path: str = ""
    pattern: str = ""

    def next(self, key: str) -> At:
        """The place of a child."""
        if self.pattern in SECTIONS:
            pattern = "services.*" if self.pattern == "jobs" else f"{self.pattern}.*"
        elif self.pattern == "services.*.ulimits":
            pattern = "services.*.ulimits.*"
        else:
            pattern = below(self.pattern, key)
        return At(below(self.path, key), pattern)


Rule = Callable[[Node, Node, At], Node]
MAX_POOLS = 100  # of a network: each is compared with all others
SECTIONS = ("services", "jobs", "networks", "volumes", "configs", "secrets")
DEPENDENCY: Mapping[str, Any] = {"condition": "service_started", "required": True}


class Unmergeable(Exception):
    """Two values that cannot become one; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def reset(base: Node, over: Node) -> None:
    """Take out of `base` whatever `over` marks with `!reset` or `!override`."""
    for key, child in over.map.items():
        if key in base.map:
            if child.tag in ("reset", "override"):
                del base.value[key]
            else:
                reset(base.value[key], child)


def strip(node: Node) -> Node:
    """Take out what `!reset` marks; the tree itself changes."""
    if isinstance(node.value, dict):
        node.value = {key: strip(child) for key, child in node.value.items() if child.tag != "reset"}
    elif isinstance(node.value, list):
        node.value = [strip(child) for child in node.value if child.tag != "reset"]
    return node


def merge(base: Node, over: Node, at: At = At()) -> Node:  # noqa: B008
    """One tree of two; the places are those of what survived.

    Raises:
        Unmergeable: A mapping or list meets something else.
    """
    if rule := RULES.get(at.pattern):
        return rule(base, over, at)
    if over.value is None:
        return base
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return _mappings(base, over, at)
    if isinstance(base.value, list) and isinstance(over.value, list):
        return _append(base, over)
    if isinstance(base.value, dict | list):
        kinds = f"{_kind(base)} cannot become a {_kind(over)}"
        raise Unmergeable(over.problem(at.path, f"cannot override {at.path}: a {kinds}", "or mark it !override"))
    return over


def _mappings(base: Node, over: Node, at: At) -> Node:
    merged = dict(base.map)
    for key, child in over.map.items():
        merged[key] = merge(merged[key], child, at.next(key)) if key in merged else child
    return base.with_value(merged)


def _append(base: Node, over: Node) -> Node:
    known = {frozen(plain(child)) for child in base.seq}
    return base.with_value([*base.seq, *(child for child in over.seq if frozen(plain(child)) not in known)])


def _append_forms(base: Node, over: Node, at: At) -> Node:
    """Compose has written out the short forms of what came before, so a short form is never the same."""
    known = {frozen(plain(child)) for child in base.seq if child.map}
    added = [child for child in over.seq if not child.map or frozen(plain(child)) not in known]
    if not isinstance(base.value, list) or not isinstance(over.value, list):
        return over if over.value is not None else base  # the schema will speak of it
    return base.with_value([*base.seq, *added])


def _override(base: Node, over: Node, at: At) -> Node:
    return over


def _as_pairs(base: Node, over: Node, at: At) -> Node:
    merged = {**pairs(base).map, **pairs(over).map}
    for key, child in merged.items() if at.pattern.endswith((".environment", ".args")) else ():
        if key != key.rstrip():
            said = f"environment variable {key} is declared with a trailing space"
            raise Unmergeable(child.problem(at.path, said, f'write "{key.rstrip()}=…"'))
    return base.with_value(merged)


def _as_lists(base: Node, over: Node, at: At) -> Node:
    return _append(_listed(base), _listed(over))


def _listed(node: Node) -> Node:
    """A string, a list, or a mapping as `key=value`, all as a list."""
    if isinstance(node.value, list):
        return node
    if not isinstance(node.value, dict):
        return node.with_value([] if node.value is None else [node])
    lines = [
        one.with_value(key if one.value is None else f"{key}={printed(one.value)}")
        for key, child in sorted(node.map.items())
        for one in (child.seq or [child])
    ]
    return node.with_value(lines)


def _as_keys(default: Mapping[str, Any] | None) -> Rule:
    return lambda base, over, at: _mappings(keyed(base, default), keyed(over, default), at)


def _build(base: Node, over: Node, at: At) -> Node:
    one, two = (node.with_value({"context": node}) if isinstance(node.value, str) else node for node in (base, over))
    return _mappings(one, two, at)


def _logging(base: Node, over: Node, at: At) -> Node:
    one, two = base.get("driver"), over.get("driver")
    return over if one and two and one.value != two.value else _mappings(base, over, at)


def _limit(base: Node, over: Node, at: At) -> Node:
    both = isinstance(base.value, dict) and isinstance(over.value, dict)
    return _mappings(base, over, at) if both else over


def _subnets(base: Node, over: Node, at: At) -> Node:
    """Pools of one subnet merge, others stay side by side; as in Compose, a pool changes where it stands."""
    found: list[Node] = []
    if max(len(base.seq), len(over.seq)) > MAX_POOLS:
        raise Unmergeable(
            over.problem(at.path, f"more than {MAX_POOLS} address pools", "leave the addresses to the cluster")
        )
    for original in base.seq:
        for other in over.seq:
            subnet = said_of(other, "subnet")
            if subnet not in (said_of(one, "subnet") for one in (original, *found)):
                found.append(other)
                continue
            original.value = _mappings(original, other, at).value
            same = [i for i, one in enumerate(found) if said_of(one, "subnet") == said_of(original, "subnet")]
            place = same[0] if same else len(found)
            found[place : place + 1] = [original]
    return over.with_value(found)


def frozen(value: Any) -> Any:
    """A value that a set can hold, equal to what the value is equal to."""
    if isinstance(value, dict):
        return frozenset((key, frozen(child)) for key, child in value.items())
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def said_of(node: Node, key: str) -> Any:
    """The bare value of a key; None where there is none."""
    child = node.get(key)
    return plain(child) if child else None


def pairs(node: Node) -> Node:
    """A list of `KEY=value` as a mapping; a key alone has no value."""
    if not isinstance(node.value, list):
        return node
    found: dict[str, Node] = {}
    for child in node.value:
        key, *value = split(child.value, "=", 1) if isinstance(child.value, str) else [printed(child.value)]
        found[str.__str__(key)] = child.with_value(value[0] if value else None)
    return node.with_value(found)


def keyed(node: Node, default: Mapping[str, Any] | None) -> Node:
    """A list of names as a mapping, each with the same value."""
    if isinstance(node.value, dict):
        return node
    items = node.seq or ([node] if isinstance(node.value, str) else [])
    found = {}
    for child in items:
        value = {key: child.with_value(one) for key, one in default.items()} if default else None
        found[str.__str__(printed(child.value))] = child.with_value(value)
    return node.with_value(found)


_PAIRS = (
    "environment", "labels", "annotations", "sysctls", "build.args", "build.labels", "build.additional_contexts",
    "deploy.labels",
)  # fmt: skip
_LISTS = ("dns", "dns_opt", "dns_search", "env_file", "label_file", "tmpfs", "extra_hosts", "build.extra_hosts")
_FORMS = ("ports", "volumes", "configs", "secrets", "devices")
_WHOLE = ("command", "entrypoint", "healthcheck.test")

RULES: dict[str, Rule] = {
    **{f"services.*.{key}": _as_pairs for key in _PAIRS},
    **{f"services.*.{key}": _as_lists for key in _LISTS},
    **{f"services.*.{key}": _append_forms for key in _FORMS},
    **{f"services.*.{key}": _override for key in _WHOLE},
    "services.*.depends_on": _as_keys(DEPENDENCY),
    "services.*.networks": _as_keys(None),
    "services.*.models": _as_keys(None),
    "services.*.build": _build,
    "services.*.logging": _logging,
    "services.*.ulimits.*": _limit,
    **{f"{kind}.*.labels": _as_pairs for kind in ("networks", "volumes", "configs", "secrets")},
    "networks.*.ipam.config": _subnets,
}


def _kind(node: Node) -> str:
    return "mapping" if isinstance(node.value, dict) else "list" if isinstance(node.value, list) else "scalar"
