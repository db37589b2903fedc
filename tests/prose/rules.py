"""The rules for texts that users read: short sentences of plain words, one grammar for messages.

Ours, because no linter at hand reads texts out of Python and typer. vale has the right rules, but is a program that
its packages fetch when they run; proselint's lists are fixed, and know none of this project's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.prose.collect import Text

WORDS = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))
LONGEST = 30  # words of a sentence
LONGEST_PAGE = 40  # words of a sentence of a page
CELL = re.compile(r"(\{\}[,; ]*)+")  # a list of names, without a sentence
# How hints begin that are statements or examples alone; `it has: web, db` lists what there is.
STATEMENT = re.compile(r"(the|an?|this|these|its|there|nothing|perhaps|for example|all of it)\b|it (?!has: )")
ABBREVIATIONS = re.compile(r"\b(e\.g|i\.e|etc)\.")
NAMES = re.compile(r"Content-Length|Content-Type|Docker|Helm|Kubernetes|Linux|Tycho|[A-Z]+[A-Z_]*\b")


def list_problems(text: Text) -> Iterator[str]:
    """List what is wrong with a text."""
    page = text.kind == "page"
    words = WORDS["everywhere"] | ({} if page else WORDS["in messages"])
    for pattern, instead in words.items():
        if match := re.search(rf"\b({pattern})\b", text.words, re.IGNORECASE):
            yield f'"{match[0]}": write {instead}'
    for sentence in split_sentences(text.words):
        count = len(sentence.split())
        if count > (LONGEST_PAGE if page else LONGEST) and not CELL.fullmatch(sentence):
            yield f"a sentence of {count} words"
    if text.kind in ("message", "hint"):
        yield from _check_grammar(text.words)
    if text.kind == "hint" and STATEMENT.match(text.words):
        yield "says something, and not what to do: begin with a verb, a command, or what there is"


def split_sentences(words: str) -> list[str]:
    """Split a text into its sentences; a semicolon and a colon end one, too."""
    plain = ABBREVIATIONS.sub(lambda match: match[0].replace(".", ""), words)
    return [sentence for sentence in re.split(r"(?<=[.!?;:])\s+", plain) if sentence]


def _check_grammar(words: str) -> Iterator[str]:
    """Check what style guides ask of messages: lower case at the start, and no full stop at the end."""
    if re.match(r"[A-Z]", words) and not NAMES.match(words):
        yield "begins with a capital letter"
    if re.search(r"[a-z)][.!]$", words) and not words.endswith("etc."):
        yield "ends with a full stop"
