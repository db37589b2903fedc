"""Render templates by Jinja, with ERB delimiters, so that Helm's braces stay as they are.

Text of a user must not reach Helm as code, nor YAML as another type: an expression prints only what a filter has
written, anything else is an error.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from tycho import __version__, data_folders
from tycho.chart.container import Expression
from tycho.chart.filters import FILTERS, PAGES, name_part, require_filtered, require_safe
from tycho.errors import FileError, UsageError
from tycho.outputs import write_file
from tycho.settings import settings

_INCLUDE = re.compile(r'^[ \t]*<% include "([^"]+)" %>\n', re.MULTILINE)


class _PartsInPlace(FileSystemLoader):
    """Templates with the text of their parts in the place of `include`, which would cost a context for each use."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Read a template, and the parts that it includes."""
        source, path, is_current = super().get_source(environment, template)
        return _INCLUDE.sub(lambda match: self.get_source(environment, match[1])[0], source), path, is_current


class _Cache(FileSystemBytecodeCache):
    """Compiled templates in files, as far as these can be read and written: it is only a cache."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read a template, if it is there."""
        with contextlib.suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write a template."""
        with contextlib.suppress(OSError, FileError, UsageError):
            write_file(Path(self._get_cache_filename(bucket)), bucket.bytecode_to_string())


def _bytecode_cache() -> FileSystemBytecodeCache | None:
    """Return the cache of compiled templates, if its folder can be written: compiling them is the slowest step."""
    folder = settings().cache_dir / "templates" / __version__
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return _Cache(str(folder)) if os.access(folder, os.W_OK) else None


@cache
def environment(check: Callable[[object], object] = require_filtered) -> Environment:
    """Make an engine for the templates, which are compiled as they are first used.

    Args:
        check: Sees whatever an expression prints.
    """
    engine = Environment(
        loader=_PartsInPlace(data_folders.templates()),
        bytecode_cache=_bytecode_cache(),
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
        finalize=check,
        autoescape=False,  # noqa: S701 - what is written is YAML, not HTML
        auto_reload=False,
    )
    engine.tests["expression"] = lambda value: isinstance(value, Expression)
    engine.filters.update(FILTERS if check is require_safe else FILTERS | PAGES)
    return engine


def render(template: str, **context: object) -> str:
    """Render one file of a chart, whose name is a DNS label."""
    return environment().get_template(f"{template}.j2").render(context | _chart_name(context)).lstrip("\n")


def render_policy(source: str, **context: object) -> str:
    """Render a template of a policy, with less strictness towards plain words.

    Raises:
        jinja2.TemplateError: It is broken.
        ValueError: It prints a text that a reader could take for something else.
    """
    return environment(require_safe).from_string(source).render(context | _chart_name(context)).lstrip("\n")


def _chart_name(context: Mapping[str, object]) -> dict[str, object]:
    """Admit the chart's name, a DNS label, into other names."""
    return {"chart": name_part(str(context["chart"]))} if "chart" in context else {}
