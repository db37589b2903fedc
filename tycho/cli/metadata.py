"""`--metadata FILE`: what the caller says of single services, beside the compose file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tycho.errors import Problem, SourceError, UsageError
from tycho.files import FileRefused, read_named

if TYPE_CHECKING:
    import yaml

    from tycho.lifecycle import Metadata

MAX_BYTES = 1024 * 1024
KNOWN = ("port", "clients", "values")
HINTS = {"port": "a number from 1 to 65535", "clients": "[10.0.0.0/8, 192.0.2.7]", "values": "{replicas: 2}"}


def read(path: str) -> Metadata:
    """Read service metadata from a file: `{web: {port: 80, clients: [10.0.0.0/8], values: {replicas: 2}}}`.

    Raises:
        SourceError: The file cannot be read.
        UsageError: It is not service metadata; with every problem of it.
    """
    if not path:
        return {}
    import yaml

    from tycho.model import InvalidFieldsError, ServiceMetadata
    from tycho.model.node import read_value

    try:
        text = read_named(path, limit=MAX_BYTES)
    except FileRefused as error:
        raise SourceError(f"{path}: {error.detail}") from error
    try:
        document = yaml.safe_load(text)
        return read_value(dict[str, ServiceMetadata], {} if document is None else document)
    except yaml.YAMLError as error:
        why = getattr(error, "problem", None) or "it cannot be read"  # all that it says may quote a line
        raise UsageError(f"{path} is not YAML: {why}") from None
    except InvalidFieldsError as error:
        lines = dict(_lines(yaml.compose(text, Loader=yaml.SafeLoader)))
        problems = [_problem(path, lines, detail) for detail in error.details]
        raise UsageError(f"{path} is not service metadata", problems=problems) from error


def _lines(node: yaml.Node | None, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Yield each path of a document with its line."""
    import yaml

    if node is None:
        return
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, (*path, key.value))
            yield (*path, key.value), key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*path, index))


def _problem(file: str, lines: dict[tuple[str | int, ...], int], error: Mapping[str, Any]) -> Problem:
    place = error["loc"]
    line = next((lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in lines), 0)
    key = str(place[1]) if len(place) > 1 else ""
    if error["type"] == "extra_forbidden":
        near = get_close_matches(key, KNOWN, 1)
        hint = f'did you mean "{near[0]}"?' if near else f"write one of: {', '.join(KNOWN)}"
        return Problem(file, line, ".".join(map(str, place)), "no such key", hint)
    return Problem(file, line, ".".join(map(str, place)), error["msg"], HINTS.get(key, "write {web: {port: 80}}"))
