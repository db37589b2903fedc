"""Documents that are made to be slow end, compiled or refused with a clear message, within a budget of work.

Work is counted in calls of functions, in Python and in C, so that no clock is needed: the slowest of them take some
seconds where work grows with the document, and minutes or all the memory where it grows with its square.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from tests.compose import slow
from tycho.chart import emit
from tycho.compose import Sources, load
from tycho.errors import ComposeError, SourceError
from tycho.policy import apply_policies

BUDGET = 24_000_000  # calls, of all phases together
COMPILED = {
    "braces behind a variable", "closing braces", "many templates", "a command without blanks", "documents",
    "documents of a service", "deep flow", "a long number", "a long number behind a point", "long numbers",
    "underscores", "a list of mappings", "dates", "unset variables", "everybody depends on everybody",
    "a chain of extends and environments",  "an env_file of comments",
}  # fmt: skip
"""What is large, and has room; of all others it is enough that they end."""


class OverBudget(BaseException):
    """More calls than the budget allows; no `except Exception` may hide it."""


@contextmanager
def budget(calls: int) -> Iterator[None]:
    """Stop what happens inside after a number of calls."""
    left = calls

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal left
        if event in {"call", "c_call"}:
            left -= 1
            if left < 0:
                raise OverBudget(f"more than {calls} calls")

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)


def compile_project(files: Mapping[str, str], folder: Path) -> list[str]:
    """Compile a project within the budget, and list what is wrong with it."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    with budget(BUDGET):
        try:
            emit(apply_policies(load(Sources.from_disk([str(folder / "compose.yaml")], env={}, name="slow"))))
        except (ComposeError, SourceError) as error:
            return [str(problem) for problem in error.problems] or [error.message]
    return []


REFUSED = {
    "references in an alternative": "more than 20000 dollar signs and braces to expand",
    "a large text in many places": "excessive aliasing: too much text",
    "ranges of ports": "more than 20000 ports in one project: a release must hold each of them",
    "ports of one service": "19999 ports; the limit of a service is 1000",
    "exposed ranges": "65535 ports; the limit of a service is 1000",
    "everybody waits for everybody": "16110 services to wait for in all services together; the limit is 10000",
    "everybody is on every network": "52900 networks in all services together; the limit is 50000",
    "secrets of everybody": "32400 mounts in all services together; the limit is 30000",
    "a circle of dependencies": "dependency cycle detected: s0 -> s1 -> s2",
    "a chain of dependencies": "2600 services; a Helm release has room for about 500",
    "a chain of extends": "more than 100 services extend each other in a row",
    "a chain of volumes": "a chain of volumes_from is longer than 50 services",
    "a chain of networks": "1200 services share its pod; the limit is 100 containers",
    "many that extend one": "services take over more than 200000 values by extends",
    "hooks of everybody": "hooks take over more than 200000 values of their services",
    "includes of includes": "more than 200 files are included",
    "a chain of includes": "files include each other more than 64 deep",
    "a growing .env": "line 7: expands to more than 1 MiB",
    "a growing env_file": "line 7: expands to more than 1 MiB",
    "a large variable in many places": "the variables of all texts together expand to more than 64 MiB",
    "env_files of everybody": "the env files and label files of all services hold more than 200000 variables",
    "documents of many services": "too many documents for their size",
}


@pytest.mark.parametrize("name", [*slow.DOCUMENTS, *slow.PROJECTS])
def test_slow_documents_end(name: str, tmp_path: Path) -> None:
    files = {"compose.yaml": slow.DOCUMENTS[name]()} if name in slow.DOCUMENTS else slow.PROJECTS[name]()
    messages = compile_project(files, tmp_path)
    assert all(0 < len(message) < 5_000 for message in messages)
    if name in COMPILED:
        assert messages == []
    if name in REFUSED:
        assert any(REFUSED[name] in message for message in messages), messages[:3]


def test_there_are_sixty() -> None:
    assert len(slow.DOCUMENTS) + len(slow.PROJECTS) >= 60
    assert len(slow.DOCUMENTS) >= 50


def test_five_hundred_services_have_room(tmp_path: Path) -> None:
    """What the limits must not touch: 500 services with ten ports each, dependencies, volumes and variables."""
    ports = ", ".join(f'"{8000 + n}"' for n in range(10))
    body = (
        f"ports: [{ports}], environment: {{{slow.spread('E@: v', 30)}, F: $A}}, volumes: ['v:/v'],"
        " healthcheck: {test: x}, networks: {default: {aliases: [a, b]}}"
    )
    text = (
        slow.services(
            (f"{body}, depends_on: {{s{n - 1}: {{condition: service_healthy}}}}" if n else body for n in range(500)),
            "volumes: {v: {}}\n",
        )
        .replace("'v:/v'", "'vol:/v'")
        .replace("{v: {}}", "{vol: {}}")
    )
    (tmp_path / "compose.yaml").write_text(text, encoding="utf-8")
    chart = emit(apply_policies(load(Sources.from_disk([str(tmp_path / "compose.yaml")], env={}, name="large"))))
    assert len([path for path in chart.files if path.endswith("-deployment.yaml")]) == 500
