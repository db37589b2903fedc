"""What a standard stream can show: how wide its terminal is, whether it has colours, and lines folded for it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from tycho.settings import environment

if TYPE_CHECKING:
    from rich.console import Console

COLOURS = {"green": 32, "red": 31, "yellow": 33, "bold": 1}
USUAL = 80  # columns of a terminal that does not say how many it has
NARROWEST = 20  # columns below which lines are no longer folded for a terminal
DUMB = ("dumb", "unknown")  # values of TERM: a terminal that knows no colours and no movements
CONTINUED = "  "
_HANG = re.compile(r"\s*(?:(?:hint|note|warning): )?")
_PAIRS = {"`": "`", "{": "}"}


class _Colours:
    """Whether colours are written at all: what --no-color says."""

    active = True


def forgo_colours() -> None:
    """Write everything without colours, on a terminal, too."""
    _Colours.active = False


def find_width(stream: TextIO) -> int:
    """Return how many columns the terminal behind a stream has; 0 where there is no terminal."""
    if not stream.isatty():
        return 0
    columns = environment().get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        return int(columns)
    try:
        # Not shutil.get_terminal_size: that asks standard output, which may be a pipe where standard error is none.
        return os.get_terminal_size(stream.fileno()).columns or USUAL
    except (OSError, ValueError):
        return USUAL


def has_colours(stream: TextIO) -> bool:
    """Tell whether a stream takes colours: a terminal that has them, unless NO_COLOR or --no-color is given."""
    return _Colours.active and not environment().get("NO_COLOR") and can_move(stream)


def can_move(stream: TextIO) -> bool:
    """Tell whether what was written to a stream can be drawn again: a terminal, and not a dumb one."""
    return stream.isatty() and environment().get("TERM", "").lower() not in DUMB


def make_console(stream: TextIO) -> Console:
    """Return what draws on a stream."""
    from rich.console import Console

    return Console(file=stream, highlight=False, no_color=not has_colours(stream))


def paint(text: str, style: str, stream: TextIO) -> str:
    """Return a text in a colour where a stream takes colours; what is in it must be printable by now.

    Args:
        text: Any.
        style: The colour's name; "" for none.
        stream: Where it goes.
    """
    return f"\x1b[{COLOURS[style]}m{text}\x1b[0m" if style and text and has_colours(stream) else text


def measure(text: str) -> int:
    """Return how many columns a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def fold(text: str, width: int, hang: str | None = None) -> list[str]:
    """Fold a text at its words into lines that fit; what somebody may want to copy stays whole.

    That is a word, such as a path or a URL, a command in backticks and a mapping in braces. One that has no room in
    a line has a line of its own, which the terminal breaks.

    Args:
        text: What is shown, line by line.
        width: The terminal's columns; 0 for a pipe, where nothing is folded.
        hang: What stands before a line that goes on; by default two spaces, or as many as a hint is indented.

    Example:
        >>> fold("  hint: run `tycho up --local` again", 26)
        ['  hint: run', '        `tycho up --local`', '        again']
    """
    if not width:
        return [text]
    return [line for whole in text.split("\n") for line in _fold_line(whole, max(width, NARROWEST), hang)]


def _fold_line(text: str, width: int, hang: str | None) -> Iterator[str]:
    if measure(text) <= width:
        yield text
        return
    if hang is None:
        label = _HANG.match(text)
        begin = label[0] if label else ""
        hang = " " * len(begin) if begin.strip() else begin + CONTINUED
    line, empty = "", True
    for blank, word in split_words(text):
        if not empty and measure(line + blank + word) > width:
            yield line
            line, empty = hang + word, False
        else:
            line, empty = line + blank + word, False
    yield line


def split_words(text: str) -> list[tuple[str, str]]:
    """Split a text into blanks and what follows each: a word, a command in backticks or a mapping in braces.

    Example:
        >>> split_words("run `tycho up`, or {a: 1}")
        [('', 'run'), (' ', '`tycho up`,'), (' ', 'or'), (' ', '{a: 1}')]
    """
    words: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        begin = place
        while place < len(text) and text[place] == " ":
            place += 1
        blank, begin = text[begin:place], place
        while place < len(text) and text[place] != " ":
            place = _find_end(text, place)
        words.append((blank, text[begin:place]))
    return words


def _find_end(text: str, place: int) -> int:
    """Find the end of a character, or of the pair that it opens; one that nothing closes is a character like any."""
    opening = text[place]
    closing = _PAIRS.get(opening)
    if not closing:
        return place + 1
    depth = 0
    for end in range(place, len(text)):
        depth += text[end] == opening
        if text[end] == closing and end > place:
            depth -= 1 if closing != opening else depth
            if not depth:
                return end + 1
    return place + 1
