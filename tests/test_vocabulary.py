"""Names say what they hold: no vague word is bound anywhere, and no two classes of the program share a name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from tests.naming import bound_names, class_names, is_vague, vague_names

ROOT = Path(__file__).parent.parent
FOLDERS = ("tycho", "tests", "bench", "tools", "examples")
# Names that programs of others read: attributes of what the client library returns, as the service's answers have them.
PUBLIC = {
    "tycho/client/progress.py": {"wanted", "data"},
    "tycho/release.py": {"wanted"},
    "tycho/wire.py": {"wanted"},
}
# Two packages may each have a class of this name; the reason says why a longer name would be worse.
SHARED_CLASSES: dict[str, str] = dict.fromkeys(("Compiled", "Target"), "the service's document calls a message so")


def sources() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_name_is_vague() -> None:
    problems = {
        name_of(path): [name for name in vague_names(path) if name.split(": ")[1] not in PUBLIC.get(name_of(path), ())]
        for path in sources()
    }
    assert {name: lines for name, lines in problems.items() if lines} == {}


def test_no_two_classes_share_a_name() -> None:
    modules: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tycho").rglob("*.py")):
        for name in class_names(path):
            modules[name].append(name_of(path))
    assert {name: where for name, where in modules.items() if len(where) > 1 and name not in SHARED_CLASSES} == {}


@pytest.mark.parametrize(
    "line",
    [
        "found = 1",
        "for one in (): pass",
        "def told(): pass",
        "def run(item): pass",
        "run = lambda _thing: 0",
        "class Found: pass",
        "class Pod:\n    data: str",
        "self.said_here = 1",
        "import json as every",
        "try: pass\nexcept ValueError as about: pass",
        "match 1:\n    case {**rest}: pass",
        "match 1:\n    case [*wanted]: pass",
        "match 1:\n    case int() as one_count: pass",
        "(one := 1)",
        "with open('') as FOUND: pass",
    ],
)
def test_a_vague_name_is_seen(line: str) -> None:
    assert [name for name, _ in bound_names(ast.parse(line)) if is_vague(name)]


@pytest.mark.parametrize("name", ["items", "data_folder", "person", "restart", "stone", "everyone", "on_e"])
def test_a_clear_name_is_not_reported(name: str) -> None:
    assert not is_vague(name)
