"""The text of a policy: values as YAML 1.2 has them, with the line of every key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import yaml

from tycho.errors import PolicyError, Problem
from tycho.model import Json

Lines = dict[str, int]
Wrong = Callable[[int, str, str], None]  # line, path, message

SCALARS: tuple[tuple[re.Pattern[str], Callable[[str], Json]], ...] = (
    (re.compile(r"(null|Null|NULL|~|)"), lambda _: None),
    (re.compile(r"(true|True|TRUE)"), lambda _: True),
    (re.compile(r"(false|False|FALSE)"), lambda _: False),
    (re.compile(r"[-+]?(0|[1-9][0-9]*)"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text, 0)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+]?[0-9]+)?"), float),
)


def read(text: bytes, file: str) -> tuple[Json, Lines]:
    """A policy file's value, and the line of every dotted path in it.

    Args:
        text: UTF-8 YAML, one document; an empty one is None.
        file: The file as the user named it.

    Raises:
        PolicyError: It is not YAML, or a key is there twice, or it contains itself.
    """
    try:
        node = yaml.compose(text.decode(), Loader=yaml.CBaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise broken(file, [Problem(file, mark.line + 1 if mark else 0, "", f"not YAML: {said}")]) from error
    lines: Lines = {}
    problems: list[Problem] = []
    value = _value(node, "", (), lines, lambda at, path, said: problems.append(Problem(file, at, path, said)))
    if problems:
        raise broken(file, problems)
    return value, lines


def broken(file: str, problems: list[Problem]) -> PolicyError:
    """The error of a policy file that cannot be used."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return PolicyError(f"{count} in the policy {file}", problems=problems)


def line(lines: Lines, path: str) -> int:
    """The line of a path, or of the nearest one above it."""
    while path not in lines and path:
        path = path.rpartition(".")[0]
    return lines.get(path, 0)


def _value(node: yaml.Node | None, path: str, above: tuple[int, ...], lines: Lines, wrong: Wrong) -> Json:
    if node is None:
        return None
    at = node.start_mark.line + 1
    if id(node) in above:
        return wrong(at, path, "contains itself")
    if not node.tag.startswith("tag:yaml.org,2002:"):
        return wrong(at, path, f"the tag {node.tag} means nothing in a policy")
    above = (*above, id(node))
    lines.setdefault(path, at)
    match node:
        case yaml.MappingNode():
            return dict(_pairs(node, path, above, lines, wrong))
        case yaml.SequenceNode():
            items = enumerate(node.value)
            return [_value(item, f"{path}.{index}", above, lines, wrong) for index, item in items]
        case yaml.ScalarNode(style=None) | yaml.ScalarNode(style=""):
            return next((make for pattern, make in SCALARS if pattern.fullmatch(node.value)), str)(node.value)
        case _:
            return node.value


def _pairs(
    node: yaml.MappingNode, path: str, above: tuple[int, ...], lines: Lines, wrong: Wrong
) -> Iterator[tuple[str, Json]]:
    seen: set[str] = set()
    for key, value in node.value:
        name = str(key.value)
        below = f"{path}.{name}" if path else name
        if name in seen:
            wrong(key.start_mark.line + 1, below, "is there twice")
        seen.add(name)
        lines[below] = key.start_mark.line + 1
        yield name, _value(value, below, above, lines, wrong)
