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
        enough: The cells that it is to have before columns that may leave get room.
        rank: Those of a higher rank leave a narrow table first; of rank 0, none does.
        from_end: Whether the end of a text says more than its beginning.
        style: Returns the colour of a text; "" for none.
    """

    title: str
    least: int = 0
    enough: int = 0
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
    widths = choose_widths(columns, natural, width)
    lines = [Text(GAP.join(columns[place].title.ljust(widths[place]) for place in widths).rstrip(), "bold")]
    for row in cells:
        line = Text()
        for place in widths:
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


def choose_widths(columns: Sequence[Column], natural: Sequence[int], width: int) -> dict[int, int]:
    """Choose which columns stay, and how wide each is, by their places; what room is left is shared."""
    kept = list(range(len(columns)))

    def measure(floor: Callable[[Column], int]) -> dict[int, int]:
        return {
            place: min(natural[place], max(floor(columns[place]), len(columns[place].title)))
            if columns[place].least
            else natural[place]
            for place in kept
        }

    def find_room(widths: dict[int, int]) -> int:
        return width - sum(widths.values()) - len(GAP) * (len(widths) - 1)

    widths = measure(lambda column: max(column.enough, column.least))
    while find_room(widths) < 0 and (optional := [place for place in kept if columns[place].rank]):
        kept.remove(max(optional, key=lambda place: (columns[place].rank, place)))
        widths = measure(lambda column: max(column.enough, column.least))
    if find_room(widths) < 0:
        widths = measure(lambda column: column.least)
    room = find_room(widths)
    while room > 0 and (narrow := [place for place in kept if widths[place] < natural[place]]):
        for place in narrow[:room]:
            widths[place] += 1
        room -= len(narrow[:room])
    return widths


def _set_width(text: str, width: int, *, from_end: bool) -> str:
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return set_cell_size(text, width)
    if from_end:
        return SHORTENED + set_cell_size(text[::-1], width - len(SHORTENED))[::-1]
    return set_cell_size(text, width - len(SHORTENED)) + SHORTENED
