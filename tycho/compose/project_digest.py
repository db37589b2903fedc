"""A digest of what a project says: templates instead of values, and nothing secret or of the environment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tycho.credentials import MASK, find_literals, names_secret
from tycho.model import File, Fixed, template

Fields = Mapping[str, Any]


def digest(name: str, fields: Fields) -> str:
    """sha256, in hex."""
    hashed = hashlib.sha256(name.encode())

    def write(value: str | float, *, whole: bool = False) -> None:
        said = _masked(value, whole=whole).encode(errors="surrogatepass")
        hashed.update(b"s%d:" % len(said) + said)

    def walk(value: Any) -> None:
        match value:
            case dict():
                hashed.update(b"{")
                for key, inner in value.items():
                    walk(key)
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
            case File():  # its content is no part of this: it may be secret
                walk((value.path, value.mode))
            case bool() | None:
                hashed.update(repr(value).encode() + b";")
            case _:
                write(value)

    walk(_said(fields))
    return hashed.hexdigest()


def _said(fields: Fields) -> dict[str, Any]:
    """The fields without what the environment put there."""
    said = dict(fields)
    for root in ("services", "jobs"):
        said[root] = {name: _service(service) for name, service in fields[root].items()}
    said["configs"] = {name: _without(one, "left_out", "copied") for name, one in fields.get("configs", {}).items()}
    said["secrets"] = {name: _without(one, "files") for name, one in fields.get("secrets", {}).items()}
    return said


def _service(service: Fields) -> dict[str, Any]:
    found = dict(service)
    rest = service.get("rest", {})  # of a hook: what it has from its service
    if passed := (*service.get("environment_pass", ()), *rest.get("environment_pass", ())):
        found["environment"] = {**service["environment"], **dict.fromkeys(passed)}
    if rest:
        found["rest"] = _service({**rest, "environment": {}})
    if hooks := service.get("pre_start"):
        found["pre_start"] = [_service(hook) for hook in hooks]
    if files := service.get("env_file"):
        found["env_file"] = [_without(one, "entries", "outside") for one in files]
    if mounts := service.get("volumes"):
        found["volumes"] = [_without(one, "note", "advice", "left_out", "copied", "single") for one in mounts]
    return found


def _masked(value: str | float, *, whole: bool) -> str:
    """A value as it was written, less what is secret in itself: a digest of little else would give it away."""
    text = MASK if isinstance(value, Fixed) and value.secret else template(value)
    for start, end in reversed(find_literals(text, whole=whole)):
        text = text[:start] + MASK + text[end:]
    return text


def _without(part: Fields, *keys: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in keys}
