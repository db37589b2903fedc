"""What cannot run as asked, all at once."""

from __future__ import annotations

from tycho.chart import keys
from tycho.chart.artifact import Row
from tycho.chart.names import collisions
from tycho.chart.plan import Plan
from tycho.errors import ComposeError, Problem, ReportError
from tycho.model import Woven


def report(plan: Plan) -> tuple[Row, ...]:
    """One row per key in use.

    Raises:
        ComposeError: One or more keys cannot run as asked.
    """
    rows = tuple(keys.rows(plan))
    refuse([Problem(row.file, row.line, row.path, row.reason, row.remedy) for row in rows if row.fate == "rejected"])
    return rows


def refuse(problems: list[Problem]) -> None:
    """Raise for every problem at once."""
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ComposeError(count, problems=problems)


def strictly(rows: tuple[Row, ...]) -> None:
    """Raise for every key whose meaning changes."""
    found = [
        Problem(row.file, row.line, row.path, f"{row.fate}: {row.reason}", row.remedy)
        for row in rows
        if row.fate in ("approximated", "ignored")
    ]
    if found:
        raise ReportError(f"{len(found)} keys change their meaning", problems=found)


def before(woven: Woven) -> None:
    """Problems of names, which planning would trip over."""
    refuse(sorted(collisions(woven.system)))
