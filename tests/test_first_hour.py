"""The README's first hour, as it is written: each command is run, and what it prints is compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tycho import localcluster

pytestmark = pytest.mark.xdist_group("cluster")

ROOT = Path(__file__).resolve().parents[1]
SECTION = (ROOT / "README.md").read_text().partition("## The first hour")[2].partition("\n## ")[0]
# What differs from one run to the next, and says nothing more than that it is there.
VARYING = [
    (r"\b[0-9a-f]{32}\b", "GUID"),
    (r"(?<=shop-|down )[0-9a-f]{8}\b", "PART"),
    (r"(?<=0\.1\.0_)[0-9a-f]{12}\b", "DIGEST"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( [+-]\d{4})?", "TIME"),
    (r"\b\d+\.\d s", "SECONDS"),
    (r"\b3[0-2]\d{3}\b", "PORT"),
]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield each command of the section with the lines that it is said to print."""
    for block in re.findall(r"^```console\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            yield command, lines


def plain(line: str) -> str:
    """Put a word in place of what differs from one run to the next."""
    for pattern, word in VARYING:
        line = re.sub(pattern, word, line)
    return line


@pytest.fixture
def env(tmp_path: Path, helm: Path) -> Iterator[dict[str, str]]:
    """A user's shell, with a cluster of its own."""
    home = tmp_path / "state/tycho/clusters"
    made = localcluster.create("tycho", provider="native", home=home)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    kept = {key: value for key, value in os.environ.items() if key in ("HOME", "XDG_CACHE_HOME")}
    yield {**kept, "PATH": path, "KUBECONFIG": str(made.kubeconfig), "TYCHO_HELM": str(helm), "LOGNAME": "ada"}
    localcluster.delete("tycho", home=home)


def test_every_command_prints_what_is_written(env: dict[str, str], tmp_path: Path) -> None:
    """All of stdout is shown there, and of stderr some lines: which service is ready first differs."""
    file = re.search(r"^```yaml\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
    assert file
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "compose.yaml").write_text(file[1])
    count = 0
    for command, lines in commands():
        ran = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        printed, remarks = ([plain(line) for line in text.splitlines()] for text in (ran.stdout, ran.stderr))
        shown = [plain(line) for line in lines]
        cut = len(shown) - len(printed)
        assert shown[cut:] == printed, f"{command}\n{ran.stdout}{ran.stderr}"
        assert not Counter(shown[:cut]) - Counter(remarks), f"{command}\n{ran.stderr}"
        count += 1
    assert count > 10


def test_the_names_of_other_pages_exist() -> None:
    for page in re.findall(r"\]\((docs/[a-z-]+\.md)\)", SECTION):
        assert (ROOT / page).is_file(), page
