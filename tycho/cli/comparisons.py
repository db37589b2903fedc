"""How comparisons are written: a line for each change in Compose's words, objects below where they are asked for."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.options import Format
from tycho.text import printable

if TYPE_CHECKING:
    from tycho.comparison import Change, Comparison

MARKS = {"added": "+", "removed": "-", "changed": "~"}
WIDEST = (24, 32, 40)  # columns of a name, of a key and of a value that the others are aligned to
LONGEST = 200  # characters of a value in a line
KEPT = "kept until `tycho down`"
Row = tuple[str, str, str, str]  # name, key, value, effect


def emit_comparison(comparison: Comparison, format: Format = Format.table, *, objects: bool = False) -> None:
    """Write a comparison to stdout.

    Args:
        comparison: What to write.
        format: As lines, or as data: then objects are always among it.
        objects: Whether to write them, too.
    """
    if format is not Format.table:
        return show.structured(comparison.model_dump(mode="json"), format)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    _write(comparison, show.emit, width, objects=objects)


def tell_comparison(comparison: Comparison) -> None:
    """Write a comparison to stderr, for who is about to change something."""
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else 0
    _write(comparison, show.info, width, objects=False)


def _write(comparison: Comparison, write: Callable[[str], None], width: int, *, objects: bool) -> None:
    name, revision = comparison.name, comparison.revision
    if comparison.empty:
        same = "is up to date" if not comparison.target else f"is what revision {comparison.target} is"
        return write(f"{name} {same} (revision {revision})")
    target = comparison.target or revision + 1
    write(f"{name} (revision {revision} → {target})" if revision else f"{name} (new)")
    rows = [(MARKS[change.action], change, _describe(change, comparison)) for change in comparison.changes]
    keyed = [row for _, _, row in rows if row[1]]
    columns = ([row[0] for _, _, row in rows], [row[1] for row in keyed], [row[2] for row in keyed])
    widths = [min(max(map(len, cells), default=0), most) for cells, most in zip(columns, WIDEST, strict=True)]
    for mark, change, row in rows:
        for line in _fit(mark, change, row, widths, width):
            write(line)
    for line in _sum_up(comparison, objects):
        write(line)
    if objects:
        for line in _list_objects(comparison, width):
            write(line)


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


def _fit(mark: str, change: Change, row: Row, widths: list[int], width: int) -> Iterator[str]:
    """Write a row in one line; where a terminal has no room for it, its value stands below."""
    name, key, value, effect = row
    if not key:
        yield f"  {mark} {name.ljust(widths[0])}  {value}  {effect}".rstrip()
        return
    columns = [cell.ljust(column) for cell, column in zip((name, key, value), widths, strict=True) if column]
    line = f"  {mark} {'  '.join((*columns, effect)).rstrip()}"
    if not width or len(line) <= width:
        yield line
        return
    head = "  ".join(filter(None, (name, key, effect)))
    if len(head) + 4 <= width:
        yield f"  {mark} {head}"
    else:
        yield f"  {mark} {name}"
        yield f"      {key}  {effect}".rstrip()
    if change.action == "changed" and change.before != change.after:
        yield f"      {_brief(change.before)}"
        yield f"    → {_brief(change.after)}"
    else:
        yield f"      {value}"


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


def _list_objects(comparison: Comparison, width: int) -> Iterator[str]:
    if comparison.objects:
        yield "objects:"
    for changed in comparison.objects:
        yield f"  {MARKS[changed.action]} {changed.kind} {changed.name}"
        for field in changed.fields:
            yield from fit_field(field.path, field.before, field.after, width)


def fit_field(path: str, before: str | None, after: str | None, width: int) -> Iterator[str]:
    """Write a field that differs in one line, or in three where a terminal has no room.

    Args:
        path: Which.
        before: What it was; None where there was none.
        after: What it is; None where there is none.
        width: The terminal's columns; 0 for none.
    """
    line = f"      {_clean(path)}  {_value(before, after, '')}"
    if not width or len(line) <= width:
        yield line
        return
    yield f"      {_clean(path)}"
    yield f"          {_brief(before)}"
    yield f"        → {_brief(after)}"


def _value(before: str | None, after: str | None, value: str) -> str:
    """Write both ends of a change; `value` where they do not tell it."""
    if before is not None and after is not None and before != after:
        return f"{_brief(before)} → {_brief(after)}"
    if before is None and after is not None:
        return f"added: {_brief(after)}"
    if before is not None and after is None:
        return f"removed: {_brief(before)}"
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
