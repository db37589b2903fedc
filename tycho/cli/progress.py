"""What `up` and `rollback` show while pods become ready: one line a service on stderr, live on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.text import printable

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

    from tycho.orchestrators import Watch
    from tycho.release import Release


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
            self._live.update(self._table(release, now))
            return
        if not self._titled:
            self._titled = True
            show.info(describe_system(release))
        for service in release.services:
            if (line := describe_service(service)) != self._written.get(service.name):
                self._written[service.name] = line
                show.info(f"  {service.name}: {line} ({now:.1f} s)")

    def _table(self, release: Release, now: float) -> Group:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        from tycho.progress import describe_service, describe_system

        rows = Table.grid(padding=(0, 2))
        for service in release.services:
            mark: Text | Spinner = Spinner("dots")
            if service.done or service.fatal:
                mark = Text("✔", "green") if service.done else Text("✘", "red")
            seconds = self._done.get(service.name, now)
            drawn = Text("  ").append_text(mark) if isinstance(mark, Text) else mark
            words = Text(describe_service(service))
            rows.add_row(drawn, Text(printable(service.name)), words, Text(f"{seconds:.1f} s", "dim"))
        return Group(Text(describe_system(release), "bold"), rows)


@contextmanager
def progress(quiet: bool) -> Iterator[Watch]:
    """Yield a watcher for `WaitOptions`: a live table on a terminal, else plain lines."""
    if quiet:
        yield lambda release: None
        return
    if not sys.stderr.isatty():
        yield ProgressPrinter(None)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if not console.is_terminal or console.no_color:
        yield ProgressPrinter(None)
        return
    with Live(console=console, refresh_per_second=10) as live:
        yield ProgressPrinter(live)
