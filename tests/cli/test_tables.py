"""Every table on every terminal: no row is wider than it, and what a reader decides by is whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tycho.cli import comparisons, events, histories, images, status_tables
from tycho.cli.columns import Column, fit, fold_rows
from tycho.cli.display import measure, split_words
from tycho.comparison import Change, Comparison
from tycho.expiry import Expiry
from tycho.release import Endpoint, Identity, Release, Revision, ServiceStatus

NOW = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
WIDTHS = st.integers(60, 200)
NAMES = st.sampled_from(["web", "a-project-of-a-long-name", "n" * 63, "日本語のサービス"])
IMAGES = st.sampled_from(["nginx:1", "registry.example.org/" + "team/" * 33 + "image:1.2.3", "x@sha256:" + "0" * 64])
ADDRESSES = st.sampled_from(["10.0.0.1", "2001:db8:85a3:1234:5678:8a2e:370:7334", "a" * 60 + ".elb.example.org"])
REASONS = st.sampled_from(["", 'exit 1 "no"', "the image cannot be pulled (" + "r" * 150 + "): no", "word " * 60])
STATES = st.sampled_from(["deployed", "paused", "pending", "failed", "uninstalling", "lost"])


@st.composite
def make_services(draw: st.DrawFn) -> ServiceStatus:
    stopped, why, name = draw(st.booleans()), draw(REASONS), draw(NAMES)
    ends = [Endpoint(service=name, ip_address=draw(ADDRESSES), port=32767, target=80, published=8080)]
    return ServiceStatus(
        name=name, kind="StatefulSet", ready=0, wanted=0 if stopped else 12, restarts=1234, why=why, done=not why,
        stopped=stopped, image=draw(IMAGES), nodes=("node-1.example.org", "node-2.example.org"),
        endpoints=tuple(ends * draw(st.integers(0, 2))),
        url=draw(st.sampled_from(["", "https://shop-0123456789abcdef.apps.example.org/"])),
    )  # fmt: skip


@st.composite
def make_releases(draw: st.DrawFn) -> Release:
    name = draw(NAMES)
    identity = Identity(
        guid="0123456789abcdef" * 2, name=name, release="shop-01234567", namespace=f"{name[:50]}-01234567",
        username=draw(st.sampled_from(["", "ada", "u" * 63])),
    )  # fmt: skip
    ttl = draw(st.sampled_from([0, 28_800, 604_800 + 86_340]))
    expiry = Expiry(ttl=ttl, idle=draw(st.sampled_from([0, 7_200, 86_340])), started=NOW - timedelta(seconds=61))
    state = draw(STATES)
    return Release.model_validate(
        {
            "identity": identity, "revision": 123, "state": state, "paused": state == "paused",
            "created": NOW - timedelta(days=500), "expiry": expiry if expiry.end else None,
            "services": draw(st.lists(make_services(), max_size=4)),
        }
    )  # fmt: skip


def read_cells(columns: list[Column], row: tuple[str, ...], title: str) -> str:
    return dict(zip([column.title for column in columns], row, strict=True)).get(title, "")


@given(st.lists(make_releases(), min_size=1, max_size=3), WIDTHS, st.booleans())
def test_a_status_fits_and_hides_no_state(releases: list[Release], width: int, flat: bool) -> None:
    for columns, rows in (
        status_tables.list_systems(releases, NOW),
        status_tables.list_services(releases, now=NOW),
        status_tables.list_services(releases, wide=True, now=NOW),
    ):
        head, *lines = fit(columns, rows, width, flat=flat)
        assert max(measure(line.plain) for line in (head, *lines)) <= width
        begins = [line.plain for line in lines if not line.plain.startswith("      ")]
        assert len(begins) == len(rows)
        for row, line in zip(rows, begins, strict=True):
            assert f" {read_cells([*columns], row, 'READY')} " in f"{line} "
            guid = read_cells([*columns], row, "GUID")
            assert guid in line or "GUID" not in head.plain
            if guid:
                assert read_cells([*columns], row, "EXPIRES IN") in line
                assert "GUID" in head.plain or width < 80
                assert ("PORT" in head.plain) == ("IP_ADDRESS" in head.plain)
                assert all(
                    read_cells([*columns], row, title) in line for title in ("IP_ADDRESS",) if title in head.plain
                )


@given(st.lists(st.tuples(NAMES, NAMES, IMAGES, st.just("sha256:0123"), st.just("sha256:4567"), REASONS)), WIDTHS)
def test_checks_of_images_fit(rows: list[tuple[str, ...]], width: int) -> None:
    assert max(measure(line.plain) for line in fit(images.COLUMNS, rows, width)) <= width


def is_one_word(line: str) -> bool:
    """Tell whether a line holds one word that may be wider than a terminal: a reference, a path."""
    return len(split_words(line.strip(" →~+-"))) == 1


@given(st.lists(st.tuples(st.just("14:02:31"), NAMES, IMAGES, st.just("ExternalProvisioning"), REASONS)), WIDTHS)
def test_events_fit(rows: list[tuple[str, ...]], width: int) -> None:
    lines = [line.plain for line in fit(events.COLUMNS, rows, width)]
    assert max(map(measure, lines)) <= width
    assert sum("ExternalProvisioning" in line for line in lines) == len(rows)


@given(st.lists(st.tuples(NAMES, IMAGES, REASONS), min_size=1), WIDTHS)
def test_rows_whose_last_cell_is_free_fit(rows: list[tuple[str, ...]], width: int) -> None:
    for lines in fold_rows([("SERVICE", "IMAGE", "WHY"), *rows], width):
        assert [line for line in lines if measure(line) > width and not is_one_word(line)] == []


@given(st.lists(st.tuples(NAMES, IMAGES, IMAGES), min_size=1), WIDTHS)
def test_a_comparison_fits(changes: list[tuple[str, str, str]], width: int) -> None:
    comparison = Comparison(
        name="shop", revision=3, restarts=tuple(name for name, _, _ in changes),
        changes=tuple(
            Change(action="changed", section="services", name=name, path="image", before=before, after=after)
            for name, before, after in changes
        ),
    )  # fmt: skip
    lines: list[str] = []
    comparisons.write_comparison(comparison, lambda line, style: lines.append(line), width, objects=False)
    assert [line for line in lines if measure(line) > width and not is_one_word(line)] == []


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_history_shows_the_whole_reason(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    why = 'Upgrade "shop-1a2b3c4d" failed: ' + "an error with a text that goes on and on " * 4 + "to its end"
    histories.emit_history(
        [Revision(revision=123, state="superseded", updated=NOW, description=why, username="u" * 63)]
    )
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert why.split()[-3:] == out.split()[-3:]
