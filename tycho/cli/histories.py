"""How the revisions of a system are written: who, when and why, and below each what it changed."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.options import Format
from tycho.text import printable

if TYPE_CHECKING:
    from tycho.release import Revision

LONGEST_NAME = 16  # characters of a user's name in a row
MOST = 8  # changes below a revision
INDENT = 5  # columns before a change
HEADER = ("REVISION", "WHEN", "WHO", "STATUS", "WHY")


def emit_history(revisions: Sequence[Revision], format: Format = Format.table) -> None:
    """Write a row for each revision, oldest first, and lines below it for what it changed.

    Args:
        revisions: What is known of each.
        format: As lines that fit the terminal, or as data: then nothing is left out.
    """
    if format is not Format.table:
        return show.structured([revision.model_dump(mode="json") for revision in revisions], format)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    rows = [HEADER, *map(_describe, revisions)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER) - 1)]
    for row, changes in zip(rows, [(), *(revision.changes for revision in revisions)], strict=True):
        line = "  ".join((*(cell.ljust(column) for cell, column in zip(row, widths, strict=False)), row[-1])).rstrip()
        show.emit(line if not width or len(line) <= width else line[: width - 1] + "…")
        for change in _list_changes(changes, width):
            show.emit(change)


def _describe(revision: Revision) -> tuple[str, ...]:
    updated = revision.updated.astimezone().strftime("%Y-%m-%d %H:%M") if revision.updated else show.NONE
    user = revision.username or (revision.origin.user if revision.origin else "") or show.NONE
    name = user if len(user) <= LONGEST_NAME else user[: LONGEST_NAME - 2] + ".."
    why = printable(revision.description.replace("\n", " "))
    return str(revision.revision), updated, printable(name), revision.state, why


def _list_changes(changes: Sequence[str], width: int) -> Iterator[str]:
    """Write what a revision changed, folded where a terminal has no room."""
    blank = " " * INDENT
    for change in changes[:MOST]:
        line = printable(change.replace("\n", " "))
        if width:
            yield from textwrap.wrap(
                line, width, initial_indent=blank, subsequent_indent=blank + "  ", break_long_words=False,
                break_on_hyphens=False,
            )  # fmt: skip
        else:
            yield blank + line
    if len(changes) > MOST:
        yield f"{blank}and {len(changes) - MOST} more (-o json lists them)"
