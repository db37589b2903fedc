"""Variables of a compose file that a chart reads, and where the file does."""

from __future__ import annotations

import re
from types import MappingProxyType

from msgspec import Struct

from tycho.chart.container import Expression
from tycho.chart.layout import ChartLayout
from tycho.model import Node, ProjectFile, Variable

SHOWN = 3  # places that a comment names
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


def list_texts(value: object) -> list[str]:
    """List every text of an object, however deep it stands, in no order; files have limits of their own."""
    texts: list[str] = []
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, str):
            texts.append(part)
        elif not part or isinstance(part, int):
            continue
        elif isinstance(part, list | tuple):
            left += part
        elif isinstance(part, dict | MappingProxyType):
            left += part.values()
        elif isinstance(part, Struct):
            left += [getattr(part, name) for name in part.__struct_fields__]
        elif isinstance(part, Node) and not isinstance(part, ProjectFile):
            left += vars(part).values()
    return texts
