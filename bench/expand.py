"""Texts with variables through Helm, beside the same chart without: a million braces, JSON, thousands of variables."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.timing import Case, judged, medians

TEXTS = {
    "1 MB of braces, one variable": ("${A:-x}", "{" * 500_000 + "}" * 500_000),
    "16,000 objects of JSON, one variable": ("${A:-x}", '{"a":1}' * 16_000),
    "one default of 63 KB of JSON": ("", "${A:-" + '{"a":1}' * 9_000 + "}"),
    "4,500 variables": ("", "${A:-x} " * 4_500),
}
PROMISED = 2.0  # seconds


def main() -> int:
    from tycho.toolchain.programs import tool

    helm, late = str(tool("helm")), 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (head, body) in TEXTS.items():
            live = [helm, "template", "bench", pack(head + body, f"{folder}/live")]
            plain = [helm, "template", "bench", pack((head + body).replace("$", "$$"), f"{folder}/plain")]
            taken, without = medians([Case(name, live), Case("plain", plain)], runs=5)
            late += judged(name, taken, PROMISED, f"{taken / without:.1f} times the same text without variables")
    return late


def pack(text: str, path: str) -> str:
    """Write the chart of a config with a text."""
    from tycho.chart import emit
    from tycho.compose import Sources, load
    from tycho.policy import apply_policies

    document = {"services": {"web": {"image": "x", "configs": ["c"]}}, "configs": {"c": {"content": text}}}
    made = emit(apply_policies(load(Sources.from_document(document, env={}, name="bench"))))
    Path(f"{path}.tgz").write_bytes(made.archive())
    return f"{path}.tgz"
