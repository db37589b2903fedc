"""Converters: from a node of the merged tree to the value of a model's field.

A converter takes a node and its path. Problems go to the context, so that all of them are reported at once. A field
that stays a release value keeps an `Expr`; anywhere else a variable is decided now, and the context records that.

Source: Compose Specification and its schema; compose-go's `types` package for what a value may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tycho.compose import interpolation, units
from tycho.compose.attribute import Convert
from tycho.compose.casts import FALSE, TRUE
from tycho.compose.context import Context, InvalidValue
from tycho.compose.go_scalars import LARGEST, format_go, parse_float32
from tycho.compose.merge import names_to_map, pairs_to_map
from tycho.compose.shellwords import split_command
from tycho.compose.yaml_nodes import INVALID, YamlNode
from tycho.model import Expr, ExprFloat, ExprInt, bare
from tycho.model.durations import nanoseconds
from tycho.model.numbers import parse_whole, shorten


def templated_str(ctx: Context, node: YamlNode, path: str) -> str:
    """Convert text that stays a release value."""
    value = node.value
    if isinstance(value, dict | list):
        raise InvalidValue(f"must be text, and not a {'mapping' if isinstance(value, dict) else 'list'}", "write text")
    if not isinstance(value, str):
        return format_go(value)
    if isinstance(value, Expr):
        ctx.record_variables(node, path, value.template, live=True)
    if node.tag == "date":
        message = f"{value} is a date to YAML, and text to Tycho; Compose would write it another way"
        ctx.warnings.append(node.problem(path, message, f'quote it: "{value}"'))
    return value


def string(ctx: Context, node: YamlNode, path: str) -> str:
    """Convert text that is decided now."""
    value = node.value
    if node.template:
        ctx.record_variables(node, path, node.template, live=False)
    if isinstance(value, Expr):
        ctx.record_variables(node, path, value.template, live=False)
        return str.__str__(value)
    return templated_str(ctx, node, path)


def source_string(ctx: Context, node: YamlNode, path: str) -> str:
    """Convert a file's path, decided now; its expression is kept, for no chart tells where a file lies."""
    value = string(ctx, node, path)
    written = node.value.template if isinstance(node.value, Expr) else node.template
    if not written:
        return value
    expanded = interpolation.expand(written, ctx.env).removeprefix("./")
    if expanded and (value == expanded or value.endswith(f"/{expanded}")):  # behind the included file's folder
        return Expr(value, value.removesuffix(expanded).replace("$", "$$") + written.removeprefix("./"))
    return value


def resolved(convert: Convert) -> Convert:
    """Convert by another converter, decided now: no expression is kept."""

    def convert_now(ctx: Context, node: YamlNode, path: str) -> Any:
        if isinstance(node.value, Expr | ExprInt | ExprFloat):
            ctx.record_variables(node, path, node.value.template, live=False)
            node = node.with_value(bare(node.value))
        return convert(ctx, node, path)

    return convert_now


def boolean(ctx: Context, node: YamlNode, path: str) -> bool:
    """Convert a boolean, or one of the words for it."""
    if node.template:
        ctx.record_variables(node, path, node.template, live=False)
    if isinstance(node.value, bool):
        return node.value
    word = string(ctx, node, path).lower()
    if word in TRUE + FALSE:
        return word in TRUE
    raise InvalidValue(f"invalid boolean: {word}", "write true or false")


def integer(ctx: Context, node: YamlNode, path: str) -> int:
    """Convert a whole number that stays a release value; Compose cuts fractions off where its schema lets them pass."""
    value = node.value
    if isinstance(value, float) and abs(value) < 2**63:
        return int(value)
    if isinstance(value, ExprInt):
        ctx.record_variables(node, path, value.template, live=True)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = templated_str(ctx, node, path)
    try:
        amount = parse_whole(text)
    except ValueError as error:
        raise InvalidValue(str(error)) from None
    return ExprInt(amount, text.template) if isinstance(text, Expr) else amount


def floating(ctx: Context, node: YamlNode, path: str) -> float:
    """Convert a number that stays a release value."""
    value = node.value
    if isinstance(value, ExprInt | ExprFloat):
        ctx.record_variables(node, path, value.template, live=True)
        return ExprFloat(float(value), value.template)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) >= LARGEST:
            raise InvalidValue(f"unsupported value {shorten(str(value))}", "write a smaller number")
        return float(value)
    text = templated_str(ctx, node, path)
    try:
        amount = parse_float32(text)
    except ValueError:
        raise InvalidValue(f'"{shorten(text)}" is not a number', 'write for example "0.5"') from None
    return ExprFloat(amount, text.template) if isinstance(text, Expr) else amount


def byte_size(ctx: Context, node: YamlNode, path: str) -> int | None:
    """Convert a size to bytes that stay a release value."""
    if isinstance(node.value, float):
        return None  # Compose's own reading of a number with a fraction
    text = templated_str(ctx, node, path)
    try:
        value = units.size(text)
    except ValueError:
        raise InvalidValue(
            f"invalid size: '{shorten(text)}'", 'write a number and a unit, for example "512m"'
        ) from None
    if units.is_quantity(text):
        ctx.note_quantity(node, path, value)
    return ExprInt(value, text.template) if isinstance(text, Expr) else value


