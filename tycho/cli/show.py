"""What a user sees: tables and data on stdout, errors and remarks on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tycho.cli import display, status_tables
from tycho.cli.columns import GAP, Column, fit, fold_rows, write_lines
from tycho.cli.options import Format, StatusFormat
from tycho.errors import FileError, Problem, TychoError
from tycho.text import json_text, log_line, printable, safe_message

if TYPE_CHECKING:
    from tycho.chart import ReportEntry
    from tycho.orchestrators import Artifact
    from tycho.policy import Step
    from tycho.release import Release

NONE = "--"
WIDEST_PLACE = 0.4  # of a terminal, that the places of problems may take at the left
STATUS = "{:<30} {:<35} {:<15} {:<7} {:<9} {:<29} {:<12} {}"
WITHOUT_EXPIRES = 8  # cells of a row where no system's time ends
EXPIRES = "{:<20} "  # before the services, where any system's time ends


def emit(text: str, style: str = "") -> None:
    """Write a line of data: as it is for a program, printable for a terminal, and in a colour where it has them.

    Raises:
        FileError: It cannot be written.
    """
    _write(display.paint(printable(text), style, sys.stdout) if sys.stdout.isatty() else text)


def log(line: str) -> None:
    """Write a line of a container's log: as it is for a program; on a terminal it may have colours, and no more."""
    _write(log_line(line) if sys.stdout.isatty() else line)


def _write(line: str) -> None:
    try:
        sys.stdout.write(line + "\n")
    except UnicodeEncodeError:  # a file's name that is no text, or a terminal that knows few characters
        encoding = sys.stdout.encoding
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileError(f"standard output cannot be written: {error.strerror}") from error


def flush() -> None:
    """See the data on its way; whoever reads the other end of a pipe follows, too."""
    sys.stdout.flush()


def info(text: str, style: str = "", hang: str | None = None) -> None:
    """Write a line for the reader, not for a program: printable, without credentials, whether or not he reads it.

    Args:
        text: The line; one that is wider than the terminal is folded.
        style: Its colour, where the terminal has them.
        hang: What stands before a folded line that goes on; see `display.fold`.
    """
    lines = display.fold(safe_message(text), display.find_width(sys.stderr), hang)
    with contextlib.suppress(OSError):
        sys.stderr.write("".join(f"{display.paint(line, style, sys.stderr)}\n" for line in lines))


def structured(value: Any, format: Format) -> None:
    """Write structured data, as JSON or YAML."""
    if format is Format.json:
        emit(json_text(value, indent=2))
        return
    from tycho.cli.yaml_output import dump

    emit(dump(value))


def status(releases: Sequence[Release], format: Format | StatusFormat = Format.table) -> None:
    """Write a row for each system; its address is that of its first published service.

    In a pipe the first four columns are fixed in place and width: scripts read them.
    """
    if format.value in ("json", "yaml"):
        from tycho.wire import to_system

        return structured([to_system(release).model_dump(mode="json") for release in releases], Format(format.value))
    if not releases:
        return emit("None running")
    if format is StatusFormat.wide:
        fitted(*status_tables.list_services(releases, wide=True))
    elif sys.stdout.isatty():
        fitted(*status_tables.list_systems(releases))
    else:
        columns, rows = status_tables.list_systems(releases)
        for row in ([column.title for column in columns], *rows):
            emit(system_line(row))
    kept(releases)
    simulated(releases)


