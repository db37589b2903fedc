"""From compose text to a packed chart, and from there through Helm: 500 services, 2,000, and one small system."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench._systems import system
from bench.timing import Case, judged, medians

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    from tycho.cluster import tool

    with tempfile.TemporaryDirectory() as folder:
        small, many, most = (system(folder, count) for count in (3, 500, 2000))
        shop = str(ROOT / "examples/shop/compose.yaml")
        tiny, large, larger = medians([
            Case("shop", call=_compile(shop, folder)),
            Case("500 services", call=_compile(many, folder)),
            Case("2,000 services", call=_compile(most, folder)),
        ], runs=3)  # fmt: skip
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        _compile(many, folder)()
        helm = [str(tool("helm")), "template", "bench", f"{folder}/chart.tgz"]
        (rendered,) = medians([Case("helm template", helm)], runs=3)
        _compile(small, folder)()
    print(f"     memory at its peak, 2,000 services included: {peak} MiB")
    return (
        judged("the shop, text to archive, in one process", tiny, 0.015)
        + judged("500 services, text to archive", large, 1.2)
        + judged("2,000 services, text to archive", larger, 4 * large * 1.25, "linear")
        + judged("helm template of 500 services", rendered, 2.5)
    )


def _compile(path: str, folder: str) -> Callable[[], object]:
    from tycho.chart import emit
    from tycho.compose import Sources, load
    from tycho.policy import weave

    def run() -> object:
        chart = emit(weave(load(Sources.from_disk([path], env={}))))
        return Path(folder, "chart.tgz").write_bytes(chart.archive())

    return run
