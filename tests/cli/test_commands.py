"""Docker Compose's words: each is Tycho's, too, or is answered with one line; `docs/commands.md` says the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from tycho.cli import COMMANDS, app
from tycho.cli.compose_words import COMMANDS as NO_COMMAND
from tycho.cli.compose_words import OPTIONS as NO_OPTION

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PAGE = (ROOT / "docs/commands.md").read_text()
ROWS = re.findall(r"^\| `([^`]+)` \| (?:`tycho ([^`]+)`|none) \| (.*?) ?\|$", PAGE, re.MULTILINE)
PROGRAM = typer.main.get_command(app)


def tycho(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / "tycho", *words], capture_output=True, text=True, check=False)


def known_options(command: str) -> set[str]:
    params = PROGRAM.get_command(None, command).params  # type: ignore[attr-defined]
    return {name for param in params for name in param.opts}


def test_every_command_of_compose_has_a_row() -> None:
    text = subprocess.run([BIN / "docker-compose", "--help"], capture_output=True, text=True, check=True).stdout
    commands = set(re.findall(r"^  ([a-z]+) {2,}\S", text, re.MULTILINE))
    assert len(commands) > 30
    assert commands - {theirs.split()[0] for theirs, _, _ in ROWS} == set()


@pytest.mark.parametrize(("theirs", "ours", "note"), ROWS, ids=[theirs for theirs, _, _ in ROWS])
def test_the_page_and_the_program_agree(theirs: str, ours: str, note: str) -> None:
    word, *others = theirs.split()
    option = next((part for part in others if part.startswith("-")), "")
    if ours:
        command, *options = ours.split()
        assert command in COMMANDS
        assert {name for name in options if name.startswith("-")} <= known_options(command)
    refusal = NO_OPTION.get((word, option)) if option else NO_COMMAND.get(word)
    assert bool(ours) or refusal is not None
    if refusal:
        assert note == refusal


@pytest.mark.parametrize("word", NO_COMMAND)
def test_a_word_of_composes_is_answered_in_one_line(word: str) -> None:
    assert word not in COMMANDS
    if word in ("stop", "run", "scale"):  # a process each is slow; they all go the same way
        done = tycho(word, "web", "-x")
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{NO_COMMAND[word]}\n")
    assert theirs_row(word) == NO_COMMAND[word]


def theirs_row(word: str) -> str:
    return next(note for theirs, _, note in ROWS if theirs == word)


@pytest.mark.parametrize(("command", "option"), NO_OPTION)
def test_an_option_of_composes_is_none_of_ours(command: str, option: str) -> None:
    assert option not in known_options(command)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("up --scale web=3", NO_OPTION["up", "--scale"]),
        ("exec -u root web sh", NO_OPTION["exec", "-u"]),
        ("up --nmae x", "tycho up has no option --nmae; did you mean --name?"),
        ("up --zzz", "tycho up has no option --zzz; `tycho up --help` lists all"),
        ("stauts", 'there is no command "stauts"; did you mean "status"?'),
        ("xyzzy", 'there is no command "xyzzy"; `tycho --help` lists all'),
        ("cluster craete", 'there is no command "craete"; did you mean "create"?'),
        ("-f x up", "options stand after the command: `tycho up -f …`"),
        ("-p x ps", "options stand after the command: `tycho up --name …`"),
        ("down --project-name x", "down has no --project-name: write --name NAME"),
    ],
)
def test_what_is_not_known(words: str, message: str) -> None:
    done = tycho(*words.split())
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{message}\n")


def test_volumes_cannot_both_go_and_stay() -> None:
    done = tycho("down", "-v", "--keep-volumes", "shop")
    assert (done.returncode, done.stderr) == (2, "-v and --keep-volumes exclude each other\n")


def test_version() -> None:
    assert tycho("--version").stdout == tycho("version").stdout