def system_line(row: Sequence[str]) -> str:
    """Return the row of a system as it is in a pipe."""
    name, *cells, services = map(printable, row)
    expires = EXPIRES.format(cells.pop()) if len(row) > WITHOUT_EXPIRES else ""
    return STATUS.format(name if len(name) <= 28 else name[:26] + "..", *cells, expires + services).rstrip()


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Write a table: on a terminal a line for each row, in a pipe all that there is."""
    if width := display.find_width(sys.stdout):
        return write_lines(fit(columns, rows, width))
    return table([[column.title for column in columns], *rows])


def kept(releases: Iterable[Release]) -> None:
    """Say of systems that are gone which volumes were kept, and what to do with them."""
    for release in releases:
        if release.state == "kept":
            names = ", ".join(release.volumes)
            info(f"note: {release.identity.name} does not run; its volumes are kept: {names}"
                f" (`tycho up` uses them, `tycho down {release.identity.guid[:8]}` deletes them)")  # fmt: skip


def simulated(releases: Iterable[Release]) -> None:
    """Say plainly when nothing really runs."""
    if any(release.simulated for release in releases):
        info("note: the node is simulated: objects are real, containers do not run, and no port answers")


def services(releases: Sequence[Release]) -> None:
    """Write a row for each service: its state, its address, and why it is not ready."""
    if not releases:
        return emit("None running")
    columns, rows = status_tables.list_services(releases)
    if rows:
        fitted(columns, rows)
    kept(releases)
    simulated(releases)


def table(rows: Sequence[Sequence[str]], write: Callable[[str], None] = emit) -> None:
    """Write columns as wide as their widest cell; the last one is free, and folded where a terminal has no room."""
    shown = [[safe_message(cell).replace("\n", " ") for cell in row] for row in rows]
    for lines in fold_rows(shown, display.find_width(sys.stdout if write is emit else sys.stderr)):
        for line in lines:
            write(line)


def problems(*groups: Iterable[Problem]) -> None:
    """Write each problem with its place, and its hint below; a long place has a line of its own on a terminal.

    Args:
        groups: Problems; those of a group are sorted by their place.
    """
    listed = [problem for group in groups for problem in sorted(group)]
    width = max((len(printable(problem.place)) for problem in listed), default=0)
    columns = display.find_width(sys.stderr)
    above = bool(columns) and width > columns * WIDEST_PLACE
    blank = " " * (0 if above else width) + GAP
    for problem in listed:
        path = f"{problem.path}: " if problem.path else ""
        first, *continued = f"{path}{problem.message}".split("\n")
        place = printable(problem.place)
        if above and place:
            info(place)
        info(blank + first if above else f"{place.ljust(width)}{GAP}{first}", hang=blank + GAP)
        for line in continued:
            info(blank + line, hang=blank + GAP)
        if problem.hint:
            info(f"{blank}hint: {problem.hint}")


def report(rows: Sequence[ReportEntry], write: Callable[[str], None]) -> None:
    """Write the result of each key, and its remedy."""
    if not rows:
        return write("every key keeps its meaning")
    lines = [("WHERE", "KEY", "RESULT", "BECOMES", "WHY")]
    for row in rows:
        place = f"{row.file}:{row.line}" if row.file else NONE
        why = f"{row.reason}; {row.remedy}" if row.remedy else row.reason
        lines.append((place, row.path, row.outcome, row.target or NONE, why))
    table(lines, write)


def steps(policy_steps: Iterable[Step], format: Format = Format.table) -> None:
    """Write the steps of each policy: services that it applies to, keys that it changed, and keys that it refuses."""
    applied = [step for step in policy_steps if step.matched]
    if format is not Format.table:
        return structured([_plain_step(step) for step in applied], format)
    rows = [("POLICY", "APPLIES TO", "CHANGES")]
    for step in applied:
        changes = [path.removeprefix(f"{step.subject}.") for path in step.changes]
        changes += [f"refuses {path.removeprefix(f'{step.subject}.')}" for path in step.denied]
        rows.append((step.policy, step.subject or "the system", ", ".join(changes) or NONE))
    table(rows)
    if any(step.denied for step in applied):
        info("refused: `tycho compile` without --explain says why, and what to do")


def _plain_step(step: Step) -> dict[str, Any]:
    denied = {"denied": list(step.denied)} if step.denied else {}
    return {"policy": step.policy, "subject": step.subject, "changes": list(step.changes), **denied}


def remarks(chart: Artifact, release: Release) -> None:
    """Write the remarks of `up` besides the release: settings that work differently, and notes."""
    changed = [row for row in chart.report if row.outcome != "translated"]
    if changed:
        settings = "1 setting works" if len(changed) == 1 else f"{len(changed)} settings work"
        them = "it" if len(changed) == 1 else "them"
        info(
            f"{changed[0].file or chart.name}: {settings} differently on {chart.platform}; `tycho compile` shows {them}"
        )
    notes(release)


def notes(release: Release) -> None:
    """Write the notes of a verb."""
    for note in release.notes:
        info(note)


def error(error: TychoError) -> None:
    """Write an error with its warnings, problems and hint."""
    warnings = [replace(warning, message=f"warning: {warning.message}") for warning in error.warnings]
    problems(warnings, error.problems)
    if error.problems:
        info(f"{error.message}; nothing was changed.")
        return
    info(f"{error.message} ({error.local})" if error.local else error.message)
    for line in error.hint.splitlines():
        info(f"  hint: {line}")
