"""What `--help` shows, of the program and of every verb."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tycho.cli import CLUSTER, COMMANDS
from tycho.cli.commands import PANELS

TYCHO = Path(sys.executable).with_name("tycho")
VERBS = [[name] for name in COMMANDS] + [["cluster", name] for name in CLUSTER]


def shown(verb: list[str], option: str = "--help") -> str:
    return subprocess.run([TYCHO, *verb, option], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("verb", [[], *VERBS], ids=" ".join)
def test_help_is_one_sentence_and_examples_first(verb: list[str]) -> None:
    text = shown(verb)
    assert "\\b" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    usage, sentence, examples, *_ = text.split("\n\n")
    assert usage.startswith("Usage: tycho")
    assert sentence.rstrip().endswith(".")
    assert sentence.count(". ") == 0
    assert re.match(r"  Examples?:\n    (tycho|helm|export)", examples)


@pytest.mark.parametrize("verb", [[], ["up"], ["cluster"], ["cluster", "create"]], ids=" ".join)
def test_h_is_help(verb: list[str]) -> None:
    assert shown(verb, "-h") == shown(verb)


def test_the_list_of_commands_has_whole_sentences() -> None:
    listed = shown([]).partition("Commands:\n")[2].splitlines()
    assert len(listed) == len(COMMANDS) + 1
    assert not [line for line in listed if line.endswith("...")]


def test_options_are_grouped() -> None:
    """Each command has its arguments first, then what it alone has, and the rest in one order."""
    titles = re.findall(r"^(\w[\w ]+):$", shown(["logs"]), re.MULTILINE)
    assert titles == ["Arguments", "The lines", "The system", "The cluster", "Waiting", "Output", "Options"]
    common = [*PANELS]
    for verb in VERBS:
        titles = re.findall(r"^(\w[\w ]+):$", shown(verb), re.MULTILINE)
        kept = [title for title in titles if title in common]
        assert kept == sorted(kept, key=common.index), verb
        assert titles[-len(kept) :] == kept, verb
        assert not re.search(r"default: \d+\.0\b", shown(verb))


HEAVY = {"pydantic", "httpx2", "fastapi", "kubernetes", "jinja2", "yaml"}


def test_help_imports_nothing_heavy() -> None:
    """Nobody waits for what a command does not use: `tycho --help` is as quick as Python and typer allow."""
    program = "import sys, tycho.cli; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "typer" in loaded.split()
    assert HEAVY.isdisjoint(loaded.split())


def test_a_command_imports_no_other() -> None:
    """A command waits for the import of none that it does not use."""
    program = "import sys, tycho.cli\ntry: tycho.cli.app(['down', '-h'])\nfinally: print(*sys.modules, sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "tycho.cli.down" in loaded.split()
    assert {"tycho.cli.up", "tycho.cli.status", "tycho.cli.api", "tycho.cli.logs"}.isdisjoint(loaded.split())
