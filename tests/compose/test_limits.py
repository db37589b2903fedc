"""Texts that are made to cost: a clear error each, in little memory, from a file and from a request alike."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = "services:\n  web:\n    image: x\n"
ALIASES = (
    "x-0: &a0 [x, x]\n" + "".join(f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)) + HEAD
)
MERGES = (
    "x-0: &a0 {k0: v}\n"
    + "".join(f"x-{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: *a{n - 1}}}\n" for n in range(1, 12))
    + HEAD
)
BOMBS = {
    "aliases": (ALIASES.encode(), "aliasing"),
    "merge keys": (MERGES.encode(), "aliasing"),
    "nested lists": (f"x-a: {'[' * 2000}{']' * 2000}\n{HEAD}".encode(), "deep"),
    "nested lines": (("x-a:\n" + "".join(f"{' ' * n}-\n" for n in range(1, 2001)) + HEAD).encode(), "deep"),
    "50 MB": (HEAD.encode() + b"x-a: " + b"a" * 50_000_000, "larger than"),
    "100,000 services": (
        b"services:\n" + b"".join(b"  s%d: {image: x}\n" % n for n in range(100_000)),
        "more entries than",
    ),
    "no UTF-8": (HEAD.encode() + b"x-a: \xff\xfe\n", "UTF-8"),
    "NUL": (HEAD.encode() + b"x-a: a\x00b\n", "character that YAML forbids"),
    "nested defaults": (
        f"{HEAD}    hostname: {'${A:-' * 3000}x{'}' * 3000}\n".encode(),
        "dollar signs and braces to expand",
    ),
}
CHILD = """
import json, re, sys
from tycho.compose import Sources, load
from tycho.errors import TychoError
name, way = sys.argv[1:]
sources = lambda: (
    Sources.from_disk([name], env={}) if way == "disk"
    else Sources.from_document(open(name, "rb").read(), env={}, name="bomb")
)
try:
    load(sources())
    said = ["accepted"]
except TychoError as error:
    said = [error.message, *(f"{one.place} {one.path}: {one.message}" for one in error.problems)]
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())  # getrusage counts what the parent held, too
print(json.dumps({"said": said, "peak": int(peak[1]) >> 10}))
"""


@pytest.mark.parametrize("way", ["disk", "request"])
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_before_it_costs_much(bomb: str, way: str, tmp_path: Path) -> None:
    text, word = BOMBS[bomb]
    (tmp_path / "compose.yaml").write_bytes(text)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, "compose.yaml", way], cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    assert word in " ".join(answer["said"])
    assert answer["said"] != ["accepted"]
    assert all(len(line) < 2000 for line in answer["said"])
    assert answer["peak"] < 200
