"""Numbers that stand in texts: read exactly, and never with more digits than a number can need."""

from __future__ import annotations

import re
from fractions import Fraction

LARGEST = 2**63 - 1
MAX_DIGITS = 40
_WHOLE = re.compile(rf"[-+]?0*([0-9]{{1,{MAX_DIGITS}}})", re.ASCII)
_SIZE = re.compile(r"([0-9]+)(?:\.([0-9]{1,15}))? ?([kmgtp]?)i?b?", re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def is_digits(text: str) -> bool:
    """Tell whether a text is nothing but ASCII digits: `str.isdigit` also takes `²`, which is no number to `int`."""
    return text.isascii() and text.isdigit()


def parse_id(text: str) -> int | None:
    """Read the id of a user or a group.

    Returns:
        The number; None for a name, which an image's own files decide. Every image's `root` is 0.
    """
    if text == "root":
        return 0
    return int(text) if is_digits(text) else None


def parse_whole(text: str) -> int:
    """Read a whole number.

    Args:
        text: Decimal digits, perhaps with a sign.

    Raises:
        ValueError: It is none, or has more than 40 digits.

    Example:
        >>> parse_whole("-017")
        -17
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f'"{shorten(text)}" is not a whole number')
    sign = text[0] if text[0] in "-+" else ""
    return int(sign + (text.lstrip("+-").lstrip("0") or "0"))


def parse_size(text: str) -> int:
    """Read a size as the chart's `bytes` helper does: exactly, with a rest below one byte cut off.

    Args:
        text: A number and one of Compose's units, in which k, m, g, t and p are powers of 1024.

    Raises:
        ValueError: It is none.

    Example:
        >>> parse_size("1.5k")
        1536
    """
    match = _SIZE.fullmatch(text.lower())
    if not match:
        raise ValueError(f'"{shorten(text)}" is not a size')
    before, after, unit = match[1], match[2] or "", match[3]
    whole = parse_whole(before) + Fraction(int(after or 0), 10 ** len(after))
    return int(whole * 1024 ** _POWERS[unit])


def shorten(text: str, length: int = 40) -> str:
    """Cut a text that a message cannot show in full."""
    return text if len(text) <= length else f"{text[:length]}…"


def write_duration(seconds: float) -> str:
    """Write seconds as Go prints a duration.

    Example:
        >>> write_duration(3600), write_duration(1.5), write_duration(0.1)
        ('1h0m0s', '1.5s', '100ms')
    """
    nanos = round(abs(seconds) * 10**9)
    sign = "-" if seconds < 0 else ""
    if nanos < 10**9:
        for unit, scale in (("ms", 10**6), ("µs", 10**3), ("ns", 1)):
            if nanos >= scale:
                return f"{sign}{_fraction(nanos, scale)}{unit}"
        return "0s"
    minutes, remainder = divmod(nanos, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = f"{_fraction(remainder, 10**9)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else sign + text


def _fraction(nanos: int, scale: int) -> str:
    whole, remainder = divmod(nanos, scale)
    return f"{whole}.{remainder:0{len(str(scale)) - 1}d}".rstrip("0").rstrip(".") if remainder else str(whole)
