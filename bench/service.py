"""What a small start waits for while fifty slow documents wait, all from one address."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.timing import judged
from tycho.client import TychoClient

TYCHO = str(Path(sys.executable).with_name("tycho"))
COUNT = 50
# Compiles until it is ended, whatever else becomes quicker; says that it was tried.
SLOW = """
import pathlib
def apply(system):
    if system.name.startswith("slow"):
        pathlib.Path({folder!r}, system.name).touch()
        while True:
            pass
    return system
"""
WEB = {"services": {"web": {"image": "nginx", "ports": ["80"]}}}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        tried = Path(folder, "tried")
        tried.mkdir()
        Path(folder, "50-slow.py").write_text(SLOW.format(folder=str(tried)))
        command = [TYCHO, "api", "-b", "memory", "--port", "0", "--policies", folder]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
            assert process.stderr
            url = next(match[1] for line in process.stderr if (match := re.search(r"answers at (http://\S+),", line)))
            drain = ThreadPoolExecutor(1).submit(process.stderr.read)
            alone = _start(url, "warm")
            alone = min(_start(url, f"alone{number}") for number in range(5))
            with ThreadPoolExecutor(COUNT) as callers:
                for number in range(COUNT):
                    callers.submit(TychoClient(url).start, {"name": f"slow{number}", "system": WEB})
                burst = _start(url, "burst")  # some are being tried for the first time, others have not come yet
                while len(list(tried.iterdir())) < COUNT:
                    time.sleep(0.05)
                waiting = max(_start(url, f"small{number}") for number in range(5))
                process.kill()
            drain.result()
    print(f"     a small start, with nobody else there: {alone:.3f} s")
    print(
        f"     a small start just behind {COUNT} slow documents, while each is tried for the first time: {burst:.3f} s"
    )
    return judged(f"a small start while {COUNT} slow documents wait, the slowest of 5", waiting, 2.0)


def _start(url: str, name: str) -> float:
    begun = time.monotonic()
    answer = TychoClient(url).start({"name": name, "system": WEB})
    assert answer.status == "success", answer.message
    return time.monotonic() - begun
