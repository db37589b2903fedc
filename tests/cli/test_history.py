"""`tycho history` as a terminal of 80 columns has it: a row for each revision, and what it changed below."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tycho.cli.histories import MOST, emit_history
from tycho.release import Origin, Revision

IMAGE = "registry.example.org/a-team-with-a-long-name/a-service-with-a-long-name"
LONG = Revision(
    revision=2,
    state="superseded",
    updated=datetime(2026, 11, 20, 14, 2, tzinfo=UTC),
    description='Upgrade "shop-1a2b3c4d" failed: an error with a text that goes on and on',
    username="somebody.with.a.long.name@example.org",
    changes=(f"web: image {IMAGE}:1 → {IMAGE}:2", *(f"web: environment.V{number} a → b" for number in range(MOST))),
)
FIRST = Revision(
    revision=1, state="deployed", origin=Origin(user="ada", host="laptop", folder="/shop", project="shop"),
    description="Install complete",
)  # fmt: skip


@pytest.mark.parametrize("columns", [80, 160])
def test_long_names_break_no_row(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    emit_history([FIRST, LONG])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > columns and " " in line.strip()] == []
    assert [line.split()[0] for line in lines if line[0] != " "] == ["REVISION", "1", "2"]
    assert "ada" in lines[1]
    assert "somebody.with.." in lines[2]
    assert lines[-1] == "     and 1 more (-o json lists them)"


def test_a_pipe_has_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    emit_history([FIRST, LONG])
    out = capsys.readouterr().out
    assert out.splitlines()[3] == f"     {LONG.changes[0]}"
    assert LONG.description in out
