"""From a merged tree to values of the model: the converters that the tables name.

A converter takes a node and its path, and returns what the model's field holds; what is wrong goes to the context,
so that all of it is told at once. A live field keeps an `Expr`; anywhere else a variable is decided here and now,
and the context notes that it was.

Source: Compose Specification and its schema; compose-go's `transform` package for short forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tycho.compose import interpolate, units
from tycho.compose.merge import pairs
from tycho.compose.source import Sources
from tycho.compose.tree import Node, plain
from tycho.errors import Problem
from tycho.model import Expr, ExprFloat, ExprInt, Variable

TRUE = ("true", "y", "yes", "on", "1")
FALSE = ("false", "n", "no", "off", "0")


class Unusable(Exception):
    """A value that cannot be what its field needs: a message, and what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Context:
    """What binding learns on its way: problems, places, variables.

    Args:
        sources: Where the files around the project are.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.lines: dict[str, tuple[str, int]] = {}
        self.variables: dict[str, list[str]] = {}
        self.baked: dict[str, list[str]] = {}

    def wrong(self, node: Node, path: str, message: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(node.problem(path, message, hint))

    def reads(self, node: Node, path: str, template: str, *, live: bool) -> None:
        """Note which variables a value reads."""
        place = f"{self.sources.known_as(node.file)}:{node.line} {path}"
        for name in interpolate.names(template):
            places = (self.variables if live else self.baked).setdefault(name, [])
            if place not in places:
                places.append(place)

    def seen(self) -> dict[str, Variable]:
        """The live variables, with what they are worth."""
        return {
            name: Variable(name=name, places=tuple(places), value=self.sources.env.get(name))
            for name, places in sorted(self.variables.items())
        }


Convert = Callable[[Context, Node, str], Any]


def live(ctx: Context, node: Node, path: str) -> str:
    """Text that stays a Helm value."""
    value = node.value if isinstance(node.value, str) else printed(node.value)
    if isinstance(value, Expr):
        ctx.reads(node, path, value.template, live=True)
    return value


def text(ctx: Context, node: Node, path: str) -> str:
    """Text that is decided now."""
    value = node.value if isinstance(node.value, str) else printed(node.value)
    if isinstance(value, Expr):
        ctx.reads(node, path, value.template, live=False)
    return str.__str__(value)


def printed(value: Any) -> str:
    """A scalar as Go prints it: what Compose makes of a number where text is wanted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value == int(value) and abs(value) < 1e6:
            return str(int(value))
        mantissa, _, exponent = f"{value:e}".partition("e")
        if abs(value) >= 1e6 or (value and abs(value) < 1e-4):
            short = repr(value)
            digits = repr(float(repr(value))).replace(".", "").lstrip("0") if "e" not in short else ""
            digits = (digits or mantissa.replace(".", "")).rstrip("0") or "0"
            return f"{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{int(exponent):+03d}"
        return repr(value)
    return str(value)


def flag(ctx: Context, node: Node, path: str) -> bool:
    """A boolean, or one of the words for it."""
    if isinstance(node.value, bool):
        return node.value
    said = text(ctx, node, path).lower()
    if said in TRUE or said in FALSE:
        return said in TRUE
    raise Unusable(f"invalid boolean: {said}", "write true or false")


def whole(ctx: Context, node: Node, path: str) -> int:
    """A whole number, live."""
    said = live(ctx, node, path)
    if not re.fullmatch(r"[-+]?\d+", said.strip()):
        raise Unusable(f'"{said}" is not a whole number')
    return ExprInt(int(said), said.template) if isinstance(said, Expr) else int(said)


def count(ctx: Context, node: Node, path: str) -> int:
    """A whole number, decided now."""
    return int(whole(Context(ctx.sources), node.with_value(text(ctx, node, path)), path))


def number(ctx: Context, node: Node, path: str) -> float:
    """A number, live."""
    said = live(ctx, node, path)
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", said.strip(), re.IGNORECASE):
        raise Unusable(f'"{said}" is not a number', 'write for example "0.5"')
    return ExprFloat(float(said), said.template) if isinstance(said, Expr) else float(said)


def ratio(ctx: Context, node: Node, path: str) -> float:
    """A number, decided now."""
    return float(number(Context(ctx.sources), node.with_value(text(ctx, node, path)), path))


