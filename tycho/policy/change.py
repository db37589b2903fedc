"""`default` and `patch`: a part of the model with other fields, checked by the model; and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar

from pydantic import ValidationError

from tycho.model import Json, Live, Node, Project, Service
from tycho.model.rights import find_setting
from tycho.policy.select import plain

Part = TypeVar("Part", Service, Project)
Fields = dict[str, Json]

MISSING = object()  # what a field holds that the file did not set: null is a value
SECTIONS = frozenset({"services", "jobs"})
# Of these lists the last entry that fits decides: what a file lists stands after a default.
ORDERED = frozenset({"secretEnvironment", "secretFiles"})
CANONICAL = (
    "a policy changes the canonical form, in which short forms are written out: lists and mappings in full, "
    "memory in bytes, durations in seconds, text in quotes"
)


def inward(said: Mapping[str, Json]) -> Fields:
    """Compose keys as the model's fields: extensions are gathered in `x`."""
    fields: Fields = {key: value for key, value in said.items() if not key.startswith("x-")}
    extensions = {key: value for key, value in said.items() if key.startswith("x-")}
    return fields | {"x": extensions} if extensions else fields


def defaulted(part: Part, default: Mapping[str, Json]) -> Part:
    """A copy with what the file did not set, at any depth of mappings."""
    return _with(part, {key: _default(base, value) for key, base, value in _beside(part, default)})


def add_to(part: Part, additions: Mapping[str, Json]) -> Part:
    """Copy a part with what it lacks: keys of mappings, and entries of lists that no entry of the same key is in."""
    return _with(part, {key: _add(base, value) for key, base, value in _beside(part, additions)})


def patched(part: Part, patch: Mapping[str, Json]) -> Part:
    """A copy after a merge patch (RFC 7386): mappings merge, null deletes, all else replaces."""
    return _with(part, {key: _patch(base, value) for key, base, value in _beside(part, patch)})


def checked(before: Project, after: Project) -> Project:
    """The same system, with all that changed built anew by the model; live values keep their templates.

    Raises:
        ValidationError: A field holds what it cannot.
    """
    changed = {}
    for key in after.model_fields_set:
        old, new = getattr(before, key), getattr(after, key)
        if key in SECTIONS and new is not old:
            changed[key] = {name: one if one is old.get(name) else _plain(one) for name, one in new.items()}
        elif new is not old:
            changed[key] = _plain(new)
    made = Project.model_validate({"name": before.name, **changed})
    return after.model_copy(update={key: getattr(made, key) for key in changed})


def differences(before: object, after: object, path: str) -> Iterator[tuple[str, bool]]:
    """Paths that differ, each with whether there was something before; lists differ as a whole."""
    if before is after:
        return
    ours, theirs = _fields(before), _fields(after)
    if isinstance(before, tuple | list) and isinstance(after, tuple | list) and _is_longer(before, after):
        # what was there keeps its place and its line
        yield from ((f"{path}[{index}]", False) for index in range(len(before), len(after)))
        return
    if ours is None or theirs is None:
        if _written(before) != _written(after):
            yield path, before is not None
        return
    for key in sorted(ours.keys() | theirs.keys(), key=str):
        if key == "x" and isinstance(after, Node):
            yield from differences(ours.get(key, {}), theirs.get(key, {}), path)
        else:
            yield from differences(ours.get(key), theirs.get(key), f"{path}.{key}" if path else str(key))


def _is_longer(before: Sequence[object], after: Sequence[object]) -> bool:
    """Tell whether a list got further entries, and is the same up to them."""
    return 0 < len(before) < len(after) and _written(before) == _written(after[: len(before)])


def complaints(error: ValidationError, kind: type[Service | Project]) -> Iterator[tuple[str, str, str]]:
    """What the model says against a change: path, message, hint."""
    for detail in error.errors(include_url=False):
        *above, key = where = [str(step) for step in detail["loc"] if step != "x"]
        if detail["type"] == "extra_forbidden":
            known = Service if len(above) == 2 and above[0] in SECTIONS else kind if not above else Node
            near = get_close_matches(key, known.model_fields, n=1)
            yield (
                ".".join(where),
                f'Compose has no key "{key}" here',
                f'did you mean "{near[0]}"?' if near else "",
            )
        else:
            given, message = detail["input"], detail["msg"].removeprefix("Input ")
            shown = f'"{given}"' if isinstance(given, str) else "this" if _fields(given) else plain(given)
            yield ".".join(where), f"{shown} {message}", CANONICAL


def _beside(part: Node, change: Mapping[str, Json]) -> Iterator[tuple[str, object, Json]]:
    for key, value in change.items():
        yield key, getattr(part, key) if key in part.model_fields_set else MISSING, value


def _with(part: Part, fields: Fields) -> Part:
    if not fields:
        return part
    gone = {key for key, value in fields.items() if value is MISSING} & part.model_fields_set
    kept = {key: value for key, value in fields.items() if value is not MISSING}
    required = {key: getattr(part, key) for key in ("name",) if key in type(part).model_fields}
    made = type(part).model_validate({**required, **kept})
    blank = {key: type(part).model_fields[key].get_default(call_default_factory=True) for key in gone}
    copy = part.model_copy(update={key: getattr(made, key) for key in kept} | blank)
    copy.model_fields_set.difference_update(gone)
    return copy


def _default(base: object, default: Json) -> Json:
    if base is MISSING:
        return default
    fields = _fields(base)
    if fields is None or not isinstance(default, Mapping):
        return base
    return fields | {key: _listed(key, fields.get(key, MISSING), value) for key, value in default.items()}


def _listed(key: str, base: object, default: Json) -> Json:
    if key in ORDERED and isinstance(base, list | tuple) and isinstance(default, list | tuple):
        return [*default, *base]
    return _default(base, default)


def _add(base: object, value: Json) -> Json:
    if base is MISSING or base is None:
        return value
    fields = _fields(base)
    if fields is not None and isinstance(value, Mapping):
        return fields | {key: _add(fields.get(key, MISSING), item) for key, item in value.items()}
    if isinstance(base, list | tuple) and isinstance(value, list | tuple):
        present = {_entry_key(entry) for entry in base}
        return [*base, *(entry for entry in value if _entry_key(entry) not in present)]
    return base


def _entry_key(entry: object) -> object:
    """Name what an entry of a list decides: two of the same key cannot stand side by side."""
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


def _plain(value: object) -> Json:
    fields = _fields(value)
    if fields is not None:
        return {key: _plain(item) for key, item in fields.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _written(value: object) -> Json:
    """For comparison: two live values are the same when they say the same."""
    fields = _fields(value)
    if fields is not None:
        return {key: _written(item) for key, item in fields.items()}
    if isinstance(value, tuple | list):
        return [_written(item) for item in value]
    return (value, value.template) if isinstance(value, Live) else value
