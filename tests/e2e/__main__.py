"""`python -m tests.e2e`: what a node needs is fetched out here, where there is a network; then the tests go inside."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys

from tests.behaviour import images as stand_ins
from tests.e2e import building, images, programs, room, service
from tycho.errors import TychoError


def say(line: str) -> None:
    """Builds take minutes: whoever waits should see why."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def main() -> int:
    """Run the tests on a node of their own, or say in one line why this machine has none."""
    os.environ["PATH"] = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    if why := room.lacking():
        say(f"e2e skipped: {why}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the room is cleared then, too
    asked = sys.argv[1:] or ["tests/e2e/test_scenarios.py"]
    try:
        images.images(programs.programs(say), say)
        collected_tests = collected(asked)
        if "[service]" in collected_tests:
            service.fetch(say)
        if "[building]" in collected_tests or "[docker]" in collected_tests:
            building.fetch(say)
        if re.search(r"\[(docker|node)\b", collected_tests):
            stand_ins.images(programs.programs(say), say)
    except (TychoError, subprocess.CalledProcessError) as error:
        say(f"e2e skipped: what a node needs cannot be fetched here: {error}")
        return 0
    pytest = [sys.executable, "-m", "pytest"]
    if asked[0] == "-n":
        return subprocess.run([*pytest, *spread(asked[1]), *asked[2:]], check=False).returncode
    return room.enter([*pytest, *asked])


def spread(count: str) -> list[str]:
    """Return what has tests run in several rooms at once: each worker of pytest-xdist is in one of its own."""
    python = shlex.join([sys.executable, "-m", "tests.e2e.room", sys.executable])
    return ["--dist=worksteal", f"--tx={count}*popen//python={python}"]


def collected(words: list[str]) -> str:
    """The tests that pytest finds by these words."""
    argv = [sys.executable, "-m", "pytest", "--collect-only", "-q", *words]
    return subprocess.run(argv, check=False, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
