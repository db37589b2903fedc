"""`$VAR` and `${VAR…}` in the values of a tree.

A value without variables comes back as itself (with `$$` made `$`); one with variables as an `Expr`, which remembers
its template. Results, and what is refused, are Compose's.

Source: Compose Specification, "Interpolation"; compose-go's `template` package for what the text leaves open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tycho.model import Expr, Fixed

NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
OPERATORS = (":-", ":+", ":?", "-", "+", "?")
Unset = Callable[[str], None]


MAX_DEPTH = 50  # of defaults within defaults
MAX_OPERAND = 65536  # characters of a default


class Invalid(Exception):
    """The template is malformed, or demands a variable that is not set."""


def expand(text: str, env: Mapping[str, str], unset: Unset = lambda name: None) -> str:
    """A template's value.

    Args:
        text: The template.
        env: What variables are worth.
        unset: Told of each variable that is read without a default, and is not set.

    Raises:
        Invalid: With Compose's own words.
    """
    if "$" not in text:
        return text
    return _expanded(text, env, unset, 0)


def _expanded(text: str, env: Mapping[str, str], unset: Unset, depth: int) -> str:
    if depth > MAX_DEPTH or (depth and len(text) > MAX_OPERAND):  # each level reads all that lies below it once more
        raise Invalid("invalid interpolation format")
    return "".join(_pieces(text, env, unset, depth))


def _pieces(text: str, env: Mapping[str, str], unset: Unset, depth: int) -> Iterator[str]:
    i = 0
    while True:
        dollar = text.find("$", i)
        if dollar < 0:
            yield text[i:]
            return
        yield text[i:dollar]
        following = text[dollar + 1 : dollar + 2]
        if following == "$":
            yield "$"
            i = dollar + 2
        elif following == "{":
            end = closing(text, dollar + 1)
            yield _braced(text[dollar + 2 : end], env, unset, depth + 1)
            i = end + 1
        elif name := NAME.match(text, dollar + 1):
            if name[0] not in env:
                unset(name[0])
            yield env.get(name[0], "")
            i = name.end()
        else:
            yield "$"
            i = dollar + 1


def closing(text: str, brace: int) -> int:
    """Where the brace that opens at `brace` closes: inner ones are counted; unbalanced, it is the line's last one."""
    depth, last = 0, -1
    for i in range(brace, len(text)):
        if text[i] == "{":
            depth += 1
        elif text[i] == "}":
            depth, last = depth - 1, i
            if not depth:
                return i
        elif text[i] == "\n":
            break
    if last < 0:
        raise Invalid("invalid interpolation format")
    return last


def _braced(body: str, env: Mapping[str, str], unset: Unset, depth: int) -> str:
    name, operator, rest = parts(body)
    value = env.get(name)
    is_set = bool(value) if operator.startswith(":") else value is not None
    match operator[-1:]:
        case "-":
            return value or "" if is_set else _expanded(rest, env, unset, depth)
        case "+":
            return _expanded(rest, env, unset, depth) if is_set else ""
        case "?" if not is_set:
            said = _expanded(rest, env, unset, depth)
            raise Invalid(f"required variable {name} is missing a value" + (f": {said}" if said else ""))
    if value is None:
        unset(name)
    return value or ""


def parts(body: str) -> tuple[str, str, str]:
    """Name, operator and operand of what stands between the braces."""
    name = NAME.match(body)
    if not name:
        raise Invalid("invalid interpolation format")
    rest = body[name.end() :]
    if not rest:
        return name[0], "", ""
    for operator in OPERATORS:
        if rest.startswith(operator):
            return name[0], operator, rest[len(operator) :]
    raise Invalid("invalid interpolation format")


def names(text: str) -> list[str]:
    """Every variable that a template reads or may read, in order of appearance."""
    found: list[str] = []
    i = 0
    while (dollar := text.find("$", i)) >= 0:
        following = text[dollar + 1 : dollar + 2]
        if following == "{":
            try:
                end = closing(text, dollar + 1)
                name, _, rest = parts(text[dollar + 2 : end])
            except Invalid:  # in a branch that is not in use; nobody expands it
                i = dollar + 2
                continue
            found += [name, *names(rest)]
            i = end + 1
        elif following != "$" and (match := NAME.match(text, dollar + 1)):
            found.append(match[0])
            i = match.end()
        else:
            i = dollar + 1 + (following == "$")
    return list(dict.fromkeys(found))


def value(text: str, env: Mapping[str, str], unset: Unset = lambda name: None) -> str:
    """A template's value, which remembers the template if that reads a variable."""
    if "$" not in text:
        return text
    result = expand(text, env, unset)
    return Expr(result, text) if names(text) else result


def problem(text: str, error: Invalid, path: str) -> tuple[str, str]:
    """Message and hint for a template that cannot be expanded."""
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
    templates = [""]
    i, source = 0, text.template
    while i < len(source):
        if source.startswith("$$", i):
            templates[-1] += "$$"
            i += 2
        elif source.startswith("${", i):
            end = closing(source, i + 1) + 1
            templates[-1] += source[i:end]
            i = end
        elif source[i] == separator and (limit < 0 or len(templates) <= limit):
            templates.append("")
            i += 1
        else:
            templates[-1] += source[i]
            i += 1
    if len(templates) != len(pieces):
        return pieces
    return [pair(piece, one) for piece, one in zip(pieces, templates, strict=True)]


def pair(text: str, source: str) -> str:
    """A text with its template, if the template reads a variable."""
    return Expr(text, source) if names(source) else text
