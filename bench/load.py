"""From compose text to the system: beside Docker Compose's own `config` of the same files, and how time grows."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from bench._systems import system
from bench.timing import Case, judged, medians

ROOT = Path(__file__).resolve().parent.parent
TYCHO = str(Path(sys.executable).with_name("tycho"))
SHORT = str(ROOT / "examples/shop/compose.yaml")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        many, most = (system(folder, count) for count in (500, 5000))
        small, large, larger = medians([
            Case("short", call=_load(SHORT)), Case("500", call=_load(many)), Case("5,000", call=_load(most)),
        ], runs=5)  # fmt: skip
        python, ours, theirs = medians([
            Case("python", [sys.executable, "-c", "pass"]),
            Case("tycho config", [TYCHO, "config", "-f", many, "--quiet"]),
            Case("docker-compose config", [_program(), "-f", many, "config", "--quiet"]),
        ], runs=7)  # fmt: skip
    lines = len(Path(SHORT).read_text(encoding="utf-8").splitlines())
    print(f"     docker-compose config of 500 services: {theirs:.3f} s; Python's start: {python:.3f} s")
    return (
        judged(f"a file of {lines} lines, in one process", small, 0.010)
        + judged("500 services, in one process", large, 0.6)
        + judged("5,000 services, in one process", larger, 10 * large * 1.25, "linear")
        + judged("500 services, tycho config", ours, theirs + python, "docker-compose config + Python's start")
    )


def _load(path: str) -> Callable[[], object]:
    from tycho.compose import Sources, load

    return lambda: load(Sources.from_disk([path], env={}))


def _program() -> str:
    spec = find_spec("compose")
    places: Sequence[str] = (spec and spec.submodule_search_locations) or ()
    return os.path.join(places[0], "docker-compose")
