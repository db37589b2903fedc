"""Sizes, durations and command lines, as Compose reads them.

Source: docker/go-units (sizes), Go's `time.ParseDuration` with days and weeks (durations), mattn/go-shellwords
(command lines).
"""

from __future__ import annotations

import re

from tycho.compose.interpolate import Invalid, closing, pair
from tycho.model import Expr

_SIZE = re.compile(r"(?P<number>-?\d+(\.\d+)?) ?(?P<unit>[bkmgtp])?(i?b)?", re.IGNORECASE)
_POWER = {"b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_PIECE = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h|d|w)")
_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0
}  # fmt: skip


def size(text: str) -> int:
    """Bytes; every unit is a power of 1024, fractions are cut off.

    Raises:
        ValueError: Not a size.
    """
    found = _SIZE.fullmatch(text.strip())
    if not found or (found["number"].startswith("-") and found["unit"]):
        raise ValueError(text)
    return int(float(found["number"]) * 1024 ** _POWER[(found["unit"] or "b").lower()])


def seconds(text: str) -> float:
    """Seconds of a duration such as `1m30s`.

    Raises:
        ValueError: Not a duration.
    """
    body = text.removeprefix("-").removeprefix("+")
    if body == "0":
        return 0.0
    if not body or "".join(match[0] for match in _PIECE.finditer(body)) != body:
        raise ValueError(text)
    total = sum(float(match[1]) * _SECONDS[match[2]] for match in _PIECE.finditer(body))
    return round(-total if text.startswith("-") else total, 9)


def words(text: str) -> list[str]:
    """A command line's words; no shell is added, and, as in Compose, an unquoted `; & | < >` ends it.

    Where the text has a template, every word gets its own, unless the variables' values bring words with them.

    Raises:
        ValueError: Unbalanced quotes or parentheses.
    """
    found = _words(text)
    if not isinstance(text, Expr):
        return found
    templates = _words(text.template)
    if len(templates) != len(found):
        return found
    return [pair(word, template) for word, template in zip(found, templates, strict=True)]


def _words(text: str) -> list[str]:
    found: list[str] = []
    word, started, quote = "", False, ""
    i = 0
    while i < len(text):
        character = text[i]
        if text.startswith("${", i) and quote != "'":
            try:
                end = closing(text, i + 1) + 1
            except Invalid:  # a brace like any other
                end = i + 2
            word, started, i = word + text[i:end], True, end
            continue
        if text.startswith("$(", i) or character == "`":
            end = _group(text, i + 1 if character == "$" else i)
            word, started, i = word + text[i:end], True, end
            continue
        if character == "\\" and quote != "'":
            if i + 1 >= len(text):
                raise ValueError(text)
            word, started, i = word + text[i + 1], True, i + 2
            continue
        if quote:
            quote, word = ("", word) if character == quote else (quote, word + character)
        elif character in "'\"":
            quote, started = character, True
        elif character in " \t\r\n":
            if started:
                found.append(word)
            word, started = "", False
        elif character in ";&|<>":
            if character == ">" and re.fullmatch(r"\d", word):
                started = False
            break
        elif character in "()":
            raise ValueError(text)
        else:
            word, started = word + character, True
        i += 1
    if quote:
        raise ValueError(text)
    return [*found, word] if started else found


def _group(text: str, start: int) -> int:
    if text[start] == "`":
        end = text.find("`", start + 1)
    else:
        depth, end = 0, -1
        for i in range(start, len(text)):
            depth += {"(": 1, ")": -1}.get(text[i], 0)
            if not depth:
                end = i
                break
    if end < 0:
        raise ValueError(text)
    return end + 1
