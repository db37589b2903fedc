"""Change fields of the model by the verbs that do so, validate the result, and list what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from tycho.model import InvalidFieldsError, Json, Live, Node, Project, Service
from tycho.model.rights import find_setting
from tycho.policy.selector import to_text

Part = TypeVar("Part", Service, Project)
Fields = dict[str, Json]

MISSING = object()  # stands for a field that the file does not set; None is a value
SECTIONS = frozenset({"services", "jobs"})
# In these lists the last entry that fits decides, so the file's entries follow those of a default.
ORDERED = frozenset({"secretEnvironment", "secretFiles"})
CANONICAL = "write long syntax: lists and mappings in full, memory in bytes, durations in seconds, text in quotes"


def to_model_fields(keys: Mapping[str, Json]) -> Fields:
    """Convert Compose keys to the model's fields: extensions move into `x`."""
    fields: Fields = {key: value for key, value in keys.items() if not key.startswith("x-")}
    extensions = {key: value for key, value in keys.items() if key.startswith("x-")}
    return fields | {"x": extensions} if extensions else fields


def apply_default(part: Part, default: Mapping[str, Json]) -> Part:
    """Copy a part with defaults for what the file does not set, at any depth of mappings."""
    return _with_fields(part, {key: _default(base, value) for key, base, value in _current_values(part, default)})


def add_to(part: Part, additions: Mapping[str, Json]) -> Part:
    """Copy a part with what it lacks: keys of mappings, and entries of lists whose key no other entry has."""
    return _with_fields(part, {key: _add(base, value) for key, base, value in _current_values(part, additions)})


def apply_patch(part: Part, patch: Mapping[str, Json]) -> Part:
    """Copy a part after a merge patch (RFC 7386): mappings merge, null deletes, all else replaces."""
    return _with_fields(part, {key: _patch(base, value) for key, base, value in _current_values(part, patch)})


CHANGES: Mapping[str, Callable[[Any, Any], Any]] = {"default": apply_default, "add": add_to, "patch": apply_patch}
"""The verbs that change fields, in the order in which they are applied: a part, and what the policy says."""


def change(part: Part, verbs: Mapping[str, Json]) -> Part:
    """Copy a part with the changes of a policy.

    Raises:
        InvalidFieldsError: A field holds what it cannot.
    """
    for verb, apply in CHANGES.items():
        if verb in verbs:
            part = apply(part, verbs[verb])
    return part


def revalidate(before: Project, after: Project) -> Project:
    """Validate the fields that a policy changed; live values keep their templates.

    Raises:
        InvalidFieldsError: A field holds what it cannot.
    """
    changed = {}
    for key in after.model_fields_set:
        old, new = getattr(before, key), getattr(after, key)
        if key in SECTIONS and new is not old:
            changed[key] = {
                name: service if service is old.get(name) else _to_python(service) for name, service in new.items()
            }
        elif new is not old:
            changed[key] = _to_python(new)
    validated = Project.model_validate({"name": before.name, **changed})
    return after.model_copy(update={key: getattr(validated, key) for key in changed})


def differences(before: object, after: object, path: str) -> Iterator[tuple[str, bool]]:
    """List the paths that differ, each with whether there was something before.

    A list that differs is one path, unless it only got longer.
    """
    if before is after:
        return
    old, new = _fields(before), _fields(after)
    if isinstance(before, tuple | list) and isinstance(after, tuple | list) and _is_longer(before, after):
        # The entries before the new ones keep their paths and lines.
        yield from ((f"{path}[{index}]", False) for index in range(len(before), len(after)))
        return
    if old is None or new is None:
        if _comparable(before) != _comparable(after):
            yield path, before is not None
        return
    for key in sorted(old.keys() | new.keys(), key=str):
        if key == "x" and isinstance(after, Node):
            yield from differences(old.get(key, {}), new.get(key, {}), path)
        else:
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))


def _is_longer(before: Sequence[object], after: Sequence[object]) -> bool:
    """Tell whether a list got further entries, and is the same up to them."""
    return 0 < len(before) < len(after) and _comparable(before) == _comparable(after[: len(before)])


