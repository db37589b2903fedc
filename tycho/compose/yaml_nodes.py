"""YAML text to a tree that remembers where every node stood.

libyaml parses; what a plain scalar means is go-yaml's rule, neither YAML 1.1's nor 1.2's: `22:22`, `yes` and `=` are
text, `0755` and `0o755` are octal, `1_000` is a number. Duplicate keys are refused. `!reset` and `!override` are kept
as tags for the merge.

Source: gopkg.in/yaml resolve rules; Compose Specification, "Fragments" and "Merge".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct

from tycho.compose.go_scalars import DATE, Scalar, resolve
from tycho.errors import Problem
from tycho.model import bare

try:
    from yaml import CSafeLoader as Base
except ImportError:  # a PyYAML without libyaml: slower, same result
    from yaml import SafeLoader as Base  # type: ignore[assignment]

MAX_BYTES = 8 * 1024 * 1024
MAX_NODES = 600_000
MAX_ALIASED = 100_000  # nodes that stand in the tree because an alias put them there once more
MAX_ENTRIES = 20_000  # of one mapping or list
MAX_DEPTH = 100
MAX_KEY = 1024  # characters of a key
MAX_TEXT = 128 * 1024 * 1024  # characters of all texts and their places, those of aliases each time
STR = "tag:yaml.org,2002:str"
TYPED = "tag:yaml.org,2002:"
INVALID = "wrong"  # tag of a list item that was told of, and is looked at no more


class YamlNode(Struct):
    """A value and its place: a scalar, a dict of nodes, or a list of nodes."""

    value: Any
    file: str = ""
    line: int = 0
    tag: str = ""  # "reset", "override", "date", "wrong"
    template: str = ""  # of a value that cannot carry its own

    def with_value(self, value: Any) -> YamlNode:
        """Another value at the same place."""
        return YamlNode(value, self.file, self.line)

    def get(self, key: str) -> YamlNode | None:
        """A child of a mapping; None where there is none, or where this is no mapping."""
        child = self.value.get(key) if isinstance(self.value, dict) else None
        return child if isinstance(child, YamlNode) else None

    @property
    def map(self) -> dict[str, YamlNode]:
        """The children of a mapping; none of anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def seq(self) -> list[YamlNode]:
        """The children of a list; none of anything else."""
        return self.value if isinstance(self.value, list) else []

    @property
    def size(self) -> int:
        """How many nodes this is, with all below it."""
        nodes = [self]
        for node in nodes:  # which grows meanwhile
            if isinstance(node.value, dict | list):
                nodes += node.map.values() or node.seq
        return len(nodes)

    def problem(self, path: str, message: str, hint: str = "") -> Problem:
        """Something wrong here."""
        return Problem(self.file, self.line, path, message, hint)


class Unreadable(Exception):
    """The text is not a tree; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def to_python(node: YamlNode) -> Any:
    """Return a tree as plain Python values, without places and expressions."""
    value = node.value
    if isinstance(value, dict):
        return {key: to_python(child) for key, child in value.items()}
    if isinstance(value, list):
        return [to_python(child) for child in value]
    return bare(value)


def from_python(value: Any, place: YamlNode) -> YamlNode:
    """Make a tree of plain Python values, all at the same place."""
    if isinstance(value, dict):
        return place.with_value({key: from_python(child, place) for key, child in value.items()})
    if isinstance(value, list):
        return place.with_value([from_python(child, place) for child in value])
    return place.with_value(value)


def clone(node: YamlNode) -> YamlNode:
    """Copy a tree, so that the copy may be changed."""
    value = node.value
    if isinstance(value, dict):
        value = {key: clone(child) for key, child in value.items()}
    elif isinstance(value, list):
        value = [clone(child) for child in value]
    return YamlNode(value, node.file, node.line, node.tag, node.template)


def value_of(node: YamlNode, key: str) -> Any:
    """Return the plain value of a key; None where there is none."""
    child = node.get(key)
    return to_python(child) if child else None


def child_path(path: str, key: str | int) -> str:
    """Return the path of a child."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def as_entries(node: YamlNode | None) -> list[YamlNode]:
    """Return the entries of a list, or the single scalar that stands for it."""
    if node is None or node.value is None:
        return []
    return node.seq if isinstance(node.value, list) else [node]


def parse(text: bytes, file: str) -> list[YamlNode]:
    """The documents of one file.

    Args:
        text: UTF-8.
        file: What the user calls it.

    Raises:
        Unreadable: Not UTF-8, not YAML, a duplicate or non-string key, or larger than anybody would write.
    """
    if len(text) > MAX_BYTES:
        raise Unreadable(Problem(file, 0, "", f"larger than {MAX_BYTES >> 20} MiB", "split it, and include the parts"))
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise Unreadable(Problem(file, line, "", "not UTF-8 text", "save the file as UTF-8")) from None
    build = _Build(file)
    try:
        return [build.node(node, "", 0) for node in yaml.compose_all(decoded, Loader=Loader)]
    except _TooMuch as error:
        raise Unreadable(Problem(file, error.line, "", str(error), "split it, and include the parts")) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(filter(None, (error.problem, error.context))) or "not YAML"
        hint = "indent with spaces" if "\\t" in message or "tab" in message else ""
        raise Unreadable(Problem(file, mark.line + 1 if mark else 0, "", message, hint)) from None
    except yaml.YAMLError as error:
        line = decoded.count("\n", 0, getattr(error, "position", 0)) + 1
        message = "holds a character that YAML forbids" if isinstance(error, yaml.reader.ReaderError) else str(error)
        raise Unreadable(Problem(file, line, "", message.splitlines()[0])) from None


