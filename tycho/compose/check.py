"""What a merged tree must satisfy: the Compose Specification's schema, and that names lead somewhere.

The schema is the one that the check-jsonschema package carries; jsonschema-rs validates, for it honours
`unevaluatedProperties` and is quick. Messages are Compose's, with the nearest known key as a hint.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tycho.compose.tree import Node, plain
from tycho.errors import Problem
from tycho.model import System


@cache
def schema() -> dict[str, Any]:
    """The Compose Specification's JSON Schema."""
    spec = find_spec("check_jsonschema")
    assert spec and spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations)))
    found: dict[str, Any] = json.loads((folder / "builtin_schemas/vendor/compose-spec.json").read_bytes())
    return found


@cache
def _validator() -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(schema())


def against_schema(tree: Node) -> list[Problem]:
    """Every place where the tree is not what the schema allows."""
    value = plain(tree)
    validator = _validator()
    if validator.is_valid(value):
        return []
    problems: dict[tuple[str, str], Problem] = {}
    for error in validator.iter_errors(value):
        for problem in _told(tree, error):
            problems.setdefault((problem.path, problem.message), problem)
    return list(problems.values())


def _told(tree: Node, error: Any) -> Iterable[Problem]:
    where = list(error.instance_path)
    kind = error.kind
    name = type(kind).__name__.rsplit("_", 1)[-1]
    if name in ("AnyOf", "OneOfNotValid", "OneOfMultipleValid") and getattr(kind, "context", None):
        deepest = max(
            (inner for branch in kind.context for inner in branch),
            key=lambda inner: (len(list(inner.instance_path)), "type" not in str(inner.message)),
            default=None,
        )
        if deepest is not None and len(list(deepest.instance_path)) > len(where):
            yield from _told(tree, deepest)
            return
        types = _types(inner for branch in kind.context for inner in branch)
        node, path = _at(tree, where)
        yield node.problem(path, f"must be {types}" if types else str(error.message))
        return
    unexpected = getattr(kind, "unexpected", None)
    if unexpected:
        for key in unexpected:
            node, path = _at(tree, [*where, key])
            parent = ".".join(str(word) for word in where)
            said = f"additional properties '{key}' not allowed"
            yield node.problem(path, f"{parent} {said}".strip(), _nearest(key, where))
        return
    node, path = _at(tree, where)
    if name == "Required":
        yield node.problem(path, f"missing property '{kind.property}'")
    elif name == "Type":
        yield node.problem(path, f"must be {_types([error])}")
    else:
        yield node.problem(path, str(error.message))


def _types(errors: Iterable[Any]) -> str:
    words = {"object": "mapping", "array": "list", "null": "null"}
    found: list[str] = []
    for error in errors:
        types = getattr(error.kind, "types", None)
        for one in types or ():
            found.append(words.get(one, one))
    listed = sorted(dict.fromkeys(found), key=lambda word: ("list", "mapping").count(word))
    if not listed:
        return ""
    return "a " + (listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}")


def _at(tree: Node, where: list[str | int]) -> tuple[Node, str]:
    node, path = tree, ""
    for step in where:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
        if isinstance(step, int) and step < len(node.seq):
            node = node.seq[step]
        elif not isinstance(step, int) and step in node.map:
            node = node.map[step]
    return node, path


def _nearest(key: str, where: list[str | int]) -> str:
    definitions = schema()["$defs"]
    if not where:
        known = list(schema()["properties"])
    elif where[0] in ("services", "jobs") and len(where) == 2:
        known = [one for name in ("container_spec", "workload_spec", "service", "job")
                 for one in definitions[name]["properties"]]  # fmt: skip
    else:
        known = [one for part in definitions.values() for one in part.get("properties", ())]
    close = difflib.get_close_matches(key, known, 1, 0.6)
    return f'did you mean "{close[0]}"?' if close else "keys of your own begin with x-"


