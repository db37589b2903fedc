"""Text of a compose file as a chart has it: plain, or an expression that Helm expands."""

from __future__ import annotations

import re
from decimal import Decimal

from tycho.chart.container import Command, Expression, Text
from tycho.model import Reworded, template
from tycho.model.numbers import is_digits, parse_size

SIZE = re.compile(r"(?i)[0-9]+(\.[0-9]+)? ?([kmgtp]i?)?b?")
"""A number of bytes, in Compose's units."""
_VARIABLE = re.compile(r"\$[A-Za-z_{]")
_EXPANDED = re.compile(r"\$(?=[$(])")
_UNITS = (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10))


def to_text(value: str | float | None) -> Text:
    """Convert a value of the model; "" where there is none.

    Returns:
        An `Expression`, in Compose's syntax, where it reads a variable; else the text itself.
    """
    if value is None:
        return ""
    text = template(value)
    if _VARIABLE.search(text.replace("$$", "")):
        return Expression(text)
    return text.replace("$$", "$")


def to_argument(value: str) -> Text:
    """Convert a word that Kubernetes expands `$(NAME)` in: what is no expression says `$$(NAME)` for that."""
    text = to_text(value)
    return text if isinstance(text, Expression) else _EXPANDED.sub("$$", text)


def to_command(words: tuple[str, ...] | None, *, expanded: bool = True) -> Command:
    """Convert the words of a command.

    Args:
        words: As the model has them; the first may stand for a line that is split when its variables are known.
        expanded: Whether Kubernetes expands `$(NAME)` in them: not in those of probes and hooks.
    """
    if words and isinstance(words[0], Reworded):
        return Command(line=Expression(words[0].line))
    if any(isinstance(to_text(word), Expression) for word in words or ()):
        return Command(words=tuple(Expression(template(word)) for word in words or ()))
    return Command(words=tuple(to_argument(word) if expanded else to_text(word) for word in words or ()))


def to_number(value: float) -> int | Text:
    """Convert a whole number, or the expression that it is made of."""
    text = to_text(value)
    return text if isinstance(text, Expression) else int(value)


def to_cpu(value: float | None) -> Text:
    """Convert a number of processors to a quantity: `500m`; "" for none."""
    text = to_text(value)
    if isinstance(text, Expression):
        return text
    number = Decimal(str(value or 0))
    thousandths = number * 1000
    if not thousandths:
        return ""
    if thousandths % 1000 == 0:
        return str(int(thousandths // 1000))
    return f"{thousandths.normalize():f}m" if thousandths == int(thousandths) else f"{number:f}"


def to_memory(value: float | str | None) -> Text:
    """Convert a number of bytes, or a size in Compose's units, to a quantity: `128Mi`; "" for none."""
    text = to_text(value)
    if isinstance(text, Expression):
        return text
    if not (text := text.strip()):
        return ""
    size = int(text) if is_digits(text) else parse_size(text)
    unit, factor = next(((unit, factor) for unit, factor in _UNITS if size and size % factor == 0), ("", 1))
    return f"{size // factor}{unit}" if size else ""
