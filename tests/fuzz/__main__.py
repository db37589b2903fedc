"""Fuzz one target with coverage as the guide: `python -m tests.fuzz loader --seconds 10`; needs atheris.

What breaks the law is printed with its input, and the exit code says so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Run the fuzzer for a number of seconds over seeds in a folder that goes with it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    import atheris

    with atheris.instrument_imports(include=["tycho"], enable_loader_override=False):
        from tests.fuzz.targets import TARGETS, seeds
    target = TARGETS[options.target]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for number, seed in enumerate(seeds(options.target)):
            Path(folder, f"seed-{number}").write_bytes(seed)
        arguments = [
            sys.argv[0], folder, f"-max_total_time={options.seconds}", "-max_len=4096", "-timeout=30",
            "-rss_limit_mb=2048", f"-artifact_prefix={folder}/",
        ]  # fmt: skip
        atheris.Setup(arguments, target)
        atheris.Fuzz()


main()
