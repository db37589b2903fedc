"""Make text safe to show: what a document, a file name or another program wrote reaches a terminal only here."""

from __future__ import annotations

import json
import re

from tycho.credentials import mask_credentials

# Control characters, and those that reorder or hide text; newline and tab are layout.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON = json.JSONEncoder(ensure_ascii=False).encode  # made once: charts write tens of thousands of texts
_COLOUR = re.compile("(\x1b\\[[0-9;:]*m)")


def json_text(value: object, indent: int | None = None) -> str:
    r"""Write JSON that readers of JSON, YAML and Go take for the same: what is not printable is escaped.

    Example:
        >>> json_text("é\x7f")
        '"é\\u007f"'
    """
    written = _JSON(value) if indent is None else json.dumps(value, ensure_ascii=False, indent=indent)
    return quoted_safe(written)


def quoted_safe(text: str) -> str:
    r"""Escape what is not printable in JSON, or in YAML that has it in double-quoted scalars alone."""
    if text.isascii() and text.isprintable():  # nearly every one
        return text
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def printable(text: str) -> str:
    r"""Escape control characters, so that no text can act on a terminal.

    Example:
        >>> printable("a\x1b[31mb")
        'a\\x1b[31mb'
    """
    return _UNSAFE.sub(lambda match: _escape(ord(match[0])), text)


def count(number: int, noun: str) -> str:
    """Write a number with its noun.

    Example:
        >>> count(1, "problem"), count(2, "problem")
        ('1 problem', '2 problems')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def is_text(text: str) -> bool:
    """Tell whether a string can be written as UTF-8: half a surrogate pair cannot."""
    return not _SURROGATE.search(text)


def is_printable(text: str) -> bool:
    """Tell whether a text holds nothing that acts on a terminal."""
    return not _UNSAFE.search(text)


def log_line(text: str) -> str:
    r"""Make a line of a container's log fit for a terminal: its colours stay, and end with it; all else is escaped.

    Example:
        >>> log_line("\x1b[31mred\x1b[2J")
        '\x1b[31mred\\x1b[2J\x1b[0m'
    """
    pieces = _COLOUR.split(text)
    # Every second piece is a colour.
    shown = "".join(piece if index % 2 else printable(piece) for index, piece in enumerate(pieces))
    return f"{shown}\x1b[0m" if len(pieces) > 1 else shown


def safe_message(text: str) -> str:
    """Make a text fit for messages, logs and answers: printable, and its credentials masked."""
    return printable(mask_credentials(text))


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
