"""What cannot run as asked, all at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from tycho.chart import numbers, room
from tycho.chart.artifact import Row
from tycho.chart.inventory import find_collisions
from tycho.chart.layout import ChartLayout
from tycho.chart.names import collisions
from tycho.chart.outcomes import MOST, ROOM
from tycho.chart.report import list_rows
from tycho.chart.unwritable import find_unwritable
from tycho.errors import ComposeError, Problem, ReportError
from tycho.model import PolicyResult


def report(layout: ChartLayout) -> tuple[Row, ...]:
    """One row per key in use.

    Raises:
        ComposeError: One or more keys cannot run as asked.
    """
    rows = list_rows(layout)
    refused = [row for row in rows if row.outcome == "rejected"]
    problems = [Problem(row.file, row.line, row.path, row.reason, row.remedy) for row in refused]
    refuse(problems + list(_weight(layout)) + list(find_unwritable(layout.system)) + list(find_collisions(layout)))
    return rows


def _weight(layout: ChartLayout) -> Iterator[Problem]:
    """Helm keeps every chart in one Secret: files of the project must leave room."""
    every = {tree.place: {**tree.files, **tree.secrets} for tree in layout.configmaps}
    sizes = {place: sum(len(zlib.compress(content, 1)) for content in files.values()) for place, files in every.items()}
    for tree in layout.configmaps:
        if (size := sum(map(len, every[tree.place].values()))) > MOST:
            message = f"{size >> 10} KiB, and a ConfigMap holds {MOST >> 10}"
            yield Problem(
                *layout.system.at(tree.place), tree.place, message, "copy it into the image, or keep it in a volume"
            )
    if (total := sum(sizes.values())) > ROOM:
        heaviest = max(sizes, key=lambda place: sizes[place])
        yield Problem(
            *layout.system.at(heaviest),
            heaviest,
            f"files of the project are {total >> 10} KiB compressed, {sizes[heaviest] >> 10} of them here;"
            f" a release has room for {ROOM >> 10} KiB",
            "copy them into the image, or keep them in a volume",
        )


def refuse(problems: list[Problem]) -> None:
    """Raise for every problem at once."""
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ComposeError(count, problems=problems)


def strictly(rows: tuple[Row, ...], warnings: tuple[Problem, ...]) -> None:
    """Raise for every key whose meaning changes, and for all that was warned of."""
    found = [
        Problem(row.file, row.line, row.path, f"{row.outcome}: {row.reason}", row.remedy)
        for row in rows
        if row.outcome in ("approximated", "ignored")
    ]
    if found := [*warnings, *found]:
        count = "1 warning" if len(found) == 1 else f"{len(found)} warnings"
        raise ReportError(f"{count}, which --strict takes for errors", problems=found)


def before(policy_result: PolicyResult) -> None:
    """Problems of names, numbers and sizes, which planning would trip over."""
    system = policy_result.system
    refuse(sorted({*room.find_problems(system), *collisions(system), *numbers.find_problems(system)}))
