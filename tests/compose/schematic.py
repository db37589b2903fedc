"""Documents drawn from the Compose Specification's own schema: every key that it knows, right and almost right."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tycho.compose.schema import schema

Made = st.SearchStrategy[Any]
TEXT = st.sampled_from([
    "a", "b", "1", "0", "1.5", "10m", "30s", "1m30s", "80", "80:80", "8000-8002", "127.0.0.1:80:80/udp", "./x", "/x",
    "./x:/y:ro", "data:/d", "true", "no", "a=b", "a: b", "a b 'c'", "service:b", "service_started", "host", "$$x", "",
    "${FOO}", "${N}", "10.0.0.0/8", "tcp", "linux/amd64", "always", "missing", "sha256:1",
])  # fmt: skip
NAME = st.sampled_from(["a", "b", "c.d", "e-f", "1"])
NUMBER = st.sampled_from([0, 1, 2, 80, -1, 1.5, 0.0])
PRINTED = st.characters(codec="ascii", min_codepoint=32)
ANYTHING = st.sampled_from([None, "a", "1", 1, 1.5, True, [], ["a"], {}, {"a": "b"}, [{}], ["a", "a"]])
LEAST_ODD = 15  # one value in so many is of a kind that the schema may not want
KINDS: dict[str, Made] = {
    "string": TEXT,
    "boolean": st.booleans(),
    "null": st.none(),
    "integer": NUMBER,
    "number": NUMBER,
}


@cache
def definition(name: str) -> Made:
    """What `$defs` calls so; put off, because they refer to each other."""
    return st.deferred(lambda: of(schema()["$defs"][name]))


def of(part: dict[str, Any]) -> Made:
    """A value for a part of the schema, and, once in a while, another."""
    return st.integers(1, LEAST_ODD).flatmap(lambda odd: ANYTHING if odd == LEAST_ODD else _right(part))


def _right(part: dict[str, Any]) -> Made:
    if reference := part.get("$ref"):
        return definition(reference.rsplit("/", 1)[-1])
    if choices := part.get("oneOf") or part.get("anyOf"):
        return st.one_of([of(choice) for choice in choices])
    if "enum" in part:
        return st.sampled_from(part["enum"])
    if "const" in part:
        return st.just(part["const"])
    if "pattern" in part:
        return TEXT | st.from_regex(re.compile(part["pattern"], re.ASCII), fullmatch=True, alphabet=PRINTED)
    kinds = part.get("type", "object" if "properties" in part or "allOf" in part else "string")
    return st.one_of([_kind(kind, part) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def _kind(kind: str, part: dict[str, Any]) -> Made:
    if kind == "array":
        return st.lists(of(part.get("items", {})), max_size=2)
    if kind == "object":
        return mapping(properties(part), part.get("patternProperties", {}), part.get("required", ()))
    return KINDS[kind]


def properties(part: dict[str, Any]) -> dict[str, Any]:
    """The keys of a part, and of the parts that it is made of."""
    if reference := part.get("$ref"):
        part = schema()["$defs"][reference.rsplit("/", 1)[-1]]
    known = dict(part.get("properties", {}))
    for branch in part.get("allOf", ()):
        known |= properties(branch)
    return known


def mapping(known: dict[str, Any], patterns: dict[str, Any], required: Any = (), most: int = 3) -> Made:
    """Some keys of a mapping, those that it must have among them."""
    named = {key: value for pattern, value in patterns.items() if not pattern.startswith("^x-") for key in ("a", "b")}
    keys = sorted({**known, **named}) or ["a"]
    chosen = st.lists(st.sampled_from(keys), max_size=most, unique=True)
    possible = {**named, **known}
    return chosen.flatmap(
        lambda some: st.fixed_dictionaries({key: of(possible.get(key, {})) for key in sorted({*some, *required})})
    )


def document() -> Made:
    """A project with one service that says much, and what it may refer to."""
    parts = schema()["$defs"]
    service = mapping(properties(parts["service"]), {}, most=4)
    resource = {
        root: st.dictionaries(st.sampled_from(["a", "data"]), definition(kind), max_size=2)
        for root, kind in (("networks", "network"), ("volumes", "volume"), ("configs", "config"), ("secrets", "secret"))
    }
    return st.fixed_dictionaries(
        {"services": service.map(lambda fields: {"web": {"image": "x", **fields}, "b": {"image": "y"}})},
        optional={**resource, "models": st.dictionaries(NAME, definition("model"), max_size=1)},
    )
