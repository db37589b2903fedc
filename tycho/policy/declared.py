"""A policy in YAML: what each key may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from tycho.errors import Problem
from tycho.files import FileRefused, read_file
from tycho.model import Json, Project, Service
from tycho.policy.change import complaints, inward
from tycho.policy.file import Policy
from tycho.policy.select import KEYS, Selector
from tycho.policy.source import broken, line, read

PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
PLACEHOLDERS = ("name", "image", "has", "right")
MAX_BYTES = 1024 * 1024  # of a policy, and of a template


def declared(path: Path, text: bytes) -> Policy:
    """Read a policy in YAML.

    Args:
        path: Its file; a template that it emits lies beside it.
        text: What the file holds.

    Raises:
        PolicyError: With every problem of the file.
    """
    file = str(path)
    said, lines = read(text, file)
    problems: list[Problem] = []

    def wrong(where: str, message: str, hint: str = "") -> None:
        problems.append(Problem(file, line(lines, where), where, message, hint))

    if not isinstance(said, dict):
        raise broken(file, [Problem(file, 1, "", "a policy is a mapping", f"keys: {', '.join(READERS)}")])
    found: dict[str, Json] = {}
    for key, value in said.items():
        if key in READERS:
            found[key] = READERS[key](value, key, wrong)
        else:
            _unknown(key, key, READERS, wrong)
    if "description" not in said:
        wrong("description", "is missing: say in a sentence what the policy does")
    if not found.keys() & VERBS:
        wrong("", "does nothing", f"write one of {', '.join(sorted(VERBS))}")
    templates: dict[str, bytes] = {}
    for at, name in {"emit": found.get("emit"), "system.emit": found.get("system", {}).get("emit")}.items():
        try:
            templates |= {name: read_file(str(path.parent / name), limit=MAX_BYTES).content} if name else {}
        except FileRefused as error:
            wrong(at, f"{name}: {error.detail}", "the template lies beside the policy")
    if problems:
        raise broken(file, problems)
    return Policy(path=path, text=text, lines=lines, templates=templates, **found)


Wrong = Callable[..., None]


def _text(value: Json, at: str, wrong: Wrong) -> str:
    if not isinstance(value, str) or not value.strip():
        wrong(at, "must be text")
        return ""
    return value.strip()


def _message(value: Json, at: str, wrong: Wrong) -> str:
    text = _text(value, at, wrong)
    for name in PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
            wrong(at, f"{{{name}}} stands for nothing", f"known: {known}")
    return text


def _template(value: Json, at: str, wrong: Wrong) -> str:
    text = _text(value, at, wrong)
    if text and Path(text).name != text:
        wrong(at, f"{text} is not beside the policy", "write the name of a file in the same folder")
        return ""
    return text


def _selector(value: Json, at: str, wrong: Wrong) -> Selector:
    found: dict[str, tuple[str, ...]] = {}
    for key, globs in _mapping(value, at, wrong).items():
        if key not in KEYS:
            _unknown(key, f"{at}.{key}", KEYS, wrong)
        else:
            found[key] = _globs(globs, f"{at}.{key}", wrong)
    return Selector(**found)


def _globs(value: Json, at: str, wrong: Wrong) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(glob, str) and glob for glob in listed):
        wrong(at, "must be a glob, or a list of globs", 'put it in quotes: "…"')
        return ()
    return tuple(listed)


def _mapping(value: Json, at: str, wrong: Wrong) -> Mapping[str, Json]:
    if isinstance(value, dict) and value:
        return value
    wrong(at, "must be a mapping")
    return {}


def _change(kind: type[Service | Project]) -> Callable[[Json, str, Wrong], Mapping[str, Json]]:
    """A reader of what `kind` is to become: the model says beforehand whether it could."""

    def change(value: Json, at: str, wrong: Wrong) -> Mapping[str, Json]:
        said = dict(_mapping(value, at, wrong))
        for key in said.keys() & FOREIGN[kind].keys():
            wrong(f"{at}.{key}", FOREIGN[kind][key])
            del said[key]
        if at.endswith(("default", "add")) and (null := next(_nulls(said, at), "")):
            wrong(null, "null sets nothing", "`patch` deletes with it")
        required = {"name": "any"} if kind is Project else {}
        try:
            kind.model_validate({**required, **inward(_without_nulls(said))})
        except ValidationError as error:
            for where, message, hint in complaints(error, kind):
                wrong(f"{at}.{where}", message, hint)
        return inward(said)

    return change


def _system(value: Json, at: str, wrong: Wrong) -> Mapping[str, Json]:
    found = {}
    for key, said in _mapping(value, at, wrong).items():
        if key in TOP:
            found[key] = TOP[key](said, f"{at}.{key}", wrong)
        else:
            _unknown(key, f"{at}.{key}", TOP, wrong)
    if ("has" in found) != ("deny" in found):
        wrong(at, "`has` and `deny` go together", "write both, or neither")
    return found


def _unknown(key: str, at: str, known: Mapping[str, object] | tuple[str, ...], wrong: Wrong) -> None:
    near = get_close_matches(key, known, n=1)
    wrong(at, f'unknown key "{key}"', f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}")


def _without_nulls(value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    return {key: _without_nulls(item) for key, item in value.items() if item is not None}


def _nulls(value: Json, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from [f"{at}.{key}"] if item is None else _nulls(item, f"{at}.{key}")


EXTENSIONS = "extensions are written with their x-, as in a compose file"
FOREIGN: Mapping[type, Mapping[str, str]] = {
    Service: {"x": EXTENSIONS},
    Project: {
        "x": EXTENSIONS,
        **dict.fromkeys(("services", "jobs"), "is chosen by `match`, and changed by `default` and `patch` beside it"),
        **dict.fromkeys(
            ("name", "digest", "lines", "variables", "baked", "sensitive", "warnings", "dialect"),
            "is not a policy's to change",
        ),
    },
}
TOP: Mapping[str, Callable[[Json, str, Wrong], Json]] = {
    "default": _change(Project),
    "add": _change(Project),
    "patch": _change(Project),
    "emit": _template,
    "has": _globs,
    "deny": _message,
}
READERS: Mapping[str, Callable[[Json, str, Wrong], Json]] = {
    "description": _text,
    "match": _selector,
    "unless": _selector,
    "default": _change(Service),
    "add": _change(Service),
    "patch": _change(Service),
    "system": _system,
    "emit": _template,
    "deny": _message,
    "warn": _message,
    "hint": _message,
}
VERBS = frozenset({"default", "add", "patch", "system", "emit", "deny", "warn"})
