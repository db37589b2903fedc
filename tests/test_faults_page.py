"""docs/faults.md says what is there: every row names its tests, and every test of a fault has a row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| fault ")]
NAMED = set(re.findall(r"`(tests/[\w./-]+)::(\w+)`", PAGE))
FILES = (
    "tests/api/test_removal_first.py",
    "tests/cli/test_clocks.py",
    "tests/cli/test_kills.py",
    "tests/cli/test_no_room.py",
    "tests/cli/test_silence.py",
    "tests/cli/test_slow_etcd.py",
    "tests/contract/test_first_start.py",
    "tests/orchestrators/test_connections.py",
    "tests/orchestrators/test_faults.py",
    "tests/orchestrators/test_going_back.py",
    "tests/orchestrators/test_killed_helm.py",
    "tests/orchestrators/test_removal_first.py",
)


def list_tests(file: str) -> set[tuple[str, str]]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return {(file, name) for name in names if name.startswith("test_") or name == "verify"}  # of a scenario


def test_every_row_names_its_tests() -> None:
    assert len(ROWS) > 20
    assert [row for row in ROWS if not re.search(r"\| `tests/[\w./-]+::\w+`", row)] == []


def test_the_tests_that_are_named_exist() -> None:
    assert NAMED - set().union(*(list_tests(file) for file, _ in NAMED)) == set()


def test_every_test_of_a_fault_has_a_row() -> None:
    assert set().union(*map(list_tests, FILES)) - NAMED == set()