def size(ctx: Context, node: Node, path: str) -> int:
    """Bytes, live."""
    said = live(ctx, node, path)
    try:
        value = units.size(said)
    except ValueError:
        raise Unusable(f'invalid size: "{said}"', 'write a number and a unit, for example "512m"') from None
    return ExprInt(value, said.template) if isinstance(said, Expr) else value


def seconds(ctx: Context, node: Node, path: str) -> float:
    """A duration, decided now."""
    said = text(ctx, node, path)
    try:
        return units.seconds(said)
    except ValueError:
        missing = "missing unit in " if re.fullmatch(r"[\d.]+", said) else "invalid "
        raise Unusable(f'time: {missing}duration "{said}"', 'write for example "30s" or "1m30s"') from None


def words(ctx: Context, node: Node, path: str) -> list[str] | None:
    """A command: a list as it is, a string split into words."""
    if node.value is None:
        return None
    if isinstance(node.value, list):
        return [live(ctx, child, f"{path}[{i}]") for i, child in enumerate(node.seq)]
    said = live(Context(ctx.sources), node, path)
    try:
        found = units.words(said)
    except ValueError:
        raise Unusable("invalid command line string", "close the quotes, or write a list") from None
    for word in found:
        if isinstance(word, Expr):
            ctx.reads(node, path, word.template, live=True)
    if isinstance(said, Expr) and not any(isinstance(word, Expr) for word in found):
        ctx.reads(node, path, said.template, live=False)
    return found


def strings(convert: Convert = text) -> Convert:
    """A list of strings, or one string alone."""

    def listed(ctx: Context, node: Node, path: str) -> list[Any]:
        if node.value is None:
            return []
        if not isinstance(node.value, list):
            return [convert(ctx, node, path)]
        return each(ctx, node, path, convert)

    return listed


def each(ctx: Context, node: Node, path: str, convert: Convert) -> list[Any]:
    """Every item of a list that can be converted; the others are problems."""
    found = []
    for i, child in enumerate(node.seq):
        at = f"{path}[{i}]"
        ctx.lines[at] = (child.file, child.line)
        try:
            found.append(convert(ctx, child, at))
        except Unusable as error:
            ctx.wrong(child, at, error.message, error.hint)
    return found


def mapping(convert: Convert, separator: str = "=", *, absent: Any = None) -> Convert:
    """A mapping, or a list of `key=value`; `absent` is what a key alone is worth."""

    def mapped(ctx: Context, node: Node, path: str) -> dict[str, Any]:
        found = {}
        for key, child in pairs(node, separator).map.items():
            at = f"{path}.{key}"
            ctx.lines[at] = (child.file, child.line)
            try:
                found[key] = absent if child.value is None else convert(ctx, child, at)
            except Unusable as error:
                ctx.wrong(child, at, error.message, error.hint)
        return found

    return mapped


def anything(ctx: Context, node: Node, path: str) -> Any:
    """A piece that the model passes on as it is."""
    _walk(ctx, node, path)
    return plain(node)


def _walk(ctx: Context, node: Node, path: str) -> None:
    if isinstance(node.value, Expr):
        ctx.reads(node, path, node.value.template, live=False)
    for key, child in node.map.items():
        ctx.lines[f"{path}.{key}"] = (child.file, child.line)
        _walk(ctx, child, f"{path}.{key}")
    for i, child in enumerate(node.seq):
        _walk(ctx, child, f"{path}[{i}]")


def section(table: Mapping[str, Convert], *, x: bool = True) -> Convert:
    """A mapping with a converter for each key; `x-` keys are gathered."""

    def convert(ctx: Context, node: Node, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, child in node.map.items():
            at = f"{path}.{key}" if path else key
            ctx.lines[at] = (child.file, child.line)
            if key.startswith("x-"):
                if x:
                    found.setdefault("x", {})[key] = anything(ctx, child, at)
                continue
            if key not in table:
                continue  # the schema has told of it
            if child.value is None and key not in NULLABLE:
                continue
            try:
                found[key] = table[key](ctx, child, at)
            except Unusable as error:
                ctx.wrong(child, at, error.message, error.hint)
        return found

    return convert


NULLABLE = ("networks", "command", "entrypoint", "volumes", "deploy", "build")
