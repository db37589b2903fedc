"""Tables that fit: on a terminal a row is a line, however narrow; in a pipe nothing is shortened or coloured.

A reason or a message, as the last cell of a row, goes on below itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from tycho.cli.display import fold, make_console, measure
from tycho.text import safe_message

if TYPE_CHECKING:
    from rich.text import Text

GAP = "  "
SHORTENED = "…"
LAST = 1  # rank of what leaves a table last
WRONG = ("failed", "lost")  # states that somebody has to look at
BELOW = "    "  # before a last cell that stands below its row
FOLDED = 24  # columns that a last cell has at least where it is folded beside the others


class Column(Struct, frozen=True):
    """A column of a table.

    Args:
        title: What stands above it.
        least: The cells that it may be shortened to; 0 for none, as a program would want it whole.
        enough: The cells that it is to have before columns that may leave get room.
        rank: Those of a higher rank leave a narrow table first, all of one rank together; those of rank `LAST` once all
            others are as short as can be; of rank 0, none does.
        from_end: Whether the end of a text says more than its beginning.
        lines: How many lines a text may take; more than one only in the last column.
        style: Returns the colour of a text; "" for none.
    """

    title: str
    least: int = 0
    enough: int = 0
    rank: int = 0
    from_end: bool = False
    lines: int = 1
    style: Callable[[str], str] = lambda text: ""


def paint_ready(text: str) -> str:
    """Return the colour of `2/3`, of `2/2 (1 stopped)`, or of a state: red for what has gone wrong."""
    ready, slash, desired = text.partition(" ")[0].partition("/")
    if not slash:
        return "red" if text in WRONG else "yellow"
    return "green" if ready == desired else "yellow"


def clean(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return cells that are one line each, and act on no terminal."""
    return [[" ".join(safe_message(cell).split("\n")) for cell in row] for row in rows]


def fit(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, *, flat: bool = False) -> list[Text]:
    """Lay a table out for a terminal, its titles first.

    Args:
        columns: From left to right.
        rows: A text for each column.
        width: The terminal's.
        flat: Whether a row is one line even where its last cell has no room.
    """
    from rich.text import Text

    cells = clean(rows)
    natural = [
        max([len(column.title), *(measure(row[place]) for row in cells)]) for place, column in enumerate(columns)
    ]
    widths = choose_widths(columns, natural, width)
    lines = [Text(GAP.join(columns[place].title.ljust(widths[place]) for place in widths).rstrip(), "bold")]
    indent = sum(widths.values()) + len(GAP) * (len(widths) - 1) - [*widths.values()][-1]
    for row in cells:
        line, below = Text(), [""]
        for place in widths:
            column, text = columns[place], row[place]
            if column.lines > 1 and not flat and measure(text) > widths[place]:
                text, *below = _fold_cell(text, widths[place], column.lines)
            cell = _set_width(text, widths[place], from_end=column.from_end)
            line.append(cell, column.style(row[place]))
            line.append(GAP)
        line.rstrip()
        lines += [line, *(Text(" " * indent + text) for text in below if text)]
    return lines


def fold_rows(rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """Return the lines of rows with columns as wide as their widest cell; the last cell goes on below itself.

    Args:
        rows: The cells, each one printable line.
        width: The terminal's; 0 for a pipe, where a row is a line.
    """
    widths = [max(measure(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [_fold_row(row, widths, width) for row in rows]


def _fold_row(row: Sequence[str], widths: Sequence[int], width: int) -> list[str]:
    """Return the lines of a row; its last cell stands below it where there is no room beside the others."""
    head = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    padded = [cell + " " * (most - measure(cell)) for cell, most in zip(row, widths, strict=True)]
    line, first = GAP.join(padded).rstrip(), GAP.join(padded[:-1]).rstrip()
    if not width or measure(line) <= width:
        return [line]
    if width - head >= FOLDED:
        return fold(line, width, " " * head)
    if measure(first) > width:
        first = GAP.join(row[:-1])
    return [*fold(first, width, BELOW), *(fold(BELOW + row[-1], width, BELOW) if row[-1] else ())]


def write_lines(lines: Sequence[Text]) -> None:
    """Write lines to the terminal, in its colours unless they are not wanted."""
    console = make_console(sys.stdout)
    for line in lines:
        console.print(line, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)


def choose_widths(columns: Sequence[Column], natural: Sequence[int], width: int) -> dict[int, int]:
    """Choose which columns stay, and how wide each is, by their places; what room is left is shared."""
    kept = list(range(len(columns)))

    def set_widths(floor: Callable[[Column], int]) -> dict[int, int]:
        return {
            place: min(natural[place], max(floor(columns[place]), len(columns[place].title)))
            if columns[place].least
            else natural[place]
            for place in kept
        }

    def find_room(widths: dict[int, int]) -> int:
        return width - sum(widths.values()) - len(GAP) * (len(widths) - 1)

    def leave_out(floor: Callable[[Column], int], first: int) -> dict[int, int]:
        nonlocal kept
        while find_room(widths := set_widths(floor)) < 0 and (
            ranks := [columns[place].rank for place in kept if columns[place].rank >= first]
        ):
            kept = [place for place in kept if columns[place].rank != max(ranks)]
        return widths

    widths = leave_out(lambda column: max(column.enough, column.least), LAST + 1)
    if find_room(widths) < 0:
        widths = leave_out(lambda column: column.least, LAST)
    room = find_room(widths)
    while room > 0 and (narrow := [place for place in kept if widths[place] < natural[place]]):
        for place in narrow[:room]:
            widths[place] += 1
        room -= len(narrow[:room])
    return widths


def _fold_cell(text: str, width: int, most: int) -> list[str]:
    """Fold a text into lines of a cell, wide words, too; the last line says where more is left out."""
    from rich.cells import chop_cells

    lines = [line for folded in fold(text, width, "") for line in chop_cells(folded, width)]
    if len(lines) > most:
        lines[most - 1 :] = [_set_width(" ".join(lines[most - 1 :]), width, from_end=False)]
    return lines


def _set_width(text: str, width: int, *, from_end: bool) -> str:
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return set_cell_size(text, width)
    if from_end:
        return SHORTENED + set_cell_size(text[::-1], width - len(SHORTENED))[::-1]
    return set_cell_size(text, width - len(SHORTENED)) + SHORTENED
