"""What `tycho status --watch` shows: a table that is drawn again in a terminal, what has changed in a pipe."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, nullcontext
from itertools import accumulate
from typing import TYPE_CHECKING

from tycho.cli import show, status_tables
from tycho.cli.columns import clean, fit
from tycho.cli.display import can_move, make_console
from tycho.cli.options import StatusFormat
from tycho.errors import ClusterUnreachable, WaitTimeout
from tycho.text import json_text
from tycho.time_limit import LEAST, limit_time

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
Rows = dict[str, dict[Key, Sequence[str]]]
"""By GUID."""


async def watch(
    follow: Callable[[], Looks], output: StatusFormat, *, services: bool, timeout: float, limited: bool
) -> None:
    """Show systems for as long as anybody looks.

    Args:
        follow: Looks at them, from the beginning.
        output: How they are shown.
        services: Whether a row is a service.
        timeout: Seconds until the first look.
        limited: Whether what looks may be told of that: nothing that it begins goes on behind the first look.

    Raises:
        ClusterUnreachable: Nothing answered at all.
        WaitTimeout: Nothing was seen in time.
    """
    with _open_display(output, services=services) as display:
        while True:
            try:
                async with aclosing(follow()) as looks:  # type: ignore[type-var]
                    with limit_time(timeout) if limited else nullcontext():
                        first = await _take_first(looks, timeout)
                    display.draw(first)
                    async for releases in looks:
                        display.draw(releases)
            except (ClusterUnreachable, WaitTimeout) as error:
                if not display.drawn:
                    raise
                display.miss(error.message)
                await asyncio.sleep(AGAIN)


async def _take_first(looks: Looks, timeout: float) -> Sequence[Release]:
    """Wait for the first look.

    Raises:
        WaitTimeout: It does not come in time.
    """
    try:
        async with asyncio.timeout(timeout + LEAST):
            return await anext(looks)
    except TimeoutError:
        hint = "`tycho doctor` says what answers, and what does not"
        raise WaitTimeout(f"the time is over, and nothing is known yet: {timeout:g} s", hint=hint) from None


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

        size, releases = shutil.get_terminal_size(), self._releases
        room, by_service = max(2, size.lines - 2), has_service_rows(self._output, services=self._services)
        counts = [len(release.services) if by_service else 1 for release in releases]
        # What there is no room for is not laid out: there may be thousands.
        enough = sum(before < room for before in accumulate(counts, initial=0))
        columns, rows = list_rows(releases[:enough], self._output, services=self._services, among=releases)
        lines = fit(columns, rows, size.columns, flat=True) if rows else [Text("None running")]
        if (count := sum(counts) + 1) > room and rows:
            lines = [*lines[: room - 1], Text(f"and {count - room + 1} more", "dim")]
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
        self._seen: dict[str, tuple[Release, dict[Key, Sequence[str]]]] = {}  # by GUID: the look, and its rows
        self._widths: list[int] = []
        self._missed = False
        self.drawn = False

    def draw(self, releases: Sequence[Release]) -> None:
        """Write what is another than at the look before."""
        self._missed, before = False, self._seen
        # Of thousands of systems few have changed, and the others are the same objects.
        changed = [
            release
            for release in releases
            if (seen := before.get(release.identity.guid)) is None or seen[0] is not release
        ]
        rows = self._write_structured(changed) if self._output in STRUCTURED else self._write_table(changed, releases)
        now = {release.identity.guid: release for release in releases}
        self._seen = {guid: (release, rows[guid] if guid in rows else before[guid][1]) for guid, release in now.items()}
        for guid in (guid for guid in before if guid not in now or guid in rows):
            for key in before[guid][1].keys() - rows.get(guid, {}).keys():
                show.info(f"{' '.join(key[1:])} is gone")
        self.drawn = True
        show.flush()

    def miss(self, reason: str) -> None:
        """Say once that nothing answers."""
        if not self._missed:
            show.info(f"{reason}; trying again")
        self._missed = True

    def _find(self, key: Key) -> Sequence[str] | None:
        """Find a row as it was written last."""
        seen = self._seen.get(key[0])
        return seen[1].get(key) if seen else None

    def _write_structured(self, releases: Sequence[Release]) -> Rows:
        from tycho.cli.yaml_output import dump
        from tycho.wire import to_system

        rows: Rows = {}
        for release in releases:
            system, key = to_system(release).model_dump(mode="json"), (release.identity.guid, release.identity.name)
            row = (json_text(system),)
            rows[release.identity.guid] = {key: row}
            if self._find(key) != row:
                show.emit(row[0] if self._output is StatusFormat.json else f"---\n{dump(system)}".rstrip())
        return rows

    def _write_table(self, releases: Sequence[Release], among: Sequence[Release]) -> Rows:
        columns, rows = list_rows(releases, self._output, services=self._services, among=among)
        keys: list[Key] = [(release.identity.guid, release.identity.name) for release in releases]
        if has_service_rows(self._output, services=self._services):
            services = [(release, service) for release in releases for service in release.services]
            keys = [(release.identity.guid, release.identity.name, service.name) for release, service in services]
        lasting = [column.title not in COUNTING for column in columns]
        seen: Rows = {release.identity.guid: {} for release in releases}
        changed: list[Sequence[str]] = []
        for key, row in zip(keys, rows, strict=True):
            seen[key[0]][key] = [cell for cell, lasts in zip(row, lasting, strict=True) if lasts]
            if self._find(key) != seen[key[0]][key]:
                changed.append(row)
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


def has_service_rows(output: StatusFormat, *, services: bool) -> bool:
    """Return whether a row is a service."""
    return services or output is StatusFormat.wide


def list_rows(
    releases: Sequence[Release], output: StatusFormat, *, services: bool, among: Sequence[Release]
) -> status_tables.Table:
    """Return the columns of a status of some systems, and the rows of a part of them."""
    if has_service_rows(output, services=services):
        return status_tables.list_services(releases, wide=output is StatusFormat.wide, among=among)
    return status_tables.list_systems(releases, among=among)


@contextmanager
def _open_display(output: StatusFormat, *, services: bool) -> Iterator[Display | Lines]:
    """Open what fits standard output: a table that is drawn again in a terminal, else lines."""
    if not can_move(sys.stdout) or output in STRUCTURED:
        yield Lines(output, services=services)
        return
    from rich.live import Live

    with Live(console=make_console(sys.stdout), auto_refresh=False, vertical_overflow="crop") as live:
        yield Display(live, output, services=services)
