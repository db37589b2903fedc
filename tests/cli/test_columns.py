"""Tables on terminals of any width."""

from __future__ import annotations

import os

import pytest
from rich.cells import cell_len

from tycho.cli import status_tables
from tycho.cli.columns import Column, fit, paint_ready
from tycho.cli.progress import ProgressPrinter
from tycho.release import Endpoint, Identity, Release, ServiceStatus

GUID = "0123456789abcdef0123456789abcdef"
WHY = 'back-off restarting: exit 1 "could not connect to the database of another project"; its volume is not writable'
END = Endpoint(service="web", ip_address="203.0.113.250", port=32767, target=80, published=8080)


def release(name: str, why: str = "") -> Release:
    identity = Identity(guid=GUID, name=name, release=f"{name[:20]}-01234567", namespace=f"{name[:20]}-01234567")
    service = ServiceStatus(
        name="web" * 20, kind="Deployment", ready=0 if why else 2, wanted=2, restarts=12, why=why, endpoints=(END,),
        image="registry.example.org/team/project/web@sha256:" + "0" * 64, nodes=("node-1.example.org",), done=not why,
    )  # fmt: skip
    return Release(identity=identity, revision=12, services=(service,))


RELEASES = [release("shop"), release("a-project-of-a-very-long-name" * 2, WHY), release("日本語のプロジェクト" * 4)]
TABLES = [
    status_tables.list_systems(RELEASES),
    status_tables.list_services(RELEASES),
    status_tables.list_services(RELEASES, wide=True),
]


@pytest.mark.parametrize("width", [80, 100, 160, 240])
@pytest.mark.parametrize(("columns", "rows"), TABLES, ids=["systems", "services", "wide"])
def test_a_row_is_a_line(columns: tuple[Column, ...], rows: list[tuple[str, ...]], width: int) -> None:
    lines = fit(columns, rows, width, flat=True)
    assert len(lines) == len(rows) + 1
    assert max(cell_len(line.plain) for line in lines) <= width


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_guid_is_whole(width: int) -> None:
    _, *lines = fit(*TABLES[0], width)
    assert [GUID in line.plain for line in lines] == [True] * 3


def test_room_is_used() -> None:
    """At first all columns, then the whole of the texts: the reason first."""
    titles = [fit(*TABLES[2], width)[0].plain.split() for width in (80, 160, 500)]
    assert titles[0] == ["SYSTEM", "SERVICE", "READY", "WHY"]
    assert titles[1] == ["SYSTEM", "SERVICE", "READY", "RESTARTS", "IMAGE", "AGE", "USER", "ADDRESS", "WHY"]
    assert titles[2] == [column.title for column in TABLES[2][0]]
    assert WHY in fit(*TABLES[2], 500)[2].plain
    assert "…" in fit(*TABLES[2], 160)[2].plain
    assert "…" not in "".join(line.plain for line in fit(*TABLES[1], 500))


def test_a_reason_goes_on_below_itself() -> None:
    _, _, first, *more, last = fit(*TABLES[1], 80)
    place = first.plain.index("back-off")
    assert [line.plain[:place].strip() for line in more] == [""] * len(more)
    assert WHY.split() == [word for line in (first, *more) for word in line.plain[place:].split()]
    assert last.plain.startswith("日本語")


def test_states_have_colours() -> None:
    cells = ("2/2", "2/2 (1 stopped)", "1/2", "paused", "stopped", "failed", "lost")
    assert [paint_ready(text) for text in cells] == ["green"] * 2 + ["yellow"] * 3 + ["red"] * 2
    shown = fit(*TABLES[0], 80)[1]
    assert "green" in {str(span.style) for span in shown.spans}


def test_progress_is_a_line_for_each_service() -> None:
    """Names, reasons and the title are shortened; the seconds are not."""
    from rich.console import Console
    from rich.live import Live

    for width in (60, 80, 160):
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            console = Console(width=width, record=True, file=nowhere)
            progress = ProgressPrinter(live := Live(console=console))
            for look in RELEASES:
                progress(look)
                console.print(live.renderable)
        lines = console.export_text().splitlines()
        assert len(lines) == 2 * len(RELEASES)
        assert [line.rstrip().endswith(" s") for line in lines[1::2]] == [True] * len(RELEASES)
        assert max(map(cell_len, lines)) <= width
