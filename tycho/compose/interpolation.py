"""`$VAR` and `${VAR…}` in the values of a tree.

A value without variables comes back as itself (with `$$` made `$`); one with variables as an `Expr`, which remembers
its template. Results, and what is refused, are Compose's.

Source: Compose Specification, "Interpolation"; compose-go's `template` package for what the text leaves open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.model import Expr, Fixed
from tycho.model.expression import Invalid, TooMuch, Unset, names
from tycho.model.expression import evaluate as expand
from tycho.model.expression import find_closing as closing

__all__ = ["Invalid", "TooMuch", "Unset", "closing", "expand", "names", "pair", "problem", "split", "value"]


def value(text: str, env: Mapping[str, str], unset: Unset = lambda name: None) -> str:
    """A template's value, which remembers the template if that reads a variable."""
    if "$" not in text:
        return text
    result = expand(text, env, unset)
    return Expr(result, text) if names(text) else result


def problem(text: str, error: Invalid, path: str) -> tuple[str, str]:
    """Message and hint for a template that cannot be expanded."""
    if isinstance(error, TooMuch):
        return str(error), "write a shorter text, or put it into a file of its own"
    if "required variable" in str(error):
        return f"error while interpolating {path}: {error}", "set it in the environment or in .env"
    return (
        f"invalid interpolation format for {path}.\nYou may need to escape any $ with another $.\n{_short(text)}",
        "write $$ for a dollar sign that is no variable",
    )


def _short(text: str) -> str:
    return text if len(text) <= 1000 else f"{text[:1000]}…"


def split(text: str, separator: str, limit: int = -1) -> list[str]:
    """Split a text at a separator, its template alongside; a piece that reads a variable is an `Expr` again.

    A separator inside `${…}` is not one. Where the values bring separators of their own, the pieces are plain.
    """
    pieces = text.split(separator, limit)
    if isinstance(text, Fixed):
        return [Fixed(piece, secret=text.secret) for piece in pieces]
    if not isinstance(text, Expr):
        return pieces
    templates = list(_split_template(text.template, separator, limit))
    if len(templates) != len(pieces):
        return pieces
    return [pair(piece, source) for piece, source in zip(pieces, templates, strict=True)]


def _split_template(source: str, separator: str, limit: int) -> Iterator[str]:
    start = i = pieces = 0
    while i < len(source):
        if source.startswith("$$", i):
            i += 2
        elif source.startswith("${", i):
            i = closing(source, i + 1) + 1
        else:
            if source[i] == separator and (limit < 0 or pieces < limit):
                yield source[start:i]
                start, pieces = i + 1, pieces + 1
            i += 1
    yield source[start:]


def pair(text: str, source: str) -> str:
    """A text with its template, if the template reads a variable."""
    return Expr(text, source) if names(source) else text
