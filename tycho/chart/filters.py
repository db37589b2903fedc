"""Write text into templates: one filter for each place that a text may stand at, and a guard that asks for one.

What no filter has marked as `Safe` is refused by the guard, so that no name, key or value can be printed bare.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from tycho.chart.yaml_writer import quote_key, write_scalar
from tycho.model import Live
from tycho.text import json_text, printable

# Text that stands for itself inside a quoted string of YAML and of Go, and in a comment.
PART = re.compile(r"[A-Za-z0-9._/, -]*")
# What a policy's template may print as it is: no reader ends a scalar there, or begins another one.
SAFE_PLAIN = re.compile(r"[A-Za-z0-9._/@+-]*(:[A-Za-z0-9._/@+-]+)*")
SECRET_KEY = re.compile(r"[-._a-zA-Z0-9]+")
# What Markdown reads as code, emphasis, a link, HTML, or the end of a table's cell.
MARKUP = re.compile(r"[\\`*<\[|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=[#A-Za-z])|:(?=//)|(?<=\w)@(?=\w)")
WEB = re.compile(r"(?i)\bwww(?=\.)")


class Safe(str):
    """Text that may be printed where it stands."""

    __slots__ = ()


def yaml_scalar(value: str) -> Safe:
    """Write any text as a YAML scalar that Helm's template engine leaves alone."""
    _reject_live(value)
    return Safe(_escape_braces(write_scalar(value)))


def yaml_block(value: str) -> Safe:
    """Write lines of YAML of our own as a literal block, where no template engine reads it again."""
    return Safe("|\n" + "".join(f"    {line}\n" for line in value.removesuffix("\n").split("\n"))[:-1])


def yaml_key(name: str) -> Safe:
    """Write any text as the key of a YAML mapping, as `text` does."""
    _reject_live(name)
    return Safe(_escape_braces(quote_key(name)))


@lru_cache(typed=True, maxsize=1024)  # a live value equals its text, and is refused; all files name the same keys
def go_string(value: str) -> Safe:
    """Write any text as a string of Go, inside an action."""
    _reject_live(value)
    return Safe(_escape_braces(json_text(value)))


def name_part(value: str) -> Safe:
    """Admit a name, or a piece of one, to the inside of a quoted string.

    Raises:
        ValueError: It holds what could end that string.
    """
    _reject_live(value)
    if not PART.fullmatch(value):
        raise ValueError(f"not a part of a name: {value!r}")
    return Safe(value)


def notes_text(value: str) -> Safe:
    """Write any text into the text of NOTES.txt."""
    return name_part(value) if PART.fullmatch(value) else Safe(f"{{{{ {go_string(value)} }}}}")


def set_path(name: str) -> Safe:
    """Write a name into the path of Helm's `--set`, in a shell's single quotes."""
    return Safe(name_part(name).replace(".", "\\."))


def file_mode(mode: int) -> Safe:
    """Write the mode of a file."""
    return Safe(f"{mode:04o}")


def markdown_cell(value: str) -> Safe:
    r"""Write any text into a table of a Markdown page: neither markup nor a link can come of it.

    Example:
        >>> cell("a|b <i> [x](y)")
        'a\\|b &lt;i> \\[x](y)'
    """
    line = printable(" ".join(value.split("\n")))
    escaped = MARKUP.sub(lambda match: {"<": "&lt;", "&": "&amp;"}.get(match[0], f"\\{match[0]}"), line)
    return Safe(WEB.sub(lambda match: f"{match[0]}\\", escaped))


def markdown_code(value: str) -> Safe:
    """Write any text as a code span in a table of a Markdown page; as `cell` where no span can hold it."""
    line = printable(" ".join(value.split("\n")))
    if not line.strip() or "\\|" in line:
        return markdown_cell(value)
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    room = " " if line[0] in "` " or line[-1] in "` " else ""
    return Safe(f"{fence}{room}{line.replace('|', chr(92) + '|')}{room}{fence}")


def whole_number(value: str) -> Safe:
    """Admit a whole number.

    Raises:
        ValueError: It is none.
    """
    return Safe(int(value))


def secret_key(name: str) -> str:
    """Return the key of a variable in a Secret: its name, where a key may be called so."""
    return name if SECRET_KEY.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()


def go_json(value: object) -> Safe:
    """Write a value as a string of Go that holds JSON."""
    return go_string(json_text(value))


def require_filtered(value: object) -> object:
    """Let pass what a filter has written, numbers and truth values.

    Raises:
        ValueError: It is a text that no filter has written.
    """
    if isinstance(value, Safe):  # nearly everything: this is asked of every expression
        return value
    _reject_live(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value
    raise ValueError(f"text without a filter: {value!r}")


def require_safe(value: object) -> object:
    """Let pass what `guard` does, and plain words: the templates of policies are the operator's own.

    Raises:
        ValueError: It is a text that Helm or a reader of YAML could take for something else.
    """
    _reject_live(value)
    if "{{" in str(value) or "}}" in str(value):
        if not isinstance(value, Safe):
            raise ValueError(f"text that Helm evaluates: {value!r}")
    elif isinstance(value, str) and not isinstance(value, Safe) and not SAFE_PLAIN.fullmatch(value):
        raise ValueError(f"text that YAML may read otherwise: {value!r}; write it with | text")
    return value


FILTERS = {
    "text": yaml_scalar, "field": yaml_key, "key": go_string, "part": name_part, "octal": file_mode,
    "number": whole_number, "json_text": go_json, "secret_key": secret_key, "words": notes_text,
}  # fmt: skip
PAGES = {
    "block": yaml_block,
    "option": set_path,
    "markdown": Safe,  # our own
    "cell": markdown_cell,
    "code": markdown_code,
}  # what no template engine reads again


def _escape_braces(quoted: str) -> str:
    """Escape braces, which Helm's template engine and ours look for, inside a double-quoted string."""
    return quoted.replace("{", "\\u007b").replace("}", "\\u007d") if "{{" in quoted or "}}" in quoted else quoted


def _reject_live(value: object) -> None:
    """Reject a live value: a policy's template must read it from .Values, as it differs between releases."""
    if isinstance(value, Live):
        raise ValueError(f"{value.template} differs between releases: read it from .Values")  # noqa: TRY004
