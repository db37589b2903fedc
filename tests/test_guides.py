"""The guides name no dead path, link or task, and the picture of the architecture is that of the import layers."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ARCHITECTURE = ROOT / "docs/architecture.md"
GUIDES = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ARCHITECTURE, *sorted((ROOT / "docs/decisions").glob("*.md"))]
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
FOLDERS = ("bench", "bin", "chart_templates", "docs", "examples", "kubernetes", "policies", "tests", "tools", "tycho")
# A path and its symbols: "`SERVICE` of `tycho/x.py`" would need a grammar; so a symbol is looked for in all sources.
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tycho").rglob("*.py")))
PICTURE = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)


def prose(guide: Path) -> str:
    """Return a guide without its blocks: they are examples of what is not there yet."""
    return FENCE.sub("", guide.read_text(encoding="utf-8"))


def name_of(guide: Path) -> str:
    return guide.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_a_guide_names_no_dead_path(guide: Path) -> None:
    text = prose(guide)
    named = {
        name for name in CODE.findall(text) if name.partition("/")[0] in FOLDERS and " " not in name and "/" in name
    }
    links = set(re.findall(r"\]\((?!\w+:|#)([^)#]+)", text))
    dead = [name for name in sorted(named) if not (ROOT / name).exists()]
    assert dead + [name for name in sorted(links) if not (guide.parent / name).exists()] == []


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_a_guide_names_no_dead_symbol(guide: Path) -> None:
    """Constants and classes: words in capitals, or in camel case."""
    names = {name for name in CODE.findall(prose(guide)) if re.fullmatch(r"[A-Z][A-Z_]{3,}|([A-Z][a-z]+){2,}", name)}
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", SOURCES)] == []


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_a_guide_names_no_dead_task(guide: Path) -> None:
    tasks = yaml.safe_load((ROOT / "Taskfile.yml").read_text(encoding="utf-8"))["tasks"]
    assert set(re.findall(r"bin/task (\w+)", guide.read_text(encoding="utf-8"))) <= set(tasks)


def test_the_layout_lists_every_package() -> None:
    listed = set(re.findall(r"^\| `tycho/(\w+)/?` \|", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE))
    packages = {path.parent.name for path in (ROOT / "tycho").glob("*/__init__.py")}
    assert packages - listed == set()


def picture(layers: list[str]) -> str:
    """Draw the layers: a box each, and an arrow to what it may import."""
    names = [", ".join(re.split(r" [:|] ", layer)) for layer in layers]
    boxes = [f'  L{number}["{name}"]' for number, name in enumerate(names)]
    arrows = [f"  L{number} --> L{number + 1}" for number in range(len(names) - 1)]
    return "\n".join(["flowchart TD", *boxes, *arrows]) + "\n"


def test_the_picture_is_that_of_the_import_layers() -> None:
    """`bin/task golden -- tests/test_guides.py` draws it anew."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = (contract["layers"] for contract in contracts if contract.get("containers") == ["tycho"])
    text = ARCHITECTURE.read_text(encoding="utf-8")
    if os.environ.get("TYCHO_GOLDEN"):
        text = PICTURE.sub(lambda _: f"```mermaid\n{picture(layers)}```", text, count=1)
        ARCHITECTURE.write_text(text, encoding="utf-8")
    assert PICTURE.findall(text)[:1] == [picture(layers)]


def test_decisions_have_numbers_and_the_same_parts() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert len(decisions) >= 4
    assert len({path.name[:4] for path in decisions}) == len(decisions)
    for path in decisions:
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name), path
