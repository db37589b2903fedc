"""Run the benchmarks that are named, or all."""

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_") and path.stem != "timing")


def run() -> int:
    late = 0
    for name in sys.argv[1:] or NAMES:
        print(f"== {name}")
        late += import_module(f"bench.{name}").main()
    return 1 if late else 0


sys.exit(run())
