"""Reading text as a number or a boolean once its variables are replaced.

Source: compose-go's table of casts; an attribute without one stays text, and the schema decides.
"""

from __future__ import annotations

from tycho.compose.attribute import Cast
from tycho.compose.go_scalars import parse_float32, parse_integer
from tycho.compose.yaml_nodes import YamlNode
from tycho.errors import Problem
from tycho.model import Expr, ExprFloat, ExprInt
from tycho.model.numbers import parse_whole, shorten

TRUE, FALSE = ("true", "y", "yes", "on"), ("false", "n", "no", "off")

cast_integer = parse_whole


def cast_float(text: str) -> float:
    """Read a number of 32 bits."""
    try:
        return parse_float32(text)
    except ValueError:
        raise ValueError(f'"{shorten(text)}" is not a number') from None


def cast_umask(text: str) -> int:
    """Read a mask in any of Go's notations."""
    try:
        return parse_integer(text)
    except ValueError:
        raise ValueError(f'"{shorten(text)}" is not a mask') from None


def cast_boolean(text: str) -> bool:
    """Read a boolean in any of the words that YAML once had for it."""
    if text.lower() not in TRUE + FALSE:
        raise ValueError(f"invalid boolean: {shorten(text)}")
    return text.lower() in TRUE


def apply_cast(node: YamlNode, path: str, cast: Cast) -> tuple[Problem | None, Problem | None]:
    """Read a node's text as a number or boolean; the node changes, and keeps its expression.

    Returns:
        What is wrong with the text, and what to warn about.
    """
    text: str = node.value
    try:
        value = cast(text)
    except ValueError as error:
        message = f"error while interpolating {path}: failed to cast to expected type: {error}"
        hint = "write true or false" if cast is cast_boolean else "write a number"
        return node.problem(path, message, hint), None
    if not isinstance(value, bool):
        if isinstance(text, Expr):
            value = ExprFloat(value, text.template) if isinstance(value, float) else ExprInt(value, text.template)
        node.value = value
        return None, None
    node.template = text.template if isinstance(text, Expr) else ""
    node.value = value
    if text.lower() in ("true", "false"):
        return None, None
    message = f'"{text}" for boolean is not supported by YAML 1.2, please use `{str(value).lower()}`'
    return None, node.problem(path, message)
