"""A command line's words; no shell is added, and, as in Compose, an unquoted `; & | < >` ends it.

Source: mattn/go-shellwords.
"""

from __future__ import annotations

from collections.abc import Callable

from tycho.compose.interpolate import Invalid, closing, names
from tycho.model import Expr, Fixed, Reworded


def words(text: str, expand: Callable[[str], str]) -> list[str]:
    """The words of a command line; where it reads variables, those of its template, each with its own.

    Args:
        text: The line.
        expand: Gives a template's value.

    Raises:
        ValueError: Unbalanced quotes or parentheses.
    """
    found = _split(text)
    if isinstance(text, Fixed):
        return [Fixed(word, secret=text.secret) for word in found]
    if not isinstance(text, Expr):
        return found
    templates = _split(text.template, template=True)
    if [expand(one) for one in templates] == found:
        return [Expr(word, one) if names(one) else word for word, one in zip(found, templates, strict=True)]
    first = Reworded(expand(templates[0]), templates[0])
    first.words = tuple(found)
    return [first, *(Expr(expand(one), one) if names(one) else expand(one) for one in templates[1:])]


def _split(text: str, *, template: bool = False) -> list[str]:
    found: list[str] = []
    word, started = "", False
    quote, group = "", ""  # ' or "; ` or $(
    i = 0
    while i < len(text):
        character = text[i]
        i += 1
        if template and character == "$" and text[i : i + 1] in ("$", "{"):
            end = _variable(text, i)
            word, started, i = word + text[i - 1 : end], True, end
        elif character == "\\" and quote != "'":
            if i == len(text):
                raise ValueError(text)
            word, started, i = word + text[i], True, i + 1
        elif character in " \t\r\n":
            if quote or group:
                word += character
            elif started:
                found.append(word)
                word, started = "", False
        elif character in "\"'" and group != "$(" and quote in ("", character):
            started = started or bool(quote)
            quote = "" if quote else character
        elif character in ";&|<>" and not (quote or group):
            if character == ">" and "0" <= word[:1] <= "9":
                started = False
            break
        elif character == "(" and not quote and group != "`":
            if group or not word.endswith("$"):
                raise ValueError(text)
            word, group = word + "(", "$("
        else:
            if character == "`" and not quote and group != "$(":
                group = "" if group else "`"
            elif character == ")" and not quote and group != "`":
                group = "" if group else "$("
            word, started = word + character, True
    if quote or group:
        raise ValueError(text)
    return [*found, word] if started else found


def _variable(text: str, i: int) -> int:
    """Where the `$$` or `${…}` ends whose second character is at `i`."""
    if text[i] == "$":
        return i + 1
    try:
        return closing(text, i) + 1
    except Invalid:  # a brace like any other
        return i + 1
