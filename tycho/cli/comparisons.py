"""How comparisons are written: a line for each change in Compose's words, objects below where they are asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.display import find_width, fold, measure
from tycho.cli.options import Format
from tycho.text import printable

if TYPE_CHECKING:
    from tycho.comparison import Change, Comparison

MARKS = {"added": "+", "removed": "-", "changed": "~"}
STYLES = {"added": "green", "removed": "red", "changed": "yellow"}
WIDEST = (24, 32, 40)  # columns of a name, of a key and of a value that the others are aligned to
LONGEST = 200  # characters of a value in a line
SET = "true"  # a value that says no more than that there is one
KEPT = "kept until `tycho down`"
Row = tuple[str, str, str, str]  # name, key, value, effect
StyledLine = tuple[str, str]  # what is written, and its colour; "" for none


def emit_comparison(comparison: Comparison, format: Format = Format.table, *, objects: bool = False) -> None:
    """Write a comparison to stdout.

    Args:
        comparison: What to write.
        format: As lines, or as data: then objects are always among it.
        objects: Whether to write them, too.
    """
    if format is not Format.table:
        return show.structured(comparison.model_dump(mode="json"), format)
    write_comparison(comparison, show.emit, find_width(sys.stdout), objects=objects)


def tell_comparison(comparison: Comparison) -> None:
    """Write a comparison to stderr, for who is about to change something."""
    write_comparison(comparison, show.info, find_width(sys.stderr), objects=False)


def write_comparison(comparison: Comparison, write: Callable[[str, str], None], width: int, *, objects: bool) -> None:
    """Write a comparison line by line.

    Args:
        comparison: What to write.
        write: Takes a line and its colour.
        width: The terminal's columns; 0 for a pipe.
        objects: Whether to write objects, too.
    """
    name, revision = comparison.name, comparison.revision
    if comparison.empty:
        same = "is up to date" if not comparison.target else f"is what revision {comparison.target} is"
        return write(f"{name} {same} (revision {revision})", "")
    target = comparison.target or revision + 1
    write(f"{name} (revision {revision} → {target})" if revision else f"{name} (new)", "bold")
    rows = [(change, _describe(change, comparison)) for change in comparison.changes]
    keyed = [row for _, row in rows if row[1]]
    columns = ([row[0] for _, row in rows], [row[1] for row in keyed], [row[2] for row in keyed])
    widths = [min(max(map(len, cells), default=0), most) for cells, most in zip(columns, WIDEST, strict=True)]
    for change, row in rows:
        for line, style in _fit(change, row, widths, width):
            write(line, style)
    for text in _sum_up(comparison, objects):
        for line in fold(text, width):
            write(line, "")
    if objects:
        for line, style in _list_objects(comparison, width):
            write(line, style)


def _describe(change: Change, comparison: Comparison) -> Row:
    """Describe a change in cells."""
    kind = change.section.removesuffix("s")
    if change.path:
        restarts = change.section == "services" and change.name in comparison.restarts
        effect = "restarts" if restarts and not change.in_place else ""
        return _clean(change.title), _clean(change.path), _value(change.before, change.after, change.value), effect
    if change.action == "removed":
        return _clean(change.title), "", "removed", KEPT if change.section == "volumes" else ""
    image = f" ({change.after})" if change.after else ""
    return _clean(change.title), "", f"new {kind}{_clean(image)}", ""


def _fit(change: Change, row: Row, widths: list[int], width: int) -> Iterator[StyledLine]:
    """Write a row in one line; where a terminal has no room for it, its value stands below."""
    name, key, value, effect = row
    mark, style = MARKS[change.action], STYLES[change.action]
    if not key:
        line = f"  {mark} {name.ljust(widths[0])}  {value}  {effect}".rstrip()
        for folded in fold(line, width, " " * 8):
            yield folded, style
        return
    columns = [cell.ljust(column) for cell, column in zip((name, key, value), widths, strict=True) if column]
    line = f"  {mark} {'  '.join((*columns, effect)).rstrip()}"
    if not width or measure(line) <= width:
        yield line, style
        return
    head = "  ".join(filter(None, (name, key, effect)))
    if measure(head) + 4 <= width:
        yield f"  {mark} {head}", style
    else:
        yield f"  {mark} {name}", style
        yield f"      {key}  {effect}".rstrip(), style
    if change.action == "changed" and change.before != change.after:
        yield from _show_ends(change.before, change.after, 4)
    else:
        yield f"      {value}", style


def _show_ends(before: str | None, after: str | None, indent: int) -> Iterator[StyledLine]:
    """Write both ends of a change below each other."""
    yield f"{' ' * indent}  {_brief(before)}", STYLES["removed"]
    yield f"{' ' * indent}→ {_brief(after)}", STYLES["added"]


def _sum_up(comparison: Comparison, objects: bool) -> Iterator[str]:
    """Say what follows from the changes."""
    if comparison.objects and not comparison.changes:
        hint = "" if objects else " (--objects lists them)"
        yield f"  the compose file says the same; objects differ: {len(comparison.objects)}{hint}"
    if comparison.restarts:
        yield f"restarts: {_clean(', '.join(comparison.restarts))}"
    removed = {change.name for change in comparison.changes if change.section == "volumes" and not change.path}
    if unused := [name for name in comparison.unused if name not in removed]:
        yield f"volumes without a service: {_clean(', '.join(unused))} ({KEPT})"
    for note in comparison.notes:
        yield f"note: {_clean(note)}"


def _list_objects(comparison: Comparison, width: int) -> Iterator[StyledLine]:
    if comparison.objects:
        yield "objects:", ""
    for changed in comparison.objects:
        yield f"  {MARKS[changed.action]} {changed.kind} {changed.name}", STYLES[changed.action]
        for field in changed.fields:
            yield from fit_field(field.path, field.before, field.after, width)


def fit_field(path: str, before: str | None, after: str | None, width: int) -> Iterator[StyledLine]:
    """Write a field that differs in one line, or in three where a terminal has no room.

    Args:
        path: Which.
        before: What it was; None where there was none.
        after: What it is; None where there is none.
        width: The terminal's columns; 0 for none.
    """
    style = STYLES["added" if before is None else "removed" if after is None else "changed"]
    line = f"      {_clean(path)}  {_value(before, after, '')}"
    if not width or measure(line) <= width:
        yield line, style
        return
    yield f"      {_clean(path)}", style
    yield from _show_ends(before, after, 8)


def _value(before: str | None, after: str | None, value: str) -> str:
    """Write both ends of a change; `value` where they do not tell it."""
    if before is not None and after is not None and before != after:
        return f"{_brief(before)} → {_brief(after)}"
    if before is None and after is not None:
        return "added" if after == SET else f"added: {_brief(after)}"
    if before is not None and after is None:
        return "removed" if before == SET else f"removed: {_brief(before)}"
    return _brief(value or "changed")


def _brief(text: str | None) -> str:
    """Shorten a value to a part of a line."""
    if text is None:
        return "none"
    lines = text.rstrip("\n").count("\n") + 1
    if lines > 1:
        return f"({lines} lines)"
    cleaned = _clean(text.rstrip("\n"))
    return (cleaned if len(cleaned) <= LONGEST else cleaned[:LONGEST] + "…") or '""'


def _clean(text: str) -> str:
    return printable(text.replace("\n", " "))
