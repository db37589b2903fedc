"""What `tycho status --watch` shows: a table that is drawn again in a terminal, what has changed in a pipe."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING

from tycho.cli import show, status_tables
from tycho.cli.columns import clean, fit
from tycho.cli.display import can_move, make_console
from tycho.cli.options import StatusFormat
from tycho.errors import ClusterUnreachable
from tycho.text import json_text

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

    from tycho.release import Release

AGAIN = 2.0  # seconds until a cluster that does not answer is asked again
COUNTING = ("AGE", "EXPIRES IN")  # columns whose texts change by themselves
STRUCTURED = (StatusFormat.json, StatusFormat.yaml)
Looks = AsyncIterator[Sequence["Release"]]
Key = tuple[str, ...]
"""What tells a row from others: the GUID, and names for people."""


async def watch(follow: Callable[[], Looks], output: StatusFormat, *, services: bool) -> None:
    """Show systems for as long as anybody looks.

    Args:
        follow: Looks at them, from the beginning.
        output: How they are shown.
        services: Whether a row is a service.

    Raises:
        ClusterUnreachable: Nothing answered at all.
    """
    with _open_display(output, services=services) as display:
        while True:
            try:
                async with aclosing(follow()) as looks:  # type: ignore[type-var]
                    async for releases in looks:
                        display.draw(releases)
            except ClusterUnreachable as error:
                if not display.drawn:
                    raise
                display.miss(error.message)
                await asyncio.sleep(AGAIN)


class Display:
    """Shows looks, each in the place of the one before.

    Args:
        live: The part of the terminal that is drawn again.
        output: How systems are shown.
        services: Whether a row is a service.
    """

    def __init__(self, live: Live, output: StatusFormat, *, services: bool) -> None:
        self._live, self._output, self._services = live, output, services
        self._releases: Sequence[Release] = ()
        self.drawn = False

    def draw(self, releases: Sequence[Release]) -> None:
        """Show a look."""
        self.drawn, self._releases = True, releases
        self._live.update(self._lay_out(), refresh=True)

    def miss(self, reason: str) -> None:
        """Show that there is no newer look."""
        self._live.update(self._lay_out(f"{reason}; this is how it was, trying again"), refresh=True)

    def _lay_out(self, note: str = "") -> Group:
        from rich.console import Group
        from rich.text import Text

        size = shutil.get_terminal_size()
        columns, rows = list_rows(self._releases, self._output, services=self._services)
        lines = fit(columns, rows, size.columns, flat=True) if rows else [Text("None running")]
        room = max(2, size.lines - 2)
        if len(lines) > room:
            lines = [*lines[: room - 1], Text(f"and {len(lines) - room + 1} more", "dim")]
        for line in lines:
            line.no_wrap, line.overflow = True, "ignore"
        return Group(*lines, *([Text(note, "yellow", no_wrap=True, overflow="ellipsis")] if note else []))


class Lines:
    """Writes what has changed, a line for each row; JSON is a system a line, YAML a document each.

    Args:
        output: How systems are written.
        services: Whether a row is a service.
    """

    def __init__(self, output: StatusFormat, *, services: bool) -> None:
        self._output, self._services = output, services
        self._seen: dict[Key, Sequence[str]] = {}
        self._widths: list[int] = []
        self._missed = False
        self.drawn = False

    def draw(self, releases: Sequence[Release]) -> None:
        """Write what is another than at the look before."""
        self._missed = False
        rows = self._write_structured(releases) if self._output in STRUCTURED else self._write_table(releases)
        for key in self._seen.keys() - rows.keys():
            show.info(f"{' '.join(key[1:])} is gone")
        self._seen, self.drawn = rows, True
        show.flush()

    def miss(self, reason: str) -> None:
        """Say once that nothing answers."""
        if not self._missed:
            show.info(f"{reason}; trying again")
        self._missed = True

    def _write_structured(self, releases: Sequence[Release]) -> dict[Key, Sequence[str]]:
        from tycho.cli.yaml_output import dump
        from tycho.wire import to_system

        rows: dict[Key, Sequence[str]] = {}
        for release in releases:
            system, key = to_system(release).model_dump(mode="json"), (release.identity.guid, release.identity.name)
            rows[key] = (json_text(system),)
            if self._seen.get(key) != rows[key]:
                show.emit(rows[key][0] if self._output is StatusFormat.json else f"---\n{dump(system)}".rstrip())
        return rows

    def _write_table(self, releases: Sequence[Release]) -> dict[Key, Sequence[str]]:
        columns, rows = list_rows(releases, self._output, services=self._services)
        keys: list[Key] = [(release.identity.guid, release.identity.name) for release in releases]
        if self._services or self._output is StatusFormat.wide:
            services = [(release, service) for release in releases for service in release.services]
            keys = [(release.identity.guid, release.identity.name, service.name) for release, service in services]
        lasting = [column.title not in COUNTING for column in columns]
        seen: dict[Key, Sequence[str]] = {}
        for key, row in zip(keys, rows, strict=True):
            seen[key] = [cell for cell, lasts in zip(row, lasting, strict=True) if lasts]
        changed = [row for key, row in zip(keys, rows, strict=True) if self._seen.get(key) != seen[key]]
        if changed and len(self._widths) != len(columns):
            self._widths = []
            changed = [tuple(column.title for column in columns), *changed]
        if changed:
            cells = clean(changed)
            widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
            self._widths = [max(pair) for pair in zip(widths, self._widths or widths, strict=True)]
            for line in cells:
                show.emit(self._join(line))
        return seen

    def _join(self, row: Sequence[str]) -> str:
        if not self._services and self._output is StatusFormat.table:
            return show.system_line(row)
        return "  ".join(cell.ljust(width) for cell, width in zip(row, self._widths, strict=True)).rstrip()


def list_rows(releases: Sequence[Release], output: StatusFormat, *, services: bool) -> status_tables.Table:
    """Return the columns of a status, and its rows."""
    if output is StatusFormat.wide:
        return status_tables.list_services(releases, wide=True)
    return status_tables.list_services(releases) if services else status_tables.list_systems(releases)


@contextmanager
def _open_display(output: StatusFormat, *, services: bool) -> Iterator[Display | Lines]:
    """Open what fits standard output: a table that is drawn again in a terminal, else lines."""
    if not can_move(sys.stdout) or output in STRUCTURED:
        yield Lines(output, services=services)
        return
    from rich.live import Live

    with Live(console=make_console(sys.stdout), auto_refresh=False, vertical_overflow="crop") as live:
        yield Display(live, output, services=services)
