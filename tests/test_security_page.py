"""docs/security.md says what is there: every piece of code and every test that it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and "tests/" in line]
NAMED = sorted(set(re.findall(r"`((?:tests|tycho|policies)/[\w./-]+(?:::\w+)?)`", PAGE)))


def test_every_row_names_code_and_tests() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        _, claim, code, tests, _ = row.split("|")
        assert claim.strip()
        assert re.search(r"`(tycho|policies)/", code), row
        assert re.search(r"`tests/", tests), row


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_exists(name: str) -> None:
    file, _, function = name.partition("::")
    assert (ROOT / file).exists()
    if function:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
