"""A policy in YAML: what each key may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from math import isfinite
from pathlib import Path

from tycho.errors import Problem
from tycho.files import FileRefused, read_file
from tycho.model import InvalidFieldsError, Json, Project, Service
from tycho.policy.limits import read_limits
from tycho.policy.patching import CHANGES, to_model_fields, validation_problems
from tycho.policy.policy import Policy
from tycho.policy.selector import KEYS, Selector
from tycho.policy.yaml_source import find_line, policy_error, read_yaml

PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
PLACEHOLDERS = ("name", "image", "has", "right")
MAX_BYTES = 1024 * 1024  # of a policy, and of a template

AddProblem = Callable[..., None]  # path, message, and perhaps a hint
Reader = Callable[[Json, str, AddProblem], Json]  # a key's value, its path, and where problems go


def load_yaml_policy(path: Path, text: bytes) -> Policy:
    """Read a policy in YAML.

    Args:
        path: Its file; a template that it emits lies beside it.
        text: What the file holds.

    Raises:
        PolicyError: With every problem of the file.
    """
    file = str(path)
    document, lines = read_yaml(text, file)
    problems: list[Problem] = []

    def add_problem(where: str, message: str, hint: str = "") -> None:
        problems.append(Problem(file, find_line(lines, where), where, message, hint))

    if not isinstance(document, dict):
        raise policy_error(file, [Problem(file, 1, "", "a policy is a mapping", f"write keys: {', '.join(READERS)}")])
    fields: dict[str, Json] = {}
    for key, value in document.items():
        if key in READERS:
            fields[key] = READERS[key](value, key, add_problem)
        else:
            _add_unknown_key(key, key, READERS, add_problem)
    if "description" not in document:
        add_problem("description", "is missing", "write a sentence that says what the policy does")
    if not fields.keys() & VERBS:
        add_problem("", "does nothing", f"write one of {', '.join(sorted(VERBS))}")
    templates = _read_templates(path, fields, add_problem)
    if problems:
        raise policy_error(file, problems)
    changes = {verb: fields.pop(verb) for verb in CHANGES if verb in fields}
    return Policy(path=path, text=text, lines=lines, templates=templates, changes=changes, **fields)


def _read_templates(path: Path, fields: Mapping[str, Json], add_problem: AddProblem) -> dict[str, bytes]:
    """Read the templates beside a policy that it emits."""
    names = {"emit": fields.get("emit"), "system.emit": fields.get("system", {}).get("emit")}
    templates: dict[str, bytes] = {}
    for where, name in names.items():
        if not name:
            continue
        try:
            templates[name] = read_file(str(path.parent / name), limit=MAX_BYTES).content
        except FileRefused as error:
            add_problem(where, f"{name}: {error.detail}", "put the template into the policy's folder")
    return templates


def _read_text(value: Json, where: str, add_problem: AddProblem) -> str:
    if not isinstance(value, str) or not value.strip():
        add_problem(where, "must be text")
        return ""
    return value.strip()


def _read_message(value: Json, where: str, add_problem: AddProblem) -> str:
    text = _read_text(value, where, add_problem)
    for name in PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)
            add_problem(where, f"unknown placeholder {{{name}}}", f"known: {known}")
    return text


def _read_template_name(value: Json, where: str, add_problem: AddProblem) -> str:
    text = _read_text(value, where, add_problem)
    if text and Path(text).name != text:
        add_problem(where, f"{text} is not in the policy's folder", "write the name of a file in that folder")
        return ""
    return text


def _read_selector(value: Json, where: str, add_problem: AddProblem) -> Selector:
    globs: dict[str, tuple[str, ...]] = {}
    for key, patterns in _read_mapping(value, where, add_problem).items():
        if key in KEYS:
            globs[key] = _read_globs(patterns, f"{where}.{key}", add_problem)
        else:
            _add_unknown_key(key, f"{where}.{key}", KEYS, add_problem)
    return Selector(**globs)


def _read_globs(value: Json, where: str, add_problem: AddProblem) -> tuple[str, ...]:
    globs = value if isinstance(value, list) else [value]
    if not globs or not all(isinstance(glob, str) and glob for glob in globs):
        add_problem(where, "must be a glob, or a list of globs", 'put it in quotes: "…"')
        return ()
    return tuple(globs)


def _read_mapping(value: Json, where: str, add_problem: AddProblem) -> Mapping[str, Json]:
    if isinstance(value, dict) and value:
        return value
    add_problem(where, "must be a mapping")
    return {}


def _change_reader(kind: type[Service | Project]) -> Reader:
    """Make the reader of a change to `kind`: the model checks it before any policy is applied."""

    def read_change(value: Json, where: str, add_problem: AddProblem) -> Mapping[str, Json]:
        change = dict(_read_mapping(value, where, add_problem))
        for key in change.keys() & FOREIGN[kind].keys():
            add_problem(f"{where}.{key}", FOREIGN[kind][key])
            del change[key]
        if where.endswith(("default", "add")) and (null := next(_find_paths(change, where, _is_null), "")):
            add_problem(null, "null sets nothing", "write it below `patch` to delete the key")
        compose_keys = {key: child for key, child in change.items() if not key.startswith("x-")}
        for path in _find_paths(compose_keys, where, _is_infinite):
            add_problem(path, "unsupported value", "write a finite number")
        required = {"name": "any"} if kind is Project else {}
        try:
            kind.model_validate({**required, **to_model_fields(_without_nulls(change))})
        except InvalidFieldsError as error:
            for path, message, hint in validation_problems(error, kind):
                add_problem(f"{where}.{path}", message, hint)
        return to_model_fields(change)

    return read_change


def _read_system(value: Json, where: str, add_problem: AddProblem) -> Mapping[str, Json]:
    fields = {}
    for key, change in _read_mapping(value, where, add_problem).items():
        if key in TOP:
            fields[key] = TOP[key](change, f"{where}.{key}", add_problem)
        else:
            _add_unknown_key(key, f"{where}.{key}", TOP, add_problem)
    if ("has" in fields) != ("deny" in fields):
        add_problem(where, "`has` and `deny` go together", "write both, or neither")
    return fields


def _read_limit(value: Json, where: str, add_problem: AddProblem) -> Mapping[str, Json]:
    if problems := list(read_limits(value, where)):
        for problem in problems:
            add_problem(*problem)
        return {}
    return dict(value)


def _add_unknown_key(
    key: str, where: str, known: Mapping[str, object] | tuple[str, ...], add_problem: AddProblem
) -> None:
    near = get_close_matches(key, known, n=1)
    add_problem(where, f'unknown key "{key}"', f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}")


def _without_nulls(value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    return {key: _without_nulls(child) for key, child in value.items() if child is not None}


def _find_paths(value: Json, where: str, matches: Callable[[Json], bool]) -> Iterator[str]:
    if matches(value):
        yield where
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _find_paths(child, f"{where}.{key}", matches)


def _is_null(value: Json) -> bool:
    return value is None


def _is_infinite(value: Json) -> bool:
    """Tell whether a value is a number that no key of Compose takes: .inf, -.inf or .nan."""
    return isinstance(value, float) and not isfinite(value)


EXTENSIONS = "extensions are written with their x-, as in a compose file"
FOREIGN: Mapping[type, Mapping[str, str]] = {
    Service: {"x": EXTENSIONS},
    Project: {
        "x": EXTENSIONS,
        **dict.fromkeys(("services", "jobs"), "is chosen by `match`, and changed by `default` and `patch` beside it"),
        **dict.fromkeys(
            ("name", "digest", "lines", "variables", "baked", "sensitive", "warnings", "dialect"),
            "cannot be changed by a policy",
        ),
    },
}
TOP: Mapping[str, Reader] = {
    "default": _change_reader(Project),
    "add": _change_reader(Project),
    "patch": _change_reader(Project),
    "limit": _read_limit,
    "emit": _read_template_name,
    "has": _read_globs,
    "deny": _read_message,
}
READERS: Mapping[str, Reader] = {
    "description": _read_text,
    "match": _read_selector,
    "unless": _read_selector,
    "default": _change_reader(Service),
    "add": _change_reader(Service),
    "patch": _change_reader(Service),
    "system": _read_system,
    "emit": _read_template_name,
    "deny": _read_message,
    "warn": _read_message,
    "hint": _read_message,
}
VERBS = READERS.keys() - {"description", "match", "unless", "hint"}
