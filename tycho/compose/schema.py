"""The Compose Specification's schema over a merged tree, in Compose's words, with the nearest known key as a hint.

The schema is the one that the check-jsonschema package carries; jsonschema-rs validates, for it honours
`unevaluatedProperties` and is quick.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tycho.compose.yaml_nodes import INVALID, YamlNode, to_python
from tycho.errors import Problem

MAX_STEPS = 200  # of a path; names are tried with every number of dots
KINDS: dict[str | int, str] = {"services": "service", "jobs": "job"}


@cache
def schema() -> dict[str, Any]:
    """The Compose Specification's JSON Schema."""
    spec = find_spec("check_jsonschema")
    folder = Path(*(spec.submodule_search_locations or ())[:1] if spec else ())
    specification: dict[str, Any] = json.loads((folder / "builtin_schemas/vendor/compose-spec.json").read_bytes())
    for key in ("mem_limit", "memswap_limit", "shm_size"):  # compose-go's own copy takes fractions there
        specification["$defs"]["container_spec"]["properties"][key]["type"] = ["number", "string"]
    specification["$defs"]["job"]["properties"].pop("extends", None)  # and does not know this
    return specification


@cache
def _validator() -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(schema())


def against_schema(tree: YamlNode) -> list[Problem]:
    """Every place where the tree is not what the schema allows."""
    value = to_python(tree)
    try:
        validator = _validator()
        if validator.is_valid(value):
            return []
    except ValueError as error:  # a number that JSON cannot hold
        return [tree.problem("", str(error), "write a smaller number")]
    from tycho.compose.schema_errors import worded

    problems: dict[tuple[str, str], Problem] = {}
    for violation in validator.iter_errors(value):
        for problem in worded(tree, violation, known):
            problems.setdefault((problem.path, problem.message), problem)
    return list(problems.values())


def prune(tree: YamlNode, problems: Iterable[Problem]) -> YamlNode:
    """A tree without the nodes that are wrong, so that the rest can be looked at, too; the tree itself changes."""
    for problem in problems:
        steps = problem.path.replace("[", ".[").split(".")
        if len(steps) > MAX_STEPS:
            continue
        node: YamlNode | None = tree
        while len(steps) > 1 and node is not None:
            child, used = _step(node, steps)
            if not child or used == len(steps):
                break
            node, steps = child, steps[used:]
        last = ".".join(steps)
        if node is not None and last in node.map:
            del node.value[last]
        elif node is not None and last.startswith("[") and int(last[1:-1]) < len(node.seq):
            node.seq[int(last[1:-1])].tag = INVALID
    return tree


def _step(node: YamlNode, steps: list[str]) -> tuple[YamlNode | None, int]:
    """The child that the first steps lead to, and how many they are: a name may hold dots."""
    if steps[0].startswith("["):
        index = int(steps[0][1:-1])
        return (node.seq[index] if index < len(node.seq) else None), 1
    for used in range(1, len(steps) + 1):
        if (name := ".".join(steps[:used])) in node.map:
            return node.map[name], used
    return None, 1


def known(where: Sequence[str | int]) -> list[str]:
    """The names of keys that may stand in one place; those of all places where it is not a root, service or hook.

    Args:
        where: The way to it, from the root.
    """
    definitions = schema()["$defs"]
    parts: Iterable[str] = definitions
    if not where:
        return list(schema()["properties"])
    if len(where) == 2 and where[0] in KINDS:
        parts = ("container_spec", "workload_spec", KINDS[where[0]])
    elif len(where) == 4 and where[2] == "pre_start":
        parts = ("container_spec", "pre_start_hook")
    return [name for part in parts for name in definitions[part].get("properties", ())]
