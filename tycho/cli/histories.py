"""How the revisions of a system are written: who, when and why, and below each what it changed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.columns import fold_rows
from tycho.cli.display import find_width, fold
from tycho.cli.options import Format
from tycho.text import printable

if TYPE_CHECKING:
    from tycho.release import Revision

LONGEST_NAME = 16  # characters of a user's name in a row
MOST = 8  # changes below a revision
INDENT = 5  # columns before a change
STYLES = {"deployed": "green", "paused": "yellow", "pending": "yellow", "failed": "red", "lost": "red"}
HEADER = ("REVISION", "WHEN", "WHO", "STATUS", "WHY")


def emit_history(revisions: Sequence[Revision], format: Format = Format.table) -> None:
    """Write a row for each revision, oldest first, and lines below it for what it changed.

    Args:
        revisions: What is known of each.
        format: As lines that fit the terminal, or as data: then nothing is left out.
    """
    if format is not Format.table:
        return show.structured([revision.model_dump(mode="json") for revision in revisions], format)
    width = find_width(sys.stdout)
    head, *rows = fold_rows([HEADER, *map(_describe, revisions)], width)
    for line in head:
        show.emit(line, "bold")
    for revision, lines in zip(revisions, rows, strict=True):
        for line in lines:
            show.emit(line, STYLES.get(revision.state, ""))
        for line in _list_changes(revision.changes, width):
            show.emit(line)


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
        yield from fold(blank + printable(change.replace("\n", " ")), width)
    if len(changes) > MOST:
        yield f"{blank}and {len(changes) - MOST} more (-o json lists them)"
