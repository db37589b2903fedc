"""Jinja decides what exists, Helm decides what it is worth: ERB delimiters leave Helm's braces alone.

Nothing of a user's may reach Helm's template engine as code: a value that holds `{{` stops the rendering, unless it
is a Go string literal that `text` made.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

from tycho import __version__, data
from tycho.chart.names import COMPOSE
from tycho.chart.yaml import UNPRINTABLE, quote
from tycho.model import Live
from tycho.settings import settings

TAME = re.compile(r"[A-Za-z0-9_./@%+=:,~ -]*")


class GoText(str):
    """An action of Helm's template language that prints a text, and is safe to write into a template."""

    __slots__ = ()


def text(value: str) -> str:
    """A YAML scalar for any text, inside a template."""
    _still(value)
    if TAME.fullmatch(value):
        return f'"{value}"'
    literal = UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
    literal = literal.replace("{", "\\u007b").replace("}", "\\u007d")
    return GoText(f"{{{{ {literal} | quote }}}}")


def key(name: str) -> str:
    """A name as a Go string, inside an action."""
    if not COMPOSE.fullmatch(name) and name:
        raise ValueError(f"not a name: {name!r}")
    return f'"{name}"'


def quoted(value: str) -> str:
    """Text in a file that no engine reads, but whose braces the guard would stop."""
    return GoText(quote(value).replace("{{", "{\\u007b").replace("}}", "}\\u007d"))


def cell(value: str) -> str:
    """Text in a table of a Markdown page, which no engine reads."""
    return GoText(value.replace("|", "\\|").replace("\n", " "))


def _guard(value: object) -> object:
    if not isinstance(value, GoText) and ("{{" in str(value) or "}}" in str(value)):
        raise ValueError(f"text that Helm would run: {value!r}")
    return _still(value)


def _still(value: object) -> object:
    """What reads a variable is not the chart's to say; templates of policies might try."""
    if isinstance(value, Live):
        raise ValueError(f"{value.template} is worth something else in each release: read it from .Values")  # noqa: TRY004
    return value


def _compiled() -> FileSystemBytecodeCache | None:
    """Where compiled templates are kept: compiling takes longer than all the rest of a small system's chart."""
    folder = settings().cache_dir / "templates" / __version__
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None


@cache
def environment() -> Environment:
    """The templates, compiled as they are first used."""
    found = Environment(
        loader=FileSystemLoader(data.templates()),
        bytecode_cache=_compiled(),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<%=",
        variable_end_string="%>",
        comment_start_string="<%#",
        comment_end_string="%>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_guard,
        autoescape=False,  # noqa: S701 - what is written is YAML, not HTML
        auto_reload=False,
    )
    found.filters.update(text=text, key=key, cell=cell, quoted=quoted)
    return found


def render(template: str, **context: object) -> str:
    """One file of a chart."""
    return environment().get_template(f"{template}.j2").render(context).lstrip("\n")
