"""A command line's words; no shell is added, and, as in Compose, an unquoted `; & | < >` ends it.

Source: mattn/go-shellwords.
"""

from __future__ import annotations

from collections.abc import Callable

from tycho.compose.interpolation import Invalid, closing, names
from tycho.model import Expr, Fixed, Reworded
from tycho.model.expression import NAME


def split_command(text: str, expand: Callable[[str], str]) -> list[str]:
    """The words of a command line; where it reads variables, those of its template, each with its own.

    Args:
        text: The line.
        expand: Gives a template's value.

    Raises:
        ValueError: Unbalanced quotes or parentheses.
    """
    words = _split(text)
    if isinstance(text, Fixed):
        return [Fixed(word, secret=text.secret) for word in words]
    if not isinstance(text, Expr):
        return words
    templates = _split(text.template, template=True)
    if [expand(expression) for expression in templates] == words:
        return [
            Expr(word, expression) if names(expression) else word
            for word, expression in zip(words, templates, strict=True)
        ]
    first = Reworded(expand(templates[0]), templates[0])
    first.words, first.line = tuple(words), text.template
    return [
        first,
        *(
            Expr(expand(expression), expression) if names(expression) else expand(expression)
            for expression in templates[1:]
        ),
    ]


def _split(text: str, *, template: bool = False) -> list[str]:
    complete: list[str] = []
    word: list[str] = []
    started = False
    quote, group = "", ""  # ' or "; ` or $(
    i = 0
    while i < len(text):
        character = text[i]
        i += 1
        if template and character == "$" and text[i : i + 1] in ("$", "{"):
            end = _variable(text, i)
            word.append(text[i - 1 : end])
            started, i = True, end
        elif template and character == "$" and not NAME.match(text, i):
            word.append("$$")  # a dollar sign by itself must not begin a variable with what a quote ends in front of
            started = True
        elif character == "\\" and quote != "'":
            if i == len(text):
                raise ValueError(text)
            alone = template and text[i] == "$" and not text.startswith(("$$", "${"), i) and not NAME.match(text, i + 1)
            word.append("$$" if alone else text[i])
            started, i = True, i + 1
        elif character in " \t\r\n":
            if quote or group:
                word.append(character)
            elif started:
                complete.append("".join(word))
                word, started = [], False
        elif character in "\"'" and group != "$(" and quote in ("", character):
            started = started or bool(quote)
            quote = "" if quote else character
        elif character in ";&|<>" and not (quote or group):
            if character == ">" and word and "0" <= word[0][:1] <= "9":
                started = False
            break
        elif character == "(" and not quote and group != "`":
            if group or not (word and word[-1].endswith("$")):
                raise ValueError(text)
            word.append("(")
            group = "$("
        else:
            if character == "`" and not quote and group != "$(":
                group = "" if group else "`"
            elif character == ")" and not quote and group != "`":
                group = "" if group else "$("
            word.append(character)
            started = True
    if quote or group:
        raise ValueError(text)
    return [*complete, "".join(word)] if started else complete


def _variable(text: str, i: int) -> int:
    """Where the `$$` or `${…}` ends whose second character is at `i`."""
    if text[i] == "$":
        return i + 1
    try:
        return closing(text, i) + 1
    except Invalid:  # a brace like any other
        return i + 1
