"""Sizes, as Compose reads them.

Source: docker/go-units.
"""

from __future__ import annotations

import re
from fractions import Fraction

from tycho.compose.go_scalars import parse_float32
from tycho.model.numbers import parse_whole

_WHOLE = re.compile(r"[-+]?\d+", re.ASCII)
_SUFFIX = re.compile(r"b?|([kmgtp])(i?b|i)?", re.IGNORECASE)
_QUANTITY = re.compile(r"[0-9.]+ ?[kmgtp]i", re.IGNORECASE | re.ASCII)
_POWER = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


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
