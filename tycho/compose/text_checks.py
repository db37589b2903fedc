"""Refuse text that is none, at the door and with its place: lone surrogates, and variables that hold other bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tycho.errors import ComposeError, Problem
from tycho.text import is_text, json_text, printable

LONGEST_KEY = 1000  # characters; a key that is longer ends a flow mapping for YAML
SHOWN = 100  # characters of such a key
WHY = "it holds half a surrogate pair, which is no character"
NO_TEXT = "which holds bytes that are not UTF-8 text"
HINT = "write the character itself, or take it from a file"


def document_text(document: Mapping[str, object], file: str) -> bytes:
    """Write a document as YAML text that is read as the same strings, whatever characters they hold.

    Args:
        document: What JSON can say.
        file: What problems call it.

    Raises:
        ComposeError: Some strings are no text, or keys that YAML cannot hold; a problem for each, with its path.
    """
    text = json_text(document)
    if problems := [Problem(file, 1, *details) for details in sorted(set(_find_invalid(document)))]:
        raise ComposeError("1 problem" if len(problems) == 1 else f"{len(problems)} problems", problems=problems)
    return text.encode()


def check_variables(names: Iterable[str], env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Find the variables among those that are read which hold no text.

    Args:
        names: Variables that one place reads.
        env: What they are worth.

    Yields:
        Message and hint of a problem for each.
    """
    for name in names:
        if not is_text(env.get(name, "")):
            yield f"it reads the variable {name}, {NO_TEXT}", f"set {name} to text, or mount a file"


def _find_invalid(document: object) -> Iterator[tuple[str, str, str]]:
    """Find strings and keys that are refused, as path, message and hint; without recursion, a request may be deep."""
    pending: list[tuple[str, object]] = [("", document)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, str) and not is_text(value):
            yield path, WHY, HINT
        elif isinstance(value, Mapping):
            for key, child in value.items():
                name = printable(str(key))
                below = f"{path}.{name if len(name) <= LONGEST_KEY else f'{name[:SHOWN]}…'}".removeprefix(".")
                if not is_text(str(key)):
                    yield below, WHY, HINT
                elif len(json_text(key)) > LONGEST_KEY:
                    yield below, f"its name is longer than {LONGEST_KEY} characters", "give it a shorter one"
                pending.append((below, child))
        elif isinstance(value, list | tuple):
            pending += [(f"{path}[{index}]", child) for index, child in enumerate(value)]
