"""What `up` and `rollback` show while pods become ready: one line a service on stderr, live on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.columns import GAP, Column, choose_widths
from tycho.cli.display import has_colours, make_console
from tycho.text import printable

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

    from tycho.orchestrators import Watch
    from tycho.release import Release

COLUMNS = (Column(""), Column("", least=8, enough=20), Column("", least=16, enough=40), Column(""))
"""A mark, the service, how far it is, and for how long."""


class ProgressPrinter:
    """Turns looks at a release into lines; in a pipe only changes are written.

    Args:
        live: A terminal's display, or None for plain lines.
    """

    def __init__(self, live: Live | None) -> None:
        self._live = live
        self._began = time.monotonic()
        self._done: dict[str, float] = {}
        self._written: dict[str, str] = {}
        self._titled = False

    def __call__(self, release: Release) -> None:
        """Show one more look."""
        from tycho.progress import describe_service, describe_system

        now = time.monotonic() - self._began
        for service in release.services:
            if service.done:
                self._done.setdefault(service.name, now)
            else:
                self._done.pop(service.name, None)
        if self._live:
            self._live.transient = False
            self._live.update(self._table(self._live, release, now))
            return
        if not self._titled:
            self._titled = True
            show.info(describe_system(release))
        for service in release.services:
            if (line := describe_service(service)) != self._written.get(service.name):
                self._written[service.name] = line
                show.info(f"  {service.name}: {line} ({now:.1f} s)")

    def _table(self, live: Live, release: Release, now: float) -> Group:
        """Lay out a line for each service, however narrow the terminal is."""
        from rich.cells import cell_len
        from rich.console import Group
        from rich.padding import Padding
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        from tycho.progress import describe_service, describe_system

        texts = [
            ("  ✔", printable(service.name), describe_service(service), f"{self._done.get(service.name, now):.1f} s")
            for service in release.services
        ]
        natural = [max(map(cell_len, column)) for column in zip(*texts, strict=True)] or [0] * len(COLUMNS)
        rows = Table.grid(padding=(0, len(GAP)))
        for width in choose_widths(COLUMNS, natural, live.console.width).values():
            rows.add_column(width=width, no_wrap=True, overflow="ellipsis")
        for service, (_, name, words, seconds) in zip(release.services, texts, strict=True):
            mark: Text | Padding = Padding(Spinner("dots"), (0, 0, 0, 2))
            if service.done or service.fatal:
                mark = Text("  ✔", "green") if service.done else Text("  ✘", "red")
            rows.add_row(mark, Text(name), Text(words), Text(seconds, "dim"))
        return Group(Text(describe_system(release), "bold", no_wrap=True, overflow="ellipsis"), rows)


@contextmanager
def progress(quiet: bool) -> Iterator[Watch]:
    """Yield a watcher for `WaitOptions`: a live table on a terminal, else plain lines."""
    if quiet:
        yield lambda release: None
        return
    if not has_colours(sys.stderr):
        yield ProgressPrinter(None)
        return
    from rich.live import Live

    # Transient until there is something to draw: the end of an empty display would be an empty line.
    with Live(console=make_console(sys.stderr), refresh_per_second=10, transient=True) as live:
        yield ProgressPrinter(live)
