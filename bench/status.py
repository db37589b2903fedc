"""`tycho status` of many systems beside `helm list -A -m 0`: its time, and its memory.

Releases and Deployments are made as objects, without helm and without pods: what is measured is a look at them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench._releases import COUNT, SERVICES, fill
from bench.timing import Case, judged, medians
from tycho import localcluster
from tycho.toolchain import programs

TYCHO = str(Path(sys.executable).with_name("tycho"))
MEMORY = 250  # MiB
SLIM = 90  # MiB, of -terse


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "clusters")
        kubeconfig = localcluster.create("bench", provider="native", home=home, progress=lambda line: None).kubeconfig
        try:
            return _measure(kubeconfig, folder)
        finally:
            localcluster.delete("bench", home=home)


def _measure(kubeconfig: Path, folder: str) -> int:
    begun = time.monotonic()
    fill(kubeconfig, folder)
    print(f"     {COUNT} systems of {SERVICES} services were made in {time.monotonic() - begun:.0f} s")
    os.environ["KUBECONFIG"] = str(kubeconfig)
    helm = programs.tool("helm")
    ours, terse, theirs = medians([
        Case("tycho status", [TYCHO, "status"]), Case("tycho status -terse", [TYCHO, "status", "-terse"]),
        Case("helm list", [str(helm), "list", "-A", "-m", "0"]),
    ], runs=3)  # fmt: skip
    shown = subprocess.run([TYCHO, "status", "-terse"], capture_output=True, text=True, check=True).stdout
    assert len(shown.split()) == COUNT, shown
    memory, slim = (_measure_memory([TYCHO, "status", *words]) for words in ((), ("-terse",)))
    print(f"     helm list -A -m 0: {theirs:.3f} s")
    print(f"{'LATE' if memory > MEMORY else 'ok  '} its memory: {memory:.0f} MiB (promised {MEMORY})")
    print(f"{'LATE' if slim > SLIM else 'ok  '} that of tycho status -terse: {slim:.0f} MiB (promised {SLIM})")
    late = judged(f"tycho status of {COUNT} systems", ours, theirs * 0.5, "half of helm list")
    late += judged(f"tycho status -terse of {COUNT} systems", terse, theirs * 0.25, "a quarter of helm list")
    return late + int(memory > MEMORY) + int(slim > SLIM)


def _measure_memory(argv: list[str]) -> float:
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_maxrss / 1024
