"""A digest of what a project says: templates instead of values, and nothing secret or of the environment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from tycho.credentials import MASK, find_literals, names_secret
from tycho.model import Fixed, ProjectFile, template

Fields = Mapping[str, Any]


def digest(name: str, fields: Fields) -> str:
    """sha256, in hex."""
    hashed = hashlib.sha256(name.encode())

    @cache  # services have the same keys, and many of the same values
    def encode(text: str, whole: bool) -> bytes:
        encoded = _masked(text, whole=whole).encode(errors="surrogatepass")
        return b"s%d:" % len(encoded) + encoded

    def write(value: str | float, *, whole: bool = False) -> None:
        hashed.update(encode(MASK if isinstance(value, Fixed) and value.secret else template(value), whole))

    def walk(value: Any) -> None:
        match value:
            case str():
                write(value)
            case dict():
                hashed.update(b"{")
                for key, inner in value.items():
                    write(key)
                    if isinstance(inner, str):
                        write(inner, whole=names_secret(str(key)))
                    else:
                        walk(inner)
                hashed.update(b"}")
            case list() | tuple():
                hashed.update(b"[")
                for inner in value:
                    walk(inner)
                hashed.update(b"]")
            case ProjectFile():  # its content is no part of this: it may be secret
                walk((value.path, value.mode))
            case bool() | None:
                hashed.update(repr(value).encode() + b";")
            case _:
                write(value)

    walk(_without_environment(fields))
    return hashed.hexdigest()


def _without_environment(fields: Fields) -> dict[str, Any]:
    """The fields without what the environment put there."""
    written = dict(fields)
    for root in ("services", "jobs"):
        written[root] = {name: _service(service) for name, service in fields[root].items()}
    written["configs"] = {
        name: _without(element, "left_out", "copied") for name, element in fields.get("configs", {}).items()
    }
    written["secrets"] = {name: _without(element, "files") for name, element in fields.get("secrets", {}).items()}
    return written


def _service(service: Fields) -> dict[str, Any]:
    written = dict(service)
    inherited = written.pop("inherited", {})  # of a hook: what it has from its service
    if passed := (*service.get("environment_pass", ()), *inherited.get("environment_pass", ())):
        written["environment"] = {**service["environment"], **dict.fromkeys(passed)}
    if inherited:
        written["rest"] = _service({**inherited, "environment": {}})
    if hooks := service.get("pre_start"):
        written["pre_start"] = [_service(hook) for hook in hooks]
    if files := service.get("env_file"):
        written["env_file"] = [_without(entry, "entries", "outside") for entry in files]
    if mounts := service.get("volumes"):
        written["volumes"] = [_without(entry, "note", "advice", "left_out", "copied", "single") for entry in mounts]
    return written


def _masked(text: str, *, whole: bool) -> str:
    """A text without what is secret in itself: a digest of little else would give it away."""
    for start, end in reversed(find_literals(text, whole=whole)):
        text = text[:start] + MASK + text[end:]
    return text


def _without(part: Fields, *keys: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in keys}
