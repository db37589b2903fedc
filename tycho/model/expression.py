"""Compose's `$VAR` and `${VAR…}`: a text is read once into pieces, within limits, and then evaluated.

The loader evaluates, the chart's checks ask what a default would be worth, and the chart's own helper
(`interpolate`) reads the same syntax within the same limits: what Helm would refuse is refused here.

Source: Compose Specification, "Interpolation"; compose-go's `template` package for what the text leaves open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from msgspec import Struct, field

NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
OPERATORS = (":-", ":+", ":?", "-", "+", "?")
MAX_DEPTH = 50  # of defaults within defaults
MAX_GROUP = 65536  # bytes of one `{…}`, and of the line that is searched for its end
MAX_STEPS = 20_000  # dollar signs, and braces inside expressions, of one text
MAX_RESULT = 1 << 20  # characters of one text when it is expanded
_MARK = re.compile(r"[{}\n]")
_CACHED = 4096  # characters; longer texts are not worth the memory
Unset = Callable[[str], None]


class Invalid(Exception):
    """The template is malformed, or demands a variable that is not set."""


class TooMuch(Invalid):
    """The template is well formed, and beyond a limit."""


class Reference(Struct, frozen=True):
    """A variable, with the operator and the operand that its braces hold.

    Args:
        name: The variable.
        operator: One of OPERATORS, or "".
        operand: The pieces of what follows the operator.
    """

    name: str
    operator: str = ""
    operand: tuple[Piece, ...] = ()


class MalformedExpression(Struct, frozen=True):
    """An expression that cannot be read: an error where its branch is in use, nothing where it is not."""


Piece = str | Reference | MalformedExpression


def parse(text: str) -> tuple[Piece, ...]:
    """Read a text into its pieces.

    Args:
        text: In Compose's syntax.

    Returns:
        Literal texts, references, and what is malformed, in order.

    Raises:
        TooMuch: It nests, or holds, more than any limit allows.

    Example:
        >>> parse("a$$b ${C:-d}")
        ('a', '$', 'b ', Reference(name='C', operator=':-', operand=('d',)))
    """
    return _parse_cached(text) if len(text) <= _CACHED else _parse(text)


def _parse(text: str) -> tuple[Piece, ...]:
    return tuple(_ExpressionReader(text).read(0, len(text), 0))


_parse_cached = lru_cache(maxsize=4096)(_parse)


def evaluate(text: str, env: Mapping[str, str], unset: Unset = lambda name: None) -> str:
    """Expand a text.

    Args:
        text: In Compose's syntax.
        env: What variables are worth.
        unset: Told of each variable that is read without a default, and is not set.

    Raises:
        Invalid: With Compose's own words.
        TooMuch: Beyond a limit.

    Example:
        >>> evaluate("${A:-x} $B $$", {"B": "y"})
        'x y $'
    """
    return text if "$" not in text else _join(parse(text), env, unset)


def names(text: str) -> list[str]:
    """List every variable that a text reads or may read, in order of appearance."""
    return list(dict.fromkeys(_names(parse(text)))) if "$" in text else []


def find_closing(text: str, brace: int) -> int:
    """Find where the brace that opens at `brace` closes.

    Inner braces are counted; where they do not balance, the line's last closing brace counts.

    Raises:
        Invalid: The line has none.
        TooMuch: It is further away than the limit allows.
    """
    return _ExpressionReader(text).close(brace, len(text))


def _join(pieces: tuple[Piece, ...], env: Mapping[str, str], unset: Unset) -> str:
    parts: list[str] = []
    length = 0
    for piece in pieces:
        part = piece if isinstance(piece, str) else _replace(piece, env, unset)
        length += len(part)
        if length > MAX_RESULT:
            raise TooMuch(f"expands to more than {MAX_RESULT >> 20} MiB")
        parts.append(part)
    return "".join(parts)


def _replace(piece: Reference | MalformedExpression, env: Mapping[str, str], unset: Unset) -> str:
    if isinstance(piece, MalformedExpression):
        raise Invalid("invalid interpolation format")
    value = env.get(piece.name)
    is_set = bool(value) if piece.operator.startswith(":") else value is not None
    match piece.operator[-1:]:
        case "-":
            return value or "" if is_set else _join(piece.operand, env, unset)
        case "+":
            return _join(piece.operand, env, unset) if is_set else ""
        case "?" if not is_set:
            message = _join(piece.operand, env, unset)
            raise Invalid(f"required variable {piece.name} is missing a value" + (f": {message}" if message else ""))
    if value is None:
        unset(piece.name)
    return value or ""


def _names(pieces: tuple[Piece, ...]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, Reference):
            yield piece.name
            yield from _names(piece.operand)


class _ExpressionReader(Struct):
    """Reads one text, and counts its steps as the chart's helper does, each branch as if it were in use."""

    text: str
    steps: int = 0
    unclosed: range = field(default_factory=lambda: range(0))  # a stretch that is known to hold no closing brace

    def read(self, start: int, end: int, depth: int) -> Iterator[Piece]:
        """Read the pieces of one stretch of the text."""
        if depth > MAX_DEPTH:
            raise TooMuch(f"defaults nested more than {MAX_DEPTH} deep")
        text, i = self.text, start
        self.spend(text.count("$", start, end) + 1)
        while (dollar := text.find("$", i, end)) >= 0:
            if dollar > i:
                yield text[i:dollar]
            following = text[dollar + 1] if dollar + 1 < end else ""
            if following == "{":
                piece, i = self.group(dollar + 1, end, depth)
                yield piece
            elif following != "$" and (name := NAME.match(text, dollar + 1, end)):
                yield Reference(name[0])
                i = name.end()
            else:
                yield "$"
                i = dollar + 1 + (following == "$")
        if i < end:
            yield text[i:end]

    def group(self, brace: int, end: int, depth: int) -> tuple[Reference | MalformedExpression, int]:
        """Read what begins with a brace; what is malformed ends right behind it, and its inside is read as text."""
        try:
            closing = self.close(brace, end)
        except TooMuch:
            raise
        except Invalid:
            return MalformedExpression(), brace + 1
        name = NAME.match(self.text, brace + 1, closing)
        if not name:
            return MalformedExpression(), brace + 1
        if name.end() == closing:
            return Reference(name[0]), closing + 1
        operator = next((op for op in OPERATORS if self.text.startswith(op, name.end(), closing)), "")
        if not operator:
            return MalformedExpression(), brace + 1
        operand = tuple(self.read(name.end() + len(operator), closing, depth + 1))
        return Reference(name[0], operator, operand), closing + 1

    def close(self, brace: int, end: int) -> int:
        """Find where a group closes, before `end`."""
        if brace in self.unclosed and end >= self.unclosed.stop:
            raise Invalid("invalid interpolation format")
        depth, last, stop = 0, -1, min(end, brace + MAX_GROUP)
        for mark in _MARK.finditer(self.text, brace, stop):
            self.spend(1)
            if mark[0] == "\n":
                stop = mark.start()
                break
            depth += 1 if mark[0] == "{" else -1
            if mark[0] == "}":
                last = mark.start()
                if not depth:
                    stop = last + 1
                    break
        else:
            if stop < end:
                raise TooMuch(f"an expression is longer than {MAX_GROUP >> 10} KiB")
        if stop - brace > MAX_GROUP // 4 and len(self.text[brace:stop].encode(errors="surrogatepass")) > MAX_GROUP:
            raise TooMuch(f"an expression is longer than {MAX_GROUP >> 10} KiB")
        if last < 0:
            self.unclosed = range(brace, stop)
            raise Invalid("invalid interpolation format")
        return last

    def spend(self, steps: int) -> None:
        """Count steps, and end where there are too many."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise TooMuch(f"more than {MAX_STEPS} dollar signs and braces to expand")
