"""Write text into templates: one filter for each place that a text may stand at, and a guard that asks for one.

What no filter has marked as `Safe` is refused by the guard, so that no name, key or value can be printed bare.
"""

from __future__ import annotations

import hashlib
import re

from tycho.chart.yaml import quote_key, write_scalar
from tycho.model import Live
from tycho.text import json_text, printable

# Text that stands for itself inside a quoted string of YAML and of Go, and in a comment.
PART = re.compile(r"[A-Za-z0-9._/, -]*")
# What a policy's template may print as it is: no reader ends a scalar there, or begins another one.
BARE = re.compile(r"[A-Za-z0-9._/@+-]*(:[A-Za-z0-9._/@+-]+)*")
# What Markdown reads as code, emphasis, a link, HTML, or the end of a table's cell.
SECRET_KEY = re.compile(r"[-._a-zA-Z0-9]+")
MARKUP = re.compile(r"[\\`*<\[|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=[#A-Za-z])|:(?=//)|(?<=\w)@(?=\w)")
WEB = re.compile(r"(?i)\bwww(?=\.)")


class Safe(str):
    """Text that may be printed where it stands."""

    __slots__ = ()


def text(value: str) -> Safe:
    """Write any text as a YAML scalar that Helm's template engine leaves alone."""
    _refuse_live(value)
    return Safe(_shut(write_scalar(value)))


def block(value: str) -> Safe:
    """Write lines of YAML of our own as a literal block, where no template engine reads it again."""
    return Safe("|\n" + "".join(f"    {line}\n" for line in value.removesuffix("\n").split("\n"))[:-1])


def field(name: str) -> Safe:
    """Write any text as the key of a YAML mapping, as `text` does."""
    _refuse_live(name)
    return Safe(_shut(quote_key(name)))


def key(value: str) -> Safe:
    """Write any text as a string of Go, inside an action."""
    _refuse_live(value)
    return Safe(_shut(json_text(value)))


def part(value: str) -> Safe:
    """Admit a name, or a piece of one, to the inside of a quoted string.

    Raises:
        ValueError: It holds what could end that string.
    """
    _refuse_live(value)
    if not PART.fullmatch(value):
        raise ValueError(f"not a part of a name: {value!r}")
    return Safe(value)


def words(value: str) -> Safe:
    """Write any text into the text of NOTES.txt."""
    return part(value) if PART.fullmatch(value) else Safe(f"{{{{ {key(value)} }}}}")


def option(name: str) -> Safe:
    """Write a name into the path of Helm's `--set`, in a shell's single quotes."""
    return Safe(part(name).replace(".", "\\."))


def octal(mode: int) -> Safe:
    """Write the mode of a file."""
    return Safe(f"{mode:04o}")


def markdown(value: str) -> Safe:
    """Admit Markdown of our own."""
    return Safe(value)


def cell(value: str) -> Safe:
    r"""Write any text into a table of a Markdown page: neither markup nor a link can come of it.

    Example:
        >>> cell("a|b <i> [x](y)")
        'a\\|b &lt;i> \\[x](y)'
    """
    line = printable(" ".join(value.split("\n")))
    escaped = MARKUP.sub(lambda match: {"<": "&lt;", "&": "&amp;"}.get(match[0], f"\\{match[0]}"), line)
    return Safe(WEB.sub(lambda match: f"{match[0]}\\", escaped))


def code(value: str) -> Safe:
    """Write any text as a code span in a table of a Markdown page; as `cell` where no span can hold it."""
    line = printable(" ".join(value.split("\n")))
    if not line.strip() or "\\|" in line:
        return cell(value)
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    room = " " if line[0] in "` " or line[-1] in "` " else ""
    return Safe(f"{fence}{room}{line.replace('|', chr(92) + '|')}{room}{fence}")


def number(value: str) -> Safe:
    """Admit a whole number.

    Raises:
        ValueError: It is none.
    """
    return Safe(int(value))


def secret_key(name: str) -> str:
    """Return the key of a variable in a Secret: its name, where a key may be called so."""
    return name if SECRET_KEY.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()


def json(value: object) -> Safe:
    """Write a value as a string of Go that holds JSON."""
    return key(json_text(value))


def guard(value: object) -> object:
    """Let pass what a filter has written, numbers and truth values.

    Raises:
        ValueError: It is a text that no filter has written.
    """
    _refuse_live(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Safe | int):
        return value
    raise ValueError(f"text that no filter has written: {value!r}")


def guard_policy(value: object) -> object:
    """Let pass what `guard` does, and plain words: the templates of policies are the operator's own.

    Raises:
        ValueError: It is a text that Helm or a reader of YAML could take for something else.
    """
    _refuse_live(value)
    if "{{" in str(value) or "}}" in str(value):
        if not isinstance(value, Safe):
            raise ValueError(f"text that Helm would run: {value!r}")
    elif isinstance(value, str) and not isinstance(value, Safe) and not BARE.fullmatch(value):
        raise ValueError(f"text that YAML may read otherwise: {value!r}; write it with | text")
    return value


FILTERS = {
    "text": text, "field": field, "key": key, "part": part, "octal": octal, "number": number, "json_text": json,
    "secret_key": secret_key, "words": words,
}  # fmt: skip
PAGES = {
    "block": block,
    "option": option,
    "markdown": markdown,
    "cell": cell,
    "code": code,
}  # what no template engine reads again


def _shut(quoted: str) -> str:
    """Escape braces, which Helm's template engine and ours look for, inside a double-quoted string."""
    return quoted.replace("{", "\\u007b").replace("}", "\\u007d") if "{{" in quoted or "}}" in quoted else quoted


def _refuse_live(value: object) -> None:
    """What reads a variable is not the chart's to say; templates of policies might try."""
    if isinstance(value, Live):
        raise ValueError(f"{value.template} is worth something else in each release: read it from .Values")  # noqa: TRY004
