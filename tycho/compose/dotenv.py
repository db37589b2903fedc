"""`.env` and `env_file`: names and values, one a line, in Compose's dialect.

Source: compose-go's `dotenv` package; `format: raw` is docker's own `--env-file`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import ChainMap
from collections.abc import Callable, Mapping

from tycho.compose.interpolation import Invalid, TooMuch, expand
from tycho.errors import Problem
from tycho.model.numbers import shorten

BLANK = "\t\v\f\r \x85\xa0"
SPACE = (
    BLANK + "\n\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_KEY = re.compile(r"[\w.\-\[\]" + BLANK + r"]*", re.ASCII)
_EXPORT = re.compile(rf"export(?=[\t\n\f\r ])[{BLANK}]*")
_ESCAPE = re.compile(r'\\(?:[abcfnrtv$"\\]|0\d{0,3})', re.ASCII)
_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
    "$": "$$",
}
Unset = Callable[[str], None]


class MalformedEnvFile(Exception):
    """The file cannot be read as variables; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def parse(
    text: bytes,
    file: str,
    env: Mapping[str, str],
    variables: dict[str, str] | None = None,
    *,
    raw: bool = False,
    unset: Unset = lambda name: None,
) -> dict[str, str]:
    """Read the variables of one file.

    Args:
        text: UTF-8.
        file: What the user calls it.
        env: What `${…}` in the file may read, and what a name without a value takes; wins over `variables`.
        variables: Takes the names and values, in order; what it holds already can be read.
        raw: docker's format: no quotes, no escapes, no variables.
        unset: Told of each variable that is read and not set.

    Returns:
        `variables`, or a new mapping.

    Raises:
        Malformed: With file and line.
    """
    variables = {} if variables is None else variables
    try:
        source = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise MalformedEnvFile(Problem(file, line, "", "not UTF-8 text", "save the file as UTF-8")) from None
    (_Raw if raw else _EnvFileReader)(source, file, env, variables, unset).read()
    return variables


class _EnvFileReader:
    """Walks through a text, statement by statement."""

    def __init__(self, source: str, file: str, env: Mapping[str, str], variables: dict[str, str], unset: Unset) -> None:
        self.source, self.file, self.env, self.variables, self.unset = source, file, env, variables, unset
        self.known = ChainMap(env, variables)  # type: ignore[arg-type]  # it is only read
        self.i = 0

    def wrong(self, message: str, hint: str, at: int) -> MalformedEnvFile:
        line = self.source.count("\n", 0, at) + 1
        return MalformedEnvFile(Problem(self.file, line, "", f"line {line}: {message}", hint))

    def read(self) -> None:
        while self.skip():
            start = self.i
            name, alone = self.name()
            if " " in name:
                raise self.wrong("key cannot contain a space", "write NAME=value", start)
            if not alone:
                self.variables[name] = self.value(start)
            elif name in self.env:
                self.variables[name] = self.env[name]

    def skip(self) -> bool:
        """Past blank space and comment lines; whether anything follows."""
        while self.i < len(self.source):
            if self.source[self.i] == "#":
                self.i = self.source.find("\n", self.i)
                if self.i < 0:
                    return False
            elif self.source[self.i] not in SPACE:
                return True
            self.i += 1
        return False

    def name(self) -> tuple[str, bool]:
        """A variable's name, and whether it stands alone on its line."""
        if export := _EXPORT.match(self.source, self.i):
            self.i = export.end()
        start = end = self.i
        while end < len(self.source):
            end = _KEY.match(self.source, end).end()  # type: ignore[union-attr]  # it matches nothing at least
            character = self.source[end : end + 1]
            if not character or character in "=:\n":
                break
            if unicodedata.category(character)[0] not in "LN":
                near = self.source[start:].split("\n")[0]
                message = f'unexpected character "{character}" in variable name "{shorten(near)}"'
                raise self.wrong(message, "a name holds letters, digits and _ . -", start)
            end += 1
        name = self.source[start:end].rstrip(SPACE)
        alone = self.source[end : end + 1] in ("\n", "")
        self.i = end + 1
        while not alone and self.i < len(self.source) and self.source[self.i] in BLANK:
            self.i += 1
        return name, alone

    def value(self, start: int) -> str:
        quote = self.source[self.i : self.i + 1]
        if quote in ("'", '"') and quote:
            text = self.quoted(quote, start)
            return text if quote == "'" else self.expanded(_ESCAPE.sub(_escape, text), start)
        end = self.source.find("\n", self.i)
        end = len(self.source) if end < 0 else end
        text = self.source[self.i : end].partition(" #")[0].rstrip(SPACE)
        self.i = end + 1
        return self.expanded(text, start)

    def quoted(self, quote: str, start: int) -> str:
        """What stands between quotes; of the escapes only the quote's own is undone."""
        marks = re.compile(rf"\\.|{quote}", re.DOTALL).finditer(self.source, self.i + 1)
        end = next((mark.start() for mark in marks if mark[0] == quote), -1)
        if end < 0:
            first = self.source[self.i :].split("\n")[0]
            raise self.wrong(f"unterminated quoted value {shorten(first)}", f"close it with {quote}", start)
        text, self.i = self.source[self.i + 1 : end], end + 1
        return re.sub(rf"\\(\\|{quote})", lambda match: match[0] if match[1] == "\\" else quote, text)

    def expanded(self, text: str, start: int) -> str:
        if "$" not in text:
            return text
        try:
            return expand(text, self.known, self.unset)
        except TooMuch as error:
            raise self.wrong(str(error), "write a shorter value", start) from None
        except Invalid as error:
            if "required variable" in str(error):
                raise self.wrong(str(error), "set it in the environment, or before this line", start) from None
            message, hint = (
                f'Invalid template: "{shorten(text, 1000)}"',
                "write $$ for a dollar sign that is no variable",
            )
            raise self.wrong(message, hint, start) from None


def _escape(match: re.Match[str]) -> str:
    escaped = match[0][1:]
    if escaped in _ESCAPES:
        return _ESCAPES[escaped]
    octal = escaped[1:]
    if escaped[0] == "0" and re.fullmatch("[0-7]{3}", octal) and int(octal, 8) < 256:
        return chr(int(octal, 8))
    return f"\\{octal}" if escaped[0] == "0" else match[0]


class _Raw(_EnvFileReader):
    """docker's format: one `NAME=value` a line, taken as it is."""

    def read(self) -> None:
        at = 0
        for line in self.source.split("\n"):
            self.line(line.removesuffix("\r").lstrip(SPACE), at)
            at += len(line) + 1

    def line(self, line: str, at: int) -> None:
        if not line or line.startswith("#"):
            return
        name, equals, value = line.partition("=")
        if not name:
            raise self.wrong(f"no variable name on line '{shorten(line)}'", "write NAME=value", at)
        if any(character in SPACE for character in name):
            raise self.wrong(f"variable '{shorten(name)}' contains whitespaces", "write NAME=value", at)
        if equals:
            self.variables[name] = value
        elif name in self.env:
            self.variables[name] = self.env[name]
