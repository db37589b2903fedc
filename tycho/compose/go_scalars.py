"""What a plain scalar is worth to go-yaml, and how Go prints a number.

Source: go.yaml.in/yaml's resolver; Go's strconv and fmt.
"""

from __future__ import annotations

import re
from contextlib import suppress

from tycho.model.numbers import MAX_DIGITS

Scalar = str | int | float | bool | None

DATE = re.compile(
    r"\d{4}-\d\d?-\d\d?([Tt]\d\d?:\d\d?:\d\d?(\.\d+)?(Z|[+-]\d\d:\d\d)| \d\d?:\d\d?:\d\d?(\.\d+)?)?", re.ASCII
)
_WHOLE = re.compile(r"([-+]?)(0[bB][01]+|0[oO][0-7]+|0[0-7]*|0[xX][0-9a-fA-F]+|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
LARGEST = 2.0**128  # from here on a 32-bit number is infinite
_STRAY_UNDERSCORE = re.compile(r"(?<![0-9])_|_(?![0-9])", re.ASCII)
_DIGITS = frozenset("+-.0123456789")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys(("-0", "-0.0"), -0.0),
}


def resolve(text: str) -> Scalar:
    """The value of a plain scalar; a date stays the text it is."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _DIGITS:
        return text
    if text[0] == "." and _STRAY_UNDERSCORE.search(text):
        return text
    plain = text.replace("_", "")
    if _WHOLE.fullmatch(plain):
        with suppress(ValueError):  # more digits than any number needs
            whole = parse_integer(plain)
            if -(2**63) <= whole < 2**64:
                return whole
    if _FLOAT.fullmatch(plain) and abs(value := float(plain)) < float("inf"):
        return value
    return text


def parse_integer(text: str) -> int:
    """A whole number in any of Go's notations: 0x, 0o, 0b, a leading 0 for octal.

    Raises:
        ValueError: It is none.
    """
    match = _WHOLE.fullmatch(text)
    if not match:
        raise ValueError(text)
    sign, digits = match.groups()
    if digits[0] != "0" and len(digits) > MAX_DIGITS:
        raise ValueError(text[:MAX_DIGITS])
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    value = int(digits, 8) if octal else int(digits, 0)
    return -value if sign == "-" else value


def parse_float32(text: str) -> float:
    """A number as Go's `ParseFloat` reads it: underscores between digits, no blanks, no words.

    Raises:
        ValueError: It is none, or larger than 32 bits hold.
    """
    if not _FLOAT.fullmatch(text.replace("_", "")) or _STRAY_UNDERSCORE.search(text):
        raise ValueError(text)
    value = float(text)
    if abs(value) >= LARGEST:
        raise ValueError(text)
    return value


def format_go(value: Scalar) -> str:
    """A scalar as Go prints it: what Compose makes of a number where text is wanted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float(value) if isinstance(value, float) else str(value)


def _float(value: float) -> str:
    """The shortest text that reads back the same, with an exponent below 1e-4 and from 1e6 on: Go's `%v`."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
    sign = "-" if str(value)[0] == "-" else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    before, _, after = mantissa.partition(".")
    digits = (before + after).lstrip("0")
    power = int(exponent or 0) + len(before) - 1
    if before == "0":
        power = int(exponent or 0) - 1 - (len(after) - len(after.lstrip("0")))
    digits = digits.rstrip("0") or "0"
    if digits == "0":
        return sign + "0"
    if power < -4 or power >= 6:
        return f"{sign}{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{power:+03d}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    whole, fraction = digits[: power + 1].ljust(power + 1, "0"), digits[power + 1 :]
    return sign + whole + ("." + fraction if fraction else "")
