"""Durations, as Compose reads them, and as people do.

Source: Go's `time.ParseDuration` with days and weeks.
"""

from __future__ import annotations

import re

from tycho.model.numbers import parse_whole, shorten

_PIECE = re.compile(r"(\d*)(?:\.(\d*))?([^\d.]+)", re.ASCII)
_UNITS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
    "d": 86400 * 10**9, "w": 7 * 86400 * 10**9,
}  # fmt: skip
LARGEST = 2**63 - 1
SPOKEN = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def nanoseconds(text: str) -> int:
    """Nanoseconds of a duration such as `1m30s`.

    Raises:
        ValueError: Not a duration; says what is wrong with it.
    """
    body = text[1:] if text[:1] in ("-", "+") else text
    if body == "0":
        return 0
    total, i = 0, 0
    while i < len(body) or not body:
        match = _PIECE.match(body, i)
        if not match or not (match[1] or match[2]):
            missing = re.fullmatch(r"[\d.]*\d[\d.]*", body[i:], re.ASCII)
            what = "missing unit in" if missing else "invalid"
            raise ValueError(f'{what} duration "{shorten(text)}"')
        if match[3] not in _UNITS:
            raise ValueError(f'unknown unit "{shorten(match[3])}" in duration "{shorten(text)}"')
        unit = _UNITS[match[3]]
        total += _counted(match[1], text) * unit
        if match[2]:
            total += int(float(_counted(match[2][:18], text)) * (unit / 10 ** len(match[2][:18])))
        if total > LARGEST:
            raise ValueError(f'invalid duration "{shorten(text)}"')
        i = match.end()
    return -total if text[:1] == "-" else total


def _counted(digits: str, text: str) -> int:
    try:
        return parse_whole(digits or "0")
    except ValueError:
        raise ValueError(f'invalid duration "{shorten(text)}"') from None


def describe_seconds(seconds: float) -> str:
    """Describe a duration for people, by its two largest units.

    Example:
        >>> describe_seconds(5400)
        '1 h 30 min'
    """
    left, parts = max(int(seconds), 0), list[str]()
    for unit, size in SPOKEN:
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {unit}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 s"