def validation_problems(error: InvalidFieldsError, kind: type[Service | Project]) -> Iterator[tuple[str, str, str]]:
    """Yield path, message and hint of each problem that the model has with a change."""
    for detail in error.details:
        steps = [step for step in detail["loc"] if step != "x"]
        *parents, key = map(str, steps)
        path = _join_path(steps)
        if detail["type"] == "extra_forbidden":
            known = Service if len(parents) == 2 and parents[0] in SECTIONS else kind if not parents else Node
            near = get_close_matches(key, known.model_fields, n=1)
            yield path, f'Compose has no key "{key}" here', f'did you mean "{near[0]}"?' if near else ""
        else:
            value, message = detail["input"], detail["msg"].removeprefix("Input ")
            subject = f'"{value}"' if isinstance(value, str) else "this" if _fields(value) else to_text(value)
            yield path, f"{subject} {message}", CANONICAL


def _join_path(steps: Sequence[int | str]) -> str:
    """Write the place of a value as paths are written, such as `ports[0].target`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _current_values(part: Node, change: Mapping[str, Json]) -> Iterator[tuple[str, object, Json]]:
    for key, value in change.items():
        yield key, getattr(part, key) if key in part.model_fields_set else MISSING, value


def _with_fields(part: Part, fields: Fields) -> Part:
    if not fields:
        return part
    deleted = {key for key, value in fields.items() if value is MISSING} & part.model_fields_set
    kept = {key: value for key, value in fields.items() if value is not MISSING}
    required = {key: getattr(part, key) for key in ("name",) if key in type(part).model_fields}
    validated = type(part).model_validate({**required, **kept})
    return part.model_copy(update={key: getattr(validated, key) for key in kept}, unset=deleted)


def _default(base: object, default: Json) -> Json:
    if base is MISSING:
        return default
    fields = _fields(base)
    if fields is None or not isinstance(default, Mapping):
        return base
    return fields | {key: _default_entry(key, fields.get(key, MISSING), value) for key, value in default.items()}


def _default_entry(key: str, base: object, default: Json) -> Json:
    if key in ORDERED and isinstance(base, list | tuple) and isinstance(default, list | tuple):
        return [*default, *base]
    return _default(base, default)


def _add(base: object, value: Json) -> Json:
    if base is MISSING or base is None:
        return value
    fields = _fields(base)
    if fields is not None and isinstance(value, Mapping):
        return fields | {key: _add(fields.get(key, MISSING), added) for key, added in value.items()}
    if isinstance(base, list | tuple) and isinstance(value, list | tuple):
        present = {_entry_key(entry) for entry in base}
        return [*base, *(entry for entry in value if _entry_key(entry) not in present)]
    return base


def _entry_key(entry: object) -> object:
    """Return what identifies an entry of a list: no list holds two entries of one key."""
    if isinstance(entry, str):
        return find_setting(entry)
    fields = _fields(entry)
    if fields is None:
        return str(entry)
    named = next((fields[key] for key in ("target", "source", "path", "name") if fields.get(key)), str(fields))
    return str(named), str(fields.get("protocol") or "tcp")


def _patch(base: object, patch: Json) -> Json:
    if patch is None:
        return MISSING
    if not isinstance(patch, Mapping):
        return patch
    merged = _fields(base) or {}
    for key, value in patch.items():
        merged[key] = _patch(merged.get(key, MISSING), value)
    return {key: value for key, value in merged.items() if value is not MISSING}


def _fields(value: object) -> Fields | None:
    if isinstance(value, Node):
        return {key: getattr(value, key) for key in value.model_fields_set}
    return dict(value) if isinstance(value, Mapping) else None


def _to_python(value: object) -> Json:
    """Convert a part of the model to mappings and lists of what was set."""
    fields = _fields(value)
    if fields is not None:
        return {key: _to_python(child) for key, child in fields.items()}
    return [_to_python(element) for element in value] if isinstance(value, tuple | list) else value


def _comparable(value: object) -> Json:
    """Convert a part of the model for comparison: live values are equal when their templates are, too."""
    fields = _fields(value)
    if fields is not None:
        return {key: _comparable(child) for key, child in fields.items()}
    if isinstance(value, tuple | list):
        return [_comparable(element) for element in value]
    return (value, value.template) if isinstance(value, Live) else value
