"""Make text safe to show: what a document, a file name or another program wrote reaches a terminal only here."""

from __future__ import annotations

import json
import re

from tycho.credentials import mask_credentials

# Control characters, and those that reorder or hide text; newline and tab are layout.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]"
)

# What JSON leaves as it is, and YAML forbids or takes for the end of a line.
_UNREADABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def json_text(value: object) -> str:
    r"""Write JSON that readers of JSON, YAML and Go take for the same: what is not printable is escaped.

    Example:
        >>> json_text("é\x7f")
        '"é\\u007f"'
    """
    return _UNREADABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))


def printable(text: str) -> str:
    r"""Escape control characters, so that no text can act on a terminal.

    Example:
        >>> printable("a\x1b[31mb")
        'a\\x1b[31mb'
    """
    return _UNSAFE.sub(lambda match: _escape(ord(match[0])), text)


def safe_message(text: str) -> str:
    """Make a text fit for messages, logs and answers: printable, and its credentials masked."""
    return printable(mask_credentials(text))


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
