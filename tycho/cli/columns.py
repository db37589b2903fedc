"""Tables that fit: on a terminal a row is one line, however narrow; in a pipe nothing is shortened or coloured."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tycho.text import safe_message

if TYPE_CHECKING:
    from rich.text import Text

GAP = "  "
SHORTENED = "…"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        title: What stands above it.
        least: The cells that it may be shortened to; 0 for none, as a program would want it whole.
        rank: Those of a higher rank leave a narrow table first; of rank 0, none does.
        from_end: Whether the end of a text says more than its beginning.
        style: Returns the colour of a text; "" for none.
    """

    title: str
    least: int = 0
    rank: int = 0
    from_end: bool = False
    style: Callable[[str], str] = lambda text: ""


def paint_ready(text: str) -> str:
    """Return the colour of `2/3`, or of a state."""
    ready, slash, desired = text.partition("/")
    if not slash:
        return "red"
    return "green" if ready == desired else "yellow"


def clean(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return cells that are one line each, and act on no terminal."""
    return [[" ".join(safe_message(cell).split("\n")) for cell in row] for row in rows]


def fit(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[Text]:
    """Lay a table out for a terminal, its titles first.

    Args:
        columns: From left to right.
        rows: A text for each column.
        width: The terminal's.
    """
    from rich.cells import cell_len
    from rich.text import Text

    cells = clean(rows)
    natural = [
        max([len(column.title), *(cell_len(row[place]) for row in cells)]) for place, column in enumerate(columns)
    ]
    least = [
        min(natural[place], max(column.least, len(column.title))) if column.least else natural[place]
        for place, column in enumerate(columns)
    ]
    kept = list(range(len(columns)))

    def room() -> int:
        return width - sum(least[place] for place in kept) - len(GAP) * (len(kept) - 1)

    while room() < 0:
        leaving = max(kept, key=lambda place: (columns[place].rank, place))
        if not columns[leaving].rank:
            break
        kept.remove(leaving)
    widths, left = dict[int, int](), max(0, room())
    for place in sorted(kept, key=lambda place: columns[place].rank):
        more = min(natural[place] - least[place], left)
        widths[place], left = least[place] + more, left - more
    lines = [Text(GAP.join(columns[place].title.ljust(widths[place]) for place in kept).rstrip(), "bold")]
    for row in cells:
        line = Text()
        for place in kept:
            cell = _set_width(row[place], widths[place], from_end=columns[place].from_end)
            line.append(cell, columns[place].style(row[place]))
            line.append(GAP)
        line.rstrip()
        lines.append(line)
    return lines


def write_lines(lines: Sequence[Text]) -> None:
    """Write lines to the terminal, in its colours unless NO_COLOR is set."""
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(line, no_wrap=True, overflow="ignore", crop=False)


def _set_width(text: str, width: int, *, from_end: bool) -> str:
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return set_cell_size(text, width)
    if from_end:
        return SHORTENED + set_cell_size(text[::-1], width - len(SHORTENED))[::-1]
    return set_cell_size(text, width - len(SHORTENED)) + SHORTENED
