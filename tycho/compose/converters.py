"""From a merged tree to values of the model: the converters that the tables name.

A converter takes a node and its path, and returns what the model's field holds; what is wrong goes to the context,
so that all of it is told at once. A live field keeps an `Expr`; anywhere else a variable is decided here and now,
and the context notes that it was.

Source: Compose Specification and its schema; compose-go's `types` package for what a value may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tycho.compose import interpolation, units
from tycho.compose.casts import NO, YES
from tycho.compose.context import Context, Unusable
from tycho.compose.go_scalars import LARGEST, decimal, printed
from tycho.compose.merge import keyed, pairs
from tycho.compose.shellwords import words as split_words
from tycho.compose.yaml_nodes import WRONG, Node
from tycho.model import Expr, ExprFloat, ExprInt, bare
from tycho.model.numbers import parse_whole, shorten

Convert = Callable[[Context, Node, str], Any]


def live(ctx: Context, node: Node, path: str) -> str:
    """Text that stays a Helm value."""
    value = node.value
    if isinstance(value, dict | list):
        raise Unusable(f"must be text, and not a {'mapping' if isinstance(value, dict) else 'list'}", "write text")
    if not isinstance(value, str):
        return printed(value)
    if isinstance(value, Expr):
        ctx.reads(node, path, value.template, live=True)
    if node.tag == "date":
        said = f"{value} is a date to YAML, and text to Tycho; Compose would write it another way"
        ctx.warnings.append(node.problem(path, said, f'quote it: "{value}"'))
    return value


def text(ctx: Context, node: Node, path: str) -> str:
    """Text that is decided now."""
    value = node.value
    if node.template:
        ctx.reads(node, path, node.template, live=False)
    if isinstance(value, Expr):
        ctx.reads(node, path, value.template, live=False)
        return str.__str__(value)
    return live(ctx, node, path)


def kept(ctx: Context, node: Node, path: str) -> str:
    """Text that is decided now and remembers what it was written as: where a file lies is no part of a chart."""
    value = text(ctx, node, path)
    written = node.value.template if isinstance(node.value, Expr) else node.template
    if not written:
        return value
    expanded = interpolation.expand(written, ctx.env).removeprefix("./")
    if expanded and (value == expanded or value.endswith(f"/{expanded}")):  # behind the included file's folder
        return Expr(value, value.removesuffix(expanded).replace("$", "$$") + written.removeprefix("./"))
    return value


def decided(convert: Convert) -> Convert:
    """The same, decided now: no template is kept."""

    def convert_now(ctx: Context, node: Node, path: str) -> Any:
        if isinstance(node.value, Expr | ExprInt | ExprFloat):
            ctx.reads(node, path, node.value.template, live=False)
            node = node.with_value(bare(node.value))
        return convert(ctx, node, path)

    return convert_now


def flag(ctx: Context, node: Node, path: str) -> bool:
    """A boolean, or one of the words for it."""
    if node.template:
        ctx.reads(node, path, node.template, live=False)
    if isinstance(node.value, bool):
        return node.value
    said = text(ctx, node, path).lower()
    if said in YES + NO:
        return said in YES
    raise Unusable(f"invalid boolean: {said}", "write true or false")


def whole(ctx: Context, node: Node, path: str) -> int:
    """A whole number, live; Compose cuts a fraction off where its schema lets one pass."""
    value = node.value
    if isinstance(value, float) and abs(value) < 2**63:
        return int(value)
    if isinstance(value, ExprInt):
        ctx.reads(node, path, value.template, live=True)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    said = live(ctx, node, path)
    try:
        amount = parse_whole(said)
    except ValueError as error:
        raise Unusable(str(error)) from None
    return ExprInt(amount, said.template) if isinstance(said, Expr) else amount


def number(ctx: Context, node: Node, path: str) -> float:
    """A number, live."""
    value = node.value
    if isinstance(value, ExprInt | ExprFloat):
        ctx.reads(node, path, value.template, live=True)
        return ExprFloat(float(value), value.template)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) >= LARGEST:
            raise Unusable(f"unsupported value {shorten(str(value))}", "write a smaller number")
        return float(value)
    said = live(ctx, node, path)
    try:
        found = decimal(said)
    except ValueError:
        raise Unusable(f'"{shorten(said)}" is not a number', 'write for example "0.5"') from None
    return ExprFloat(found, said.template) if isinstance(said, Expr) else found


def size(ctx: Context, node: Node, path: str) -> int | None:
    """Bytes, live."""
    if isinstance(node.value, float):
        return None  # Compose's own reading of a number with a fraction
    said = live(ctx, node, path)
    try:
        value = units.size(said)
    except ValueError:
        raise Unusable(f"invalid size: '{shorten(said)}'", 'write a number and a unit, for example "512m"') from None
    if units.is_quantity(said):
        ctx.note_quantity(node, path, value)
    return ExprInt(value, said.template) if isinstance(said, Expr) else value


count = decided(whole)
ratio = decided(number)


def seconds(ctx: Context, node: Node, path: str) -> float:
    """A duration, decided now."""
    try:
        return units.nanoseconds(text(ctx, node, path)) / 10**9
    except ValueError as error:
        raise Unusable(f"time: {error}", 'write for example "30s" or "1m30s"') from None


def mode(ctx: Context, node: Node, path: str) -> int:
    """A file mode: a number as YAML read it, or its octal digits."""
    if isinstance(node.value, int | float):
        return int(node.value)
    said = text(ctx, node, path)
    if not re.fullmatch(r"[-+]?[0-7]{1,30}", said, re.ASCII):
        raise Unusable(f'"{shorten(said)}" is not a file mode', 'write "0440"')
    return int(said, 8)


def words(ctx: Context, node: Node, path: str) -> list[str] | None:
    """A command: a list as it is, a string split into words."""
    if node.value is None:
        return None
    if isinstance(node.value, list):
        return each(ctx, node, path, live)
    said = live(ctx, node, path)
    try:
        return split_words(said, lambda word: interpolation.expand(word, ctx.env))
    except ValueError:
        raise Unusable("invalid command line string", "close the quotes, or write a list") from None


def each(ctx: Context, node: Node, path: str, convert: Convert) -> list[Any]:
    """Every item of a list that can be converted; the others are problems."""
    found = []
    for i, child in enumerate(node.seq):
        if child.tag == WRONG:
            continue
        at = f"{path}[{i}]"
        ctx.lines[at] = (child.file, child.line)
        try:
            found.append(convert(ctx, child, at))
        except Unusable as error:
            ctx.wrong(child, at, error.message, error.hint)
    return found


def listed(convert: Convert = text) -> Convert:
    """A list, or one item alone."""

    def convert_all(ctx: Context, node: Node, path: str) -> list[Any]:
        if node.value is None:
            return []
        if not isinstance(node.value, list):
            return [convert(ctx, node, path)]
        return each(ctx, node, path, convert)

    return convert_all


def mapping(convert: Convert, *, absent: Any = None, trimmed: bool = False) -> Convert:
    """A mapping, or a list of `key=value`.

    Args:
        convert: For the values.
        absent: What a key alone is worth.
        trimmed: Whether a blank before the equals sign of a list's item is a mistake.
    """

    def mapped(ctx: Context, node: Node, path: str) -> dict[str, Any]:
        for i, item in enumerate(node.seq if trimmed else ()):
            if (key := str(item.value).partition("=")[0]) != key.rstrip():
                said = f"environment variable {key} is declared with a trailing space"
                ctx.wrong(item, f"{path}[{i}]", said, f'write "{key.rstrip()}=…"')
        return _children(
            ctx, pairs(node).map, path, lambda child, at: absent if child.value is None else convert(ctx, child, at)
        )

    return mapped


def named(convert: Convert, default: Mapping[str, Any] | None = None) -> Convert:
    """A mapping of names, or a list of names alone, each worth the default."""

    def converted(ctx: Context, node: Node, path: str) -> dict[str, Any]:
        return _children(ctx, keyed(node, default).map, path, lambda child, at: convert(ctx, child, at))

    return converted


def _children(
    ctx: Context, children: Mapping[str, Node], path: str, convert: Callable[[Node, str], Any]
) -> dict[str, Any]:
    found = {}
    for key, child in children.items():
        at = f"{path}.{key}"
        ctx.lines[at] = (child.file, child.line)
        try:
            found[key] = convert(child, at)
        except Unusable as error:
            ctx.wrong(child, at, error.message, error.hint)
    return found


def anything(ctx: Context, node: Node, path: str) -> Any:
    """A piece that the model passes on as it is."""
    if isinstance(node.value, dict):
        return _children(ctx, node.value, path, lambda child, at: anything(ctx, child, at))
    if isinstance(node.value, list):
        return each(ctx, node, path, anything)
    if isinstance(node.value, Expr | ExprInt | ExprFloat):
        ctx.reads(node, path, node.value.template, live=False)
    return bare(node.value)


def section(table: Mapping[str, Convert], *, x: bool = False) -> Convert:
    """A mapping with a converter for each key.

    Args:
        table: Keys and their converters.
        x: Keep the `x-` keys, gathered under `x`.
    """

    def convert(ctx: Context, node: Node, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, child in node.map.items():
            at = f"{path}.{key}" if path else key
            ctx.lines[at] = (child.file, child.line)
            try:
                if key in table:
                    if child.value is not None or key in NULLABLE:
                        found[key] = table[key](ctx, child, at)
                elif x and key.startswith("x-"):
                    found.setdefault("x", {})[key] = anything(ctx, child, at)
            except Unusable as error:
                ctx.wrong(child, at, error.message, error.hint)
        return found

    return convert


NULLABLE = frozenset({"command", "entrypoint"})
