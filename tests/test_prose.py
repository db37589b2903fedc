"""The texts that users read are plain: no dialect, short sentences, one grammar."""

from __future__ import annotations

import pytest

from tests.prose.collect import Text, collect_texts
from tests.prose.rules import list_problems, split_sentences

TEXTS = collect_texts()


def test_all_kinds_of_texts_are_collected() -> None:
    kinds = {kind: sum(text.kind == kind for text in TEXTS) for kind in ("help", "message", "hint", "values", "page")}
    assert min(kinds.values()) > 20, kinds
    assert {"remark", "notes"} <= {text.kind for text in TEXTS}


def test_texts_are_plain() -> None:
    problems = [f"{text.place}: {problem}: {text.words}" for text in sorted(TEXTS) for problem in list_problems(text)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("kind", "words", "problem"),
    [
        ("message", "mend the file", '"mend": write fix'),
        ("page", "A text that is told.", '"told": write shown, reported'),
        ("hint", "Write a port", "begins with a capital letter"),
        (
            "hint",
            "its log says why",
            "says something, and not what to do: begin with a verb, a command, or what there is",
        ),
        ("message", "it has no port.", "ends with a full stop"),
        ("help", " ".join(["word"] * 31), "a sentence of 31 words"),
        ("message", "this is to be done", '"is to": write must, or the present tense'),
    ],
)
def test_a_text_that_is_not_plain_is_found(kind: str, words: str, problem: str) -> None:
    assert problem in list(list_problems(Text("x", kind, words)))


@pytest.mark.parametrize("words", ["use redis:7.2, e.g. from Docker Hub", "Kubernetes refuses the object", "is_told"])
def test_a_plain_text_is_accepted(words: str) -> None:
    assert not list(list_problems(Text("x", "message", words)))


def test_a_sentence_ends_with_a_semicolon() -> None:
    assert split_sentences("first; second. third e.g. this") == ["first;", "second.", "third eg this"]