fixed_int = resolved(integer)
fixed_float = resolved(floating)


def duration(ctx: Context, node: YamlNode, path: str) -> float:
    """Convert a duration to seconds, decided now."""
    try:
        return nanoseconds(string(ctx, node, path)) / 10**9
    except ValueError as error:
        raise InvalidValue(f"time: {error}", 'write for example "30s" or "1m30s"') from None


def file_mode(ctx: Context, node: YamlNode, path: str) -> int:
    """Convert a file mode: a number as YAML reads it, or octal digits."""
    if isinstance(node.value, int | float):
        return int(node.value)
    text = string(ctx, node, path)
    if not re.fullmatch(r"[-+]?[0-7]{1,30}", text, re.ASCII):
        raise InvalidValue(f'"{shorten(text)}" is not a file mode', 'write "0440"')
    return int(text, 8)


def command(ctx: Context, node: YamlNode, path: str) -> list[str] | None:
    """Convert a command: a list as it is, a string split into words."""
    if node.value is None:
        return None
    if isinstance(node.value, list):
        return convert_entries(ctx, node, path, templated_str)
    text = templated_str(ctx, node, path)
    try:
        return split_command(text, lambda word: interpolation.expand(word, ctx.env))
    except ValueError:
        raise InvalidValue("invalid command line string", "close the quotes, or write a list") from None


def convert_entries(ctx: Context, node: YamlNode, path: str, convert: Convert) -> list[Any]:
    """Convert every entry of a list; those that cannot be converted become problems."""
    converted = []
    for i, child in enumerate(node.seq):
        if child.tag == INVALID:
            continue
        at = f"{path}[{i}]"
        ctx.lines[at] = (child.file, child.line)
        try:
            converted.append(convert(ctx, child, at))
        except InvalidValue as error:
            ctx.add_problem(child, at, error.message, error.hint)
    return converted


def list_of(convert: Convert = string) -> Convert:
    """Convert a list, or a single entry that stands for it."""

    def convert_all(ctx: Context, node: YamlNode, path: str) -> list[Any]:
        if node.value is None:
            return []
        if not isinstance(node.value, list):
            return [convert(ctx, node, path)]
        return convert_entries(ctx, node, path, convert)

    return convert_all


def pairs_of(convert: Convert, *, absent: Any = None, trimmed: bool = False) -> Convert:
    """Convert a mapping, or a list of `key=value`.

    Args:
        convert: For the values.
        absent: What a key alone is worth.
        trimmed: Whether a blank before the equals sign of a list's entry is a mistake.
    """

    def mapped(ctx: Context, node: YamlNode, path: str) -> dict[str, Any]:
        for i, entry in enumerate(node.seq if trimmed else ()):
            if (key := str(entry.value).partition("=")[0]) != key.rstrip():
                message = f"environment variable {key} is declared with a trailing space"
                ctx.add_problem(entry, f"{path}[{i}]", message, f'write "{key.rstrip()}=…"')
        return _children(
            ctx,
            pairs_to_map(node).map,
            path,
            lambda child, at: absent if child.value is None else convert(ctx, child, at),
        )

    return mapped


def map_or_names(convert: Convert, default: Mapping[str, Any] | None = None) -> Convert:
    """Convert a mapping by name, or a list of names, each worth the default."""

    def convert_all(ctx: Context, node: YamlNode, path: str) -> dict[str, Any]:
        return _children(ctx, names_to_map(node, default).map, path, lambda child, at: convert(ctx, child, at))

    return convert_all


def _children(
    ctx: Context, children: Mapping[str, YamlNode], path: str, convert: Callable[[YamlNode, str], Any]
) -> dict[str, Any]:
    converted = {}
    for key, child in children.items():
        at = f"{path}.{key}"
        ctx.lines[at] = (child.file, child.line)
        try:
            converted[key] = convert(child, at)
        except InvalidValue as error:
            ctx.add_problem(child, at, error.message, error.hint)
    return converted


def passthrough(ctx: Context, node: YamlNode, path: str) -> Any:
    """Convert a value that the model passes on as it is."""
    if isinstance(node.value, dict):
        return _children(ctx, node.value, path, lambda child, at: passthrough(ctx, child, at))
    if isinstance(node.value, list):
        return convert_entries(ctx, node, path, passthrough)
    if isinstance(node.value, Expr | ExprInt | ExprFloat):
        ctx.record_variables(node, path, node.value.template, live=False)
    return bare(node.value)


def object_of(table: Mapping[str, Convert], *, x: bool = False) -> Convert:
    """Convert a mapping with a converter for each key.

    Args:
        table: Keys and their converters.
        x: Keep the `x-` keys, gathered under `x`.
    """

    def convert(ctx: Context, node: YamlNode, path: str) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        for key, child in node.map.items():
            at = f"{path}.{key}" if path else key
            ctx.lines[at] = (child.file, child.line)
            try:
                if key in table:
                    if child.value is not None or key in NULLABLE:
                        converted[key] = table[key](ctx, child, at)
                elif x and key.startswith("x-"):
                    converted.setdefault("x", {})[key] = passthrough(ctx, child, at)
            except InvalidValue as error:
                ctx.add_problem(child, at, error.message, error.hint)
        return converted

    return convert


NULLABLE = frozenset({"command", "entrypoint"})
