"""Variables of a compose file that a chart reads, and where the file does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from tycho.chart.container import Expression
from tycho.chart.layout import ChartLayout
from tycho.model import Variable

SHOWN = 3  # places that a comment names
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NAME = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def list_variables(layout: ChartLayout) -> dict[str, tuple[str, ...]]:
    """List the variables, each with the places that read it, without the folders of this machine."""
    return {name: tuple(_places(variable)) for name, variable in sorted(layout.system.variables.items())}


def _places(variable: Variable) -> list[str]:
    return [re.sub(r"^\S*[/\\](?=[^/\\\s]*:\d)", "", place) for place in variable.places]


def list_read_variables(value: object) -> list[str]:
    """List the variables that an object's texts may read."""
    texts = [text for text in list_texts(value) if isinstance(text, Expression)]
    return sorted({name for text in texts for name in _NAME.findall(text)})


def needs_quotes(value: object) -> bool:
    """Tell whether a text of an object is not the same where Helm's `toYaml` is indented: line ends, and controls."""
    return any(
        _CONTROL.search(text) or (text.endswith("\n") and (text.endswith("\n\n") or not text.strip("\n")))
        for text in list_texts(value)
    )


def list_texts(value: object) -> Iterator[str]:
    """Yield every text of an object, however deep it stands."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for child in value.values():
            yield from list_texts(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from list_texts(child)
    elif is_dataclass(value):
        for field in fields(value):
            yield from list_texts(getattr(value, field.name))
