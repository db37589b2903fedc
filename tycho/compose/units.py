"""Sizes and durations, as Compose reads them.

Source: docker/go-units (sizes), Go's `time.ParseDuration` with days and weeks (durations).
"""

from __future__ import annotations

import re
from fractions import Fraction

from tycho.compose.go_scalars import parse_float32
from tycho.model.numbers import parse_whole, shorten

_WHOLE = re.compile(r"[-+]?\d+", re.ASCII)
_SUFFIX = re.compile(r"b?|([kmgtp])(i?b|i)?", re.IGNORECASE)
_QUANTITY = re.compile(r"[0-9.]+ ?[kmgtp]i", re.IGNORECASE | re.ASCII)
_POWER = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_PIECE = re.compile(r"(\d*)(?:\.(\d*))?([^\d.]+)", re.ASCII)
_UNITS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
    "d": 86400 * 10**9, "w": 7 * 86400 * 10**9,
}  # fmt: skip
LARGEST = 2**63 - 1


def size(text: str) -> int:
    """Bytes; every unit is a power of 1024, fractions are cut off.

    Raises:
        ValueError: Not a size.
    """
    if _WHOLE.fullmatch(text):
        return parse_whole(text)
    end = max(text.rfind(character) for character in "0123456789. ")
    number = text[: end + 1].removesuffix(" ")
    suffix = _SUFFIX.fullmatch(text[end + 1 :])
    if not suffix or (value := parse_float32(number)) < 0:
        raise ValueError(text)
    factor: int = 1024 ** _POWER[(suffix[1] or "").lower()]
    if value * factor < 1:  # whatever the exponent says
        return 0
    return int(Fraction(number.replace("_", "")) * factor)


def is_quantity(text: str) -> bool:
    """Tell whether a size is written as Kubernetes does, `4Gi`: Compose wants a b behind it."""
    return _QUANTITY.fullmatch(text) is not None


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
