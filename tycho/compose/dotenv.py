"""`.env` and `env_file`: names and values, one a line, in Compose's dialect.

Source: compose-go's `dotenv` package; `format: raw` is docker's own `--env-file`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tycho.compose.interpolate import Invalid, expand
from tycho.errors import Problem

_NAME = re.compile(r"[^\W]|[_.\-\[\]]")
_SPACE = " \t\v\f\r\x85\xa0"
_ESCAPES = {"a": "\a", "b": "\b", "c": "", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
Unset = Callable[[str], None]


class Malformed(Exception):
    """The file cannot be read as variables; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def parse(
    text: bytes, file: str, env: Mapping[str, str], *, raw: bool = False, unset: Unset = lambda name: None
) -> dict[str, str | None]:
    """The variables of one file.

    Args:
        text: UTF-8.
        file: What the user calls it.
        env: What `${…}` in the file may read, and what a name without a value takes; wins over the file's own lines.
        raw: docker's format: no quotes, no escapes, no variables.
        unset: Told of each variable that is read and not set.

    Returns:
        Names and values in order; None where a name alone was written and `env` has no value for it.

    Raises:
        Malformed: With file and line.
    """
    try:
        source = text.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Malformed(Problem(file, text.count(b"\n", 0, error.start) + 1, "", "not UTF-8 text")) from None
    if raw:
        return _raw(source, file, env)
    found: dict[str, str | None] = {}
    i = 0
    while True:
        i = _skip(source, i)
        if i >= len(source):
            return found
        line = source.count("\n", 0, i) + 1
        name, i, alone = _name(source, i, file, line)
        if alone:
            if name in env:
                found[name] = env[name]
            else:
                found.setdefault(name, None)
            continue
        value, quote, i = _value(source, i, file, line)
        if quote != "'":
            scope = {**{key: known for key, known in found.items() if known is not None}, **env}
            try:
                value = expand(value, scope, unset)
            except Invalid as error:
                raise Malformed(Problem(file, line, name, str(error))) from None
        found[name] = value


def _skip(source: str, i: int) -> int:
    """Past blank space and comment lines."""
    while i < len(source):
        if source[i] == "#":
            end = source.find("\n", i)
            i = len(source) if end < 0 else end
        elif source[i].isspace():
            i += 1
        else:
            break
    return i


def _name(source: str, i: int, file: str, line: int) -> tuple[str, int, bool]:
    if re.match(r"export\s", source[i:]):
        i = i + 6
        while i < len(source) and source[i].isspace():
            i += 1
    start = i
    while i < len(source):
        character = source[i]
        if character in "=:":
            name = source[start:i].rstrip(_SPACE)
            if " " in name or "\t" in name:
                raise Malformed(Problem(file, line, "", "key cannot contain a space", "write NAME=value"))
            i += 1
            while i < len(source) and source[i] in _SPACE:
                i += 1
            return name, i, False
        if character == "\n":
            break
        if character not in _SPACE and not (_NAME.match(character) or character.isalnum()):
            said = (
                f'unexpected character "{character}" in variable name near "{source[start:].splitlines()[0]}"'
            )
            raise Malformed(Problem(file, line, "", said, "names hold letters, digits and _ . -"))
        i += 1
    name = source[start:i].strip()
    if re.search(r"\s", name):
        raise Malformed(Problem(file, line, "", "key cannot contain a space", "write NAME=value"))
    return name, i, True


def _value(source: str, i: int, file: str, line: int) -> tuple[str, str, int]:
    """The raw value from `i`, its quote, and where the next line begins."""
    if i < len(source) and source[i] in "'\"":
        quote, j = source[i], i + 1
        while j < len(source):
            if source[j] == "\\" and j + 1 < len(source):
                j += 2
                continue
            if source[j] == quote:
                inner = source[i + 1 : j]
                text = inner.replace("\\'", "'") if quote == "'" else _unescape(inner)
                end = source.find("\n", j)
                return text, quote, len(source) if end < 0 else end
            j += 1
        first = source[i:].splitlines()[0]
        raise Malformed(
            Problem(file, line, "", f"unterminated quoted value {first}", f"close it with {quote}")
        )
    end = source.find("\n", i)
    end = len(source) if end < 0 else end
    text = re.split(r"\s#", source[i:end], maxsplit=1)[0]
    return text.rstrip(), "", end


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        said = match[1]
        if said in _ESCAPES:
            return _ESCAPES[said]
        if said.startswith("0"):
            return chr(int(said, 8))
        return "$$" if said == "$" else said if said in "\"'\\`" else match[0]

    return re.sub(r"\\(0[0-7]{1,3}|.)", one, text, flags=re.DOTALL)


def _raw(source: str, file: str, env: Mapping[str, str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for number, line in enumerate(source.split("\n"), 1):
        line = line.lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if re.search(r"\s", name) or not name:
            raise Malformed(
                Problem(file, number, "", f'variable "{name}" contains whitespaces', "write NAME=value")
            )
        if equals:
            found[name] = value
        elif name in env:
            found[name] = env[name]
    return found
