"""From compose text to a packed chart, and from there through Helm: 500 services, 2,000, and one small system.

Beside it Kompose, where Go can build it: it writes one file of objects, without values.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench._systems import system
from bench.timing import Case, judged, medians, processor_time

ROOT = Path(__file__).resolve().parent.parent
TYCHO = str(Path(sys.executable).with_name("tycho"))
SHOP = str(ROOT / "examples/shop/compose.yaml")
ROOM = 200  # MiB
RATIOS = {500: 0.9, 50: 2.0}  # of services: the processor time beside Kompose's
MEMORY = """
import sys
from bench.chart import compiled
compiled(sys.argv[1], sys.argv[2])()
print(open("/proc/self/status").read())
"""


def main() -> int:
    from tycho.toolchain.programs import tool

    with tempfile.TemporaryDirectory() as folder:
        many, most = (system(folder, count) for count in (500, 2000))
        tiny, large, larger = medians([
            Case("shop", call=compiled(SHOP, folder)),
            Case("500 services", call=compiled(many, folder)),
            Case("2,000 services", call=compiled(most, folder)),
        ], runs=5)  # fmt: skip
        compiled(many, folder)()
        helm = [str(tool("helm")), "template", "bench", f"{folder}/chart.tgz"]
        (rendered,) = medians([Case("helm template", helm)], runs=3)
        late = _memory(many, folder) + _kompose(folder)
    return (
        late
        + judged("the shop, text to archive, in one process", tiny, 0.025)
        + judged("500 services, text to archive", large, 1.2)
        + judged("2,000 services, text to archive", larger, 4 * large * 1.25, "linear")
        + judged("helm template of 500 services", rendered, 2.5)
    )


def compiled(path: str, folder: str) -> Callable[[], object]:
    """Compiles a file into an archive."""
    from tycho.chart import emit
    from tycho.compose import Sources, load
    from tycho.policy import apply_policies

    def run() -> object:
        chart = emit(apply_policies(load(Sources.from_disk([path], env={}))))
        return Path(folder, "chart.tgz").write_bytes(chart.archive())

    return run


def _memory(path: str, folder: str) -> int:
    """What a process of its own takes at its peak; that of a parent would count in its children's."""
    done = subprocess.run([sys.executable, "-c", MEMORY, path, folder], cwd=ROOT, capture_output=True, check=True)
    peak = int(re.findall(rb"VmHWM:\s*(\d+)", done.stdout)[0]) >> 10
    late = peak > ROOM
    print(f"{'LATE' if late else 'ok  '} {'500 services, text to archive':<48} {peak:5} MiB  (promised {ROOM} MiB)")
    return int(late)


def _kompose(folder: str) -> int:
    """Compare the processor time of whole commands: Kompose writes with several threads."""
    from tests.judges import judge
    from tycho.errors import ToolMissing

    try:
        kompose = str(judge("kompose", print))
    except ToolMissing as error:
        print(f"SKIPPED: no Kompose to compare with: {error}")
        return 0
    late = 0
    for count, ratio in RATIOS.items():
        path = system(folder, count)
        ours, theirs = medians([
            Case("tycho compile", [TYCHO, "compile", "-f", path, "-o", f"{folder}/ours-{count}"]),
            Case("kompose convert", [kompose, "convert", "-f", path, "-o", f"{folder}/theirs.yaml"]),
        ], runs=15, clock=processor_time)  # fmt: skip
        why = f"{ratio} x kompose convert; {ours / theirs:.2f} x now"
        late += judged(f"tycho compile, {count} services, processor time", ours, ratio * theirs, why)
    return late
