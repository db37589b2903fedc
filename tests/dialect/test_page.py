"""The page for who comes from the first Tycho: every row names what shows it, and every spec has a row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.dialect.test_specs import SPECS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/first-tycho.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_row_of_a_file_has_specs_and_every_spec_a_row() -> None:
    named = [re.findall(r"`([^`]+)`", shown) for _, _, shown in rows("Compose files")]
    assert all(named)
    assert {name for names in named for name in names} == SPECS.keys()


def test_what_a_row_writes_is_in_its_specs() -> None:
    for written, _, shown in rows("Compose files"):
        texts = "\n".join(SPECS[name]["compose"] for name in re.findall(r"`([^`]+)`", shown))
        for word in re.findall(r"[A-Za-z_]{5,}", " ".join(re.findall(r"`([^`]+)`", written))):
            assert word in texts or word.isupper() or word == "mount", (written, word)


def test_every_row_of_the_service_names_tests_that_exist() -> None:
    for _, _, shown in rows("The service and its clients"):
        tests = re.findall(r"`([^`]+)::(\w+)`", shown)
        assert tests
        for file, function in tests:
            tree = ast.parse((ROOT / file).read_text())
            assert function in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)], (file, function)