def consistent(system: System, problem: Any) -> None:
    """Tell of every name that leads nowhere, and of keys that exclude each other.

    Args:
        system: What was bound, profiles applied.
        problem: Takes a path, a message and a hint.
    """
    for name, service in (*system.services.items(), *system.jobs.items()):
        path = f"{'services' if name in system.services else 'jobs'}.{name}"
        if service.image is None and service.build is None and service.provider is None:
            said = f'service "{name}" has neither an image nor a build context specified'
            problem(path, said, "image: NAME:TAG")
        for other, dependency in service.depends_on.items():
            if other not in system.services and dependency.required:
                said = f'service "{name}" depends on undefined service "{other}"'
                problem(f"{path}.depends_on.{other}", said, _did_you_mean(other, system.services))
        if service.network_mode and service.networks:
            said = f'service "{name}" declares mutually exclusive `network_mode` and `networks`'
            problem(f"{path}.network_mode", said, "keep one of them")
        for kind, known, used in (
            ("network", system.networks, list(service.networks)),
            ("secret", system.secrets, [grant.source for grant in service.secrets]),
            ("config", system.configs, [grant.source for grant in service.configs]),
            (
                "volume",
                system.volumes,
                [m.source for m in service.volumes if m.type == "volume" and m.source],
            ),
        ):
            for one in used:
                if one not in known and not (kind == "network" and one == "default"):
                    said = f'service "{name}" refers to undefined {kind} {one}'
                    hint = _did_you_mean(one, known) or f"declare it under {kind}s:"
                    problem(f"{path}.{kind}s", said, hint)
        _twins(path, service, problem)
    _circles(system, problem)
    for kind, sources in (
        ("secrets", ("file", "environment")),
        ("configs", ("file", "environment", "content")),
    ):
        for name, one in getattr(system, kind).items():
            given = [source for source in sources if getattr(one, source) is not None]
            if one.external or one.driver:
                continue
            if len(given) != 1:
                verb = "attributes are mutually exclusive" if given else "must be set"
                problem(f"{kind}.{name}", f"one of {'|'.join(sources)} {verb}", "")
    for name, volume in system.volumes.items():
        extra = [
            key for key in ("driver", "driver_opts", "labels") if volume.external and getattr(volume, key)
        ]
        for key in extra:
            said = f'conflicting parameters "external" and "{key}" specified'
            problem(f"volumes.{name}", said, "an external volume is made by somebody else")


def _twins(path: str, service: Any, problem: Any) -> None:
    """The same setting in the old place and in `deploy` must be the same."""
    limits, reservations = service.deploy.resources.limits, service.deploy.resources.reservations
    for one, other, a, b in (
        ("scale", "deploy.replicas", service.scale, service.deploy.replicas),
        ("cpus", "deploy.resources.limits.cpus", service.cpus, limits.cpus),
        ("mem_limit", "deploy.resources.limits.memory", service.mem_limit, limits.memory),
        (
            "mem_reservation",
            "deploy.resources.reservations.memory",
            service.mem_reservation,
            reservations.memory,
        ),
        ("pids_limit", "deploy.resources.limits.pids", service.pids_limit, limits.pids),
    ):
        if a is not None and b is not None and a != b:
            problem(f"{path}.{one}", f"can't set distinct values on '{one}' and '{other}'", f"keep {other}")
    if service.scale is not None and service.scale < 0:
        problem(f"{path}.scale", f"can't set negative scale {service.scale}", "")


def _circles(system: System, problem: Any) -> None:
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> bool:
        if name in above:
            circle = " -> ".join((*above[above.index(name) :], name))
            problem(f"services.{name}.depends_on", f"dependency cycle detected: {circle}", "")
            return True
        if name in done or name not in system.services:
            return False
        found = any(visit(other, (*above, name)) for other in system.services[name].depends_on)
        done.add(name)
        return found

    for name in system.services:
        if visit(name, ()):
            return


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f'did you mean "{close[0]}"?' if close else ""
