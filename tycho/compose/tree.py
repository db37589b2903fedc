"""YAML text to a tree that remembers where every node stood.

libyaml parses; what a plain scalar means is go-yaml's rule, neither YAML 1.1's nor 1.2's: `22:22`, `yes` and `=` are
text, `0755` and `0o755` are octal, `1_000` is a number. Duplicate keys are refused. `!reset` and `!override` are kept
as tags for the merge.

Source: gopkg.in/yaml resolve rules; Compose Specification, "Fragments" and "Merge".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml

from tycho.errors import Problem

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # a PyYAML without libyaml: slower, same result
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

MAX_BYTES = 8 * 1024 * 1024
MAX_NODES = 400_000
MAX_DEPTH = 100
MAX_NESTING = 1000  # opening brackets in a row of flow style: libyaml recurses on them

Scalar = str | int | float | bool | None


@dataclass(slots=True)
class Node:
    """A value and its place: a scalar, a dict of nodes, or a list of nodes."""

    value: Any
    file: str = ""
    line: int = 0
    tag: str = ""  # "reset" or "override"

    def with_value(self, value: Any) -> Node:
        """Another value at the same place."""
        return replace(self, value=value, tag="")

    def get(self, key: str) -> Node | None:
        """A child of a mapping; None where there is none, or where this is no mapping."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found if isinstance(found, Node) else None

    @property
    def map(self) -> dict[str, Node]:
        """The children of a mapping; none of anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def seq(self) -> list[Node]:
        """The children of a list; none of anything else."""
        return self.value if isinstance(self.value, list) else []

    def problem(self, path: str, message: str, hint: str = "") -> Problem:
        """Something wrong here."""
        return Problem(self.file, self.line, path, message, hint)


class Unreadable(Exception):
    """The text is not a tree; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def plain(node: Node) -> Any:
    """The bare value, for those who need no places."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return str.__str__(value) if isinstance(value, str) else value


def parse(text: bytes, file: str) -> list[Node]:
    """The documents of one file.

    Args:
        text: UTF-8.
        file: What the user calls it.

    Raises:
        Unreadable: Not UTF-8, not YAML, a duplicate or non-string key, or larger than anybody would write.
    """
    if len(text) > MAX_BYTES:
        raise Unreadable(Problem(file, 0, "", f"larger than {MAX_BYTES >> 20} MiB"))
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise Unreadable(Problem(file, line, "", "not UTF-8 text", "save the file as UTF-8")) from None
    if "\0" in decoded:
        line = decoded.count("\n", 0, decoded.index("\0")) + 1
        raise Unreadable(Problem(file, line, "", "holds a NUL character"))
    if re.search(r"(?:[\[{]\s*){%d}" % MAX_NESTING, decoded) or re.search(
        r"(?:- ){%d}" % MAX_NESTING, decoded
    ):
        raise Unreadable(Problem(file, 0, "", "nested too deeply"))
    build = _Build(file)
    try:
        return [
            build.node(node, "", 0) for node in yaml.compose_all(decoded, Loader=Loader) if node is not None
        ]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(filter(None, (error.problem, error.context))) or "not YAML"
        hint = "indent with spaces" if "\\t" in said or "tab" in said else ""
        raise Unreadable(Problem(file, mark.line + 1 if mark else 0, "", said, hint)) from None
    except yaml.YAMLError as error:
        raise Unreadable(Problem(file, 0, "", str(error).splitlines()[0])) from None
    except RecursionError:
        raise Unreadable(Problem(file, 0, "", "nested too deeply")) from None


class _Build:
    """Turns libyaml's node graph into ours; counts what it visits, for an alias may stand for a million nodes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.visited = 0
        self.open: list[yaml.Node] = []

    def node(self, node: yaml.Node, path: str, depth: int) -> Node:
        line = node.start_mark.line + 1
        self.visited += 1
        if self.visited > MAX_NODES:
            raise self.unreadable(line, path, "too many nodes: excessive aliasing, or too large a file")
        if depth > MAX_DEPTH:
            raise self.unreadable(line, path, "nested too deeply")
        tag = node.tag[1:] if node.tag in ("!reset", "!override") else ""
        if isinstance(node, yaml.ScalarNode):
            return Node(self.scalar(node), self.file, line, tag)
        if any(node is above for above in self.open):
            raise self.unreadable(line, path, "an alias refers to a node that contains it (cycle)")
        self.open.append(node)
        try:
            if isinstance(node, yaml.SequenceNode):
                items = [self.node(child, f"{path}[{i}]", depth + 1) for i, child in enumerate(node.value)]
                return Node(items, self.file, line, tag)
            return Node(dict(self.pairs(node, path, depth)), self.file, line, tag)
        finally:
            self.open.pop()

    def pairs(self, node: yaml.MappingNode, path: str, depth: int) -> Iterator[tuple[str, Node]]:
        seen: dict[str, int] = {}
        merged: dict[str, Node] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name == "<<" and not key.style:
                if "<<" in seen:
                    raise self.unreadable(line, path, f'mapping key "<<" already defined at line {seen["<<"]}',
                                          "write one: <<: [*a, *b]")  # fmt: skip
                seen["<<"] = line
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if not isinstance(source, yaml.MappingNode):
                        raise self.unreadable(
                            line, path, "map merge requires map or sequence of maps as the value"
                        )
                    for inner, child in self.node(source, path, depth + 1).map.items():
                        merged.setdefault(inner, child)
                continue
            if name is None or not isinstance(self.scalar(key), str):
                where = f"in {path}" if path else "at top level"
                raise self.unreadable(line, path, f"non-string key {where}: {name}", f'quote it: "{name}"')
            if name in seen:
                raise self.unreadable(
                    line, path, f'mapping key "{name}" already defined at line {seen[name]}'
                )
            seen[name] = line
            child = self.node(value, f"{path}.{name}" if path else name, depth + 1)
            if not child.map and not child.seq:
                child.line = line  # a scalar is where its key is, even when the text starts below
            yield name, child
        for name, child in merged.items():
            if name not in seen:
                yield name, child

    def scalar(self, node: yaml.ScalarNode) -> Scalar:
        text: str = node.value
        if node.style or node.tag == "!":
            return text
        value = resolve(text)
        if (
            node.tag == STR
            and not isinstance(value, str)
            and IMPLICIT(yaml.ScalarNode, text, (True, False)) != STR
        ):
            return text  # `!!str 80`: PyYAML itself would have called it a number
        return value

    def unreadable(self, line: int, path: str, message: str, hint: str = "") -> Unreadable:
        return Unreadable(Problem(self.file, line, path, message, hint))


STR = "tag:yaml.org,2002:str"
IMPLICIT = yaml.SafeLoader("").resolve

_INT = re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}


def resolve(text: str) -> Scalar:
    """What a plain scalar is worth to go-yaml."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INT.fullmatch(text):
        digits = text.replace("_", "")
        sign = -1 if digits[0] == "-" else 1
        digits = digits.lstrip("+-")
        try:
            if digits[:2] in ("0b", "0o", "0x"):
                return sign * int(digits, 0)
            if len(digits) > 1 and digits[0] == "0":
                return sign * int(digits, 8)
            return sign * int(digits)
        except ValueError:
            return float(digits) * sign  # 08: octal it is not
    if _FLOAT.fullmatch(text) and any(character.isdigit() for character in text):
        return float(text.replace("_", ""))
    return text
