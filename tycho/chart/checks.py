"""Check a project, and raise every problem at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from tycho.chart import limits, numbers
from tycho.chart.chart import ReportEntry
from tycho.chart.control_characters import find_control_characters
from tycho.chart.inventory import find_collisions
from tycho.chart.layout import ChartLayout
from tycho.chart.mount_kinds import CONFIGMAP_LIMIT, FILES_LIMIT
from tycho.chart.names import find_name_collisions
from tycho.chart.report import list_rows
from tycho.errors import ComposeError, Problem, ReportError
from tycho.model import PolicyResult
from tycho.text import count


def list_report(layout: ChartLayout) -> tuple[ReportEntry, ...]:
    """Build the report: an entry for each key in use.

    Raises:
        ComposeError: One or more keys cannot run as asked.
    """
    rows = list_rows(layout)
    refused = [row for row in rows if row.outcome == "rejected"]
    problems = [Problem(row.file, row.line, row.path, row.reason, row.remedy) for row in refused]
    raise_problems(
        problems
        + list(_find_oversized(layout))
        + list(find_control_characters(layout.system))
        + list(find_collisions(layout))
    )
    return rows


def _find_oversized(layout: ChartLayout) -> Iterator[Problem]:
    """Find files that do not fit into a ConfigMap, or together into the Secret in which Helm stores a release."""
    files_by_place = {tree.place: {**tree.files, **tree.secrets} for tree in layout.configmaps}
    sizes = {
        place: sum(len(zlib.compress(content, 1)) for content in files.values())
        for place, files in files_by_place.items()
    }
    for tree in layout.configmaps:
        if (size := sum(map(len, files_by_place[tree.place].values()))) > CONFIGMAP_LIMIT:
            message = f"{size >> 10} KiB is more than a ConfigMap can hold ({CONFIGMAP_LIMIT >> 10} KiB)"
            yield layout.system.make_problem(tree.place, message, "copy it into the image, or keep it in a volume")
    if (total := sum(sizes.values())) > FILES_LIMIT:
        heaviest = max(sizes, key=lambda place: sizes[place])
        message = (
            f"the project's files are {total >> 10} KiB compressed, {sizes[heaviest] >> 10} KiB of them here:"
            f" more than {FILES_LIMIT >> 10} KiB"
        )
        yield layout.system.make_problem(heaviest, message, "copy them into the image, or keep them in a volume")


def raise_problems(problems: list[Problem]) -> None:
    """Raise for every problem at once."""
    if problems:
        raise ComposeError(count(len(problems), "problem"), problems=problems)


def raise_if_changed(rows: tuple[ReportEntry, ...], warnings: tuple[Problem, ...]) -> None:
    """Raise for every key whose meaning changes, and for every warning."""
    problems = [
        Problem(row.file, row.line, row.path, f"{row.outcome}: {row.reason}", row.remedy)
        for row in rows
        if row.outcome in ("approximated", "ignored")
    ]
    if problems := [*warnings, *problems]:
        number = count(len(problems), "warning")
        raise ReportError(f"{number}, which are errors with --strict", problems=problems)


def check_project(policy_result: PolicyResult) -> None:
    """Raise for names, numbers and sizes that no chart can hold, before its layout is decided."""
    system = policy_result.system
    raise_problems(
        sorted({*limits.find_exceeded(system), *find_name_collisions(system), *numbers.find_invalid_numbers(system)})
    )