class _TooMuch(yaml.YAMLError):
    """More than anybody would write; found while libyaml is still reading."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Loader(Base):
    """libyaml's composer with limits; a plain scalar gets no tag, for its meaning is decided by `resolve`."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.nodes = self.depth = 0

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """No tag for a plain scalar, the text's for a quoted one."""
        return "" if kind is not yaml.ScalarNode or implicit[0] else STR

    def descend_resolver(self, parent: Any, index: Any) -> None:
        """Called for every node before it is read."""
        self.nodes += 1
        self.depth += 1
        if parent is None:
            return
        line = parent.start_mark.line + 1
        if self.depth > MAX_DEPTH:
            raise _TooMuch(f"nested more than {MAX_DEPTH} levels deep", line)
        if self.nodes > 2 * MAX_NODES or len(parent.value) > MAX_ENTRIES:
            raise _TooMuch("holds more entries than a compose file can", line)

    def ascend_resolver(self) -> None:
        """Called for every node after it was read."""
        self.depth -= 1


class _Build:
    """Turns libyaml's node graph into ours; counts what it visits, for an alias may stand for a million nodes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.aliased = 0
        self.room = MAX_TEXT
        self.seen: set[int] = set()
        self.open: list[yaml.Node] = []

    def node(self, node: Any, path: str, depth: int) -> YamlNode:
        line = node.start_mark.line + 1
        tag = node.tag[1:] if node.tag in ("!reset", "!override") else ""
        self.room -= len(path) + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
        if self.room < 0:
            raise self.unreadable(line, path, "excessive aliasing: too much text", "keep large texts in files")
        if isinstance(node, yaml.ScalarNode):
            value = self.scalar(node, path)
            return YamlNode(
                value, self.file, line, tag or ("date" if node.tag == "" and DATE.fullmatch(node.value) else "")
            )
        if id(node) in self.seen or self.aliased:
            self.check(node, path, line, depth)
        self.seen.add(id(node))
        self.open.append(node)
        if isinstance(node, yaml.SequenceNode):
            items = [self.node(child, f"{path}[{i}]", depth + 1) for i, child in enumerate(node.value)]
            self.open.pop()
            return YamlNode(items, self.file, line, tag)
        children = dict(self.pairs(node, path, depth))
        self.open.pop()
        return YamlNode(children, self.file, line, tag)

    def check(self, node: Any, path: str, line: int, depth: int) -> None:
        """What aliases could do to us."""
        if any(node is above for above in self.open):
            raise self.unreadable(line, path, f"cycle detected: an alias at {path} refers to a node that holds it")
        self.aliased += len(node.value) + 1 if id(node) in self.seen else 0
        if self.aliased > MAX_ALIASED:
            raise self.unreadable(line, path, "excessive aliasing", "write fewer anchors into one another")
        if depth > MAX_DEPTH:
            raise self.unreadable(line, path, f"nested more than {MAX_DEPTH} levels deep")

    def pairs(self, node: yaml.MappingNode, path: str, depth: int) -> Iterator[tuple[str, YamlNode]]:
        seen: dict[str, int] = {}
        merged: dict[str, YamlNode] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name in seen:
                raise self.unreadable(
                    line, path, f'mapping key "{name}" already defined at line {seen[name]}',
                    "write one: <<: [*a, *b]" if name == "<<" else "keep one of them",
                )  # fmt: skip
            if name == "<<" and key.tag == "":
                seen[name] = line
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if not isinstance(source, yaml.MappingNode):
                        message = "map merge requires map or sequence of maps as the value"
                        raise self.unreadable(line, path, message, "<<: *anchor-of-a-mapping")
                    for inner, child in self.node(source, path, depth + 1).map.items():
                        merged.setdefault(inner, child)
                continue
            if name is None or not isinstance(self.scalar(key, path), str):
                where = f"in {path}" if path else "at top level"
                raise self.unreadable(line, path, f"non-string key {where}: {name}", f'quote it: "{name}"')
            if len(name) > MAX_KEY:
                raise self.unreadable(line, path, f"a key is longer than {MAX_KEY} characters", "write a shorter one")
            seen[name] = line
            child = self.node(value, f"{path}.{name}" if path else name, depth + 1)
            child.line = line  # a value is where its key is, even when its text starts below
            yield name, child
        for name, child in merged.items():
            if name not in seen:
                yield name, child

    def scalar(self, node: yaml.ScalarNode, path: str) -> Scalar:
        text: str = node.value
        if node.tag == "":
            return resolve(text)
        kind = node.tag.removeprefix(TYPED)
        if kind not in ("int", "float", "bool", "null"):
            return text
        value = resolve(text)
        if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type(value).__name__.removesuffix("Type").lower().replace("none", "null") != kind:
            line = node.start_mark.line + 1
            raise self.unreadable(line, path, f"cannot construct `{text}` as a !!{kind}", "leave the tag out")
        return value

    def unreadable(self, line: int, path: str, message: str, hint: str = "") -> Unreadable:
        return Unreadable(Problem(self.file, line, path, message, hint))
