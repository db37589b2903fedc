"""Lines folded for a terminal: at words, and never inside what somebody copies; whole in a pipe."""

from __future__ import annotations

import io
import os
import pty
import termios
from collections.abc import Iterator
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tycho.cli import show
from tycho.cli.display import NARROWEST, find_width, fold, has_colours, measure, paint, split_words
from tycho.errors import ComposeError, Problem, TychoError

WORDS = st.sampled_from(
    ["a", "is not ready", "`tycho up -f deploy/compose.yaml --name shop`", "https://registry.example.org/v2/team/",
     "{x-tycho: {grants: [net]}}", "/srv/a/folder/below/it:12", "日本語", "hint:", "`", "{", "}", ", "]
)  # fmt: skip


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """A terminal of 60 columns as standard error, while standard output is none."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 60))
    with os.fdopen(theirs, "w", encoding="utf-8", buffering=1) as stream:
        monkeypatch.setattr("sys.stderr", stream)
        yield stream
    os.close(ours)


@given(st.lists(WORDS, max_size=12).map(" ".join), st.integers(NARROWEST, 200))
def test_nothing_is_lost_and_nothing_is_broken(text: str, width: int) -> None:
    lines = fold(text, width)
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    words = {word for _, word in split_words(text)}
    for line in lines:
        whole = {word for _, word in split_words(line)}
        assert whole <= words
        assert measure(line) <= width or measure(line.strip()) > width - 10, "one word, and wider than the line"


def test_a_command_stays_in_one_line() -> None:
    command = "`tycho up --backplane docker -f a/rather/long/path/compose.yaml`"
    text = f"  hint: no cluster answers here, but an engine does: {command} runs it there"
    assert fold(text, 60) == [
        "  hint: no cluster answers here, but an engine does:",
        f"        {command}",
        "        runs it there",
    ]
    assert fold(text, 0) == [text]
    assert fold("see ${UNSET and `this", 20) == ["see ${UNSET and", "  `this"]


def test_the_width_is_that_of_the_stream(terminal: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output may be a pipe: `tycho status -o json | jq`."""
    assert (find_width(terminal), find_width(io.StringIO())) == (60, 0)
    monkeypatch.setenv("COLUMNS", "100")
    assert find_width(terminal) == 100


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_refused(terminal: TextIO, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_colours(terminal)
    assert paint("+ web", "green", terminal) == "\x1b[32m+ web\x1b[0m"
    assert paint("+ web", "green", io.StringIO()) == "+ web"
    monkeypatch.setenv(name, value)
    assert paint("+ web", "green", terminal) == "+ web"


DEEP = "a/folder/below/another/one/with/a/rather/long/name/compose.yaml"
ERROR = ComposeError(
    "2 problems",
    problems=[
        Problem(DEEP, 12, "services.web.ports[0]", '"80:eighty" is not a port', "write for example 8080:80"),
        Problem(DEEP, 7, "services.web", "it depends on a service that nobody has ever heard of", "run `tycho config`"),
    ],
)  # fmt: skip
FOLDED = f"""\
{DEEP}:7
  services.web: it depends on a service that nobody has ever
    heard of
  hint: run `tycho config`
{DEEP}:12
  services.web.ports[0]: "80:eighty" is not a port
  hint: write for example 8080:80
2 problems; nothing was changed.
"""


def read_error(error: TychoError, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what an error looks like on a terminal of so many columns; 0 is a pipe."""
    stream = io.StringIO()
    stream.isatty = lambda: bool(columns)  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("COLUMNS", str(columns))
    show.error(error)
    return stream.getvalue()


def test_problems_of_a_deep_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that takes most of the terminal has a line of its own, and is never broken."""
    assert read_error(ERROR, 60, monkeypatch) == FOLDED
    piped = read_error(ERROR, 0, monkeypatch).splitlines()
    assert piped[0] == f"{DEEP}:7   services.web: it depends on a service that nobody has ever heard of"
    assert [line.split()[0] for line in piped] == [f"{DEEP}:7", "hint:", f"{DEEP}:12", "hint:", "2"]


@pytest.mark.parametrize("columns", [60, 80, 100, 160])
def test_errors_fit_a_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (ERROR, TychoError("a message " * 40, hint="do this, " * 30 + "\nor run `tycho up`")):
        assert max(map(len, read_error(error, columns, monkeypatch).splitlines())) <= max(columns, len(DEEP) + 3)
