"""How lines of logs are written: in a pipe, and on a terminal with and without colours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.screen import open_screen
from tycho.cli.log_lines import COLOURS, Painter, find_service
from tycho.cli.remote_tracking import align_lines

LINES = ["web-5d8f7c9b6-x2x4z  hello", "db-0  a | b", "web-5d8f7c9b6-2bcdf  \x1b[31mred\x1b[2J", "web-a/side  "]
PROGRAM = """
import sys
from tycho.cli.display import forgo_colours
from tycho.cli.logs import choose_writer
from tycho.cli.remote_tracking import align_lines
lines = sys.argv[2:]
if "color" in sys.argv[1]:
    forgo_colours()
write, aligned = choose_writer(no_log_prefix="prefix" in sys.argv[1])
for line in align_lines(lines) if aligned else lines:
    write(line)
"""


def test_names_have_one_width() -> None:
    aligned = align_lines(LINES)
    assert {line.index(" | ") for line in aligned} == {len("web-5d8f7c9b6-x2x4z")}
    assert [line.partition(" | ")[2] for line in aligned] == ["hello", "a | b", "\x1b[31mred\x1b[2J", ""]


def test_each_service_has_a_colour() -> None:
    """All pods of a service have the same; after the last colour comes the first."""
    painter = Painter()
    colours = [painter.paint(line).partition("m")[0] for line in align_lines(LINES)]
    assert colours == ["\x1b[36", "\x1b[33", "\x1b[36", "\x1b[32"]
    many = [painter.paint(f"service-{letter} | x").partition("m")[0] for letter in "abcdefghij"]
    assert len({*many}) == len(COLOURS)
    assert painter.paint("no name") == "no name"


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("shop-1a2b3c4d-api-tests-5d8f7c9b6-x2x4z", "shop-1a2b3c4d-api-tests"),
        ("shop-web-12", "shop-web"),
        ("web", "web"),
    ],
)
def test_a_name_tells_its_service(name: str, service: str) -> None:
    assert find_service(name) == service


@pytest.mark.parametrize(
    ("options", "more", "first", "third"),
    [
        ("", {}, "\x1b[36mweb-5d8f7c9b6-x2x4z | \x1b[0mhello\x1b[0m", "\x1b[0m\x1b[31mred\\x1b[2J\x1b[0m"),
        ("color", {}, "web-5d8f7c9b6-x2x4z | hello", " | \x1b[31mred\\x1b[2J\x1b[0m"),
        ("", {"NO_COLOR": "1"}, "web-5d8f7c9b6-x2x4z | hello", " | \x1b[31mred\\x1b[2J\x1b[0m"),
        ("prefix", {}, "hello", "\x1b[31mred\\x1b[2J\x1b[0m"),
    ],
    ids=["coloured", "--no-color", "NO_COLOR", "--no-log-prefix"],
)
def test_a_terminal(tmp_path: Path, options: str, more: dict[str, str], first: str, third: str) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **more}
    with open_screen([sys.executable, "-c", PROGRAM, options, *LINES], 80, env, tmp_path) as screen:
        lines = screen.read_all().replace("\r", "").splitlines()
    assert lines[0] == first
    assert lines[2].endswith(third)


@pytest.mark.parametrize(
    ("options", "expected"), [("", LINES), ("prefix", [line.partition("  ")[2] for line in LINES])]
)
def test_a_pipe(options: str, expected: list[str]) -> None:
    """Nothing is aligned, coloured or escaped."""
    argv = [sys.executable, "-c", PROGRAM, options, *LINES]
    assert subprocess.run(argv, capture_output=True, check=True, text=True).stdout.splitlines() == expected
