"""`python -m tests.behaviour`: what both sides need is fetched out here; then the judge goes into the room."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.behaviour import images, programs
from tests.behaviour.engine import INIT
from tests.e2e import room
from tests.e2e.__main__ import say
from tycho.errors import TychoError


def main() -> int:
    """Judge the systems, or say in one line why this machine cannot."""
    os.environ["PATH"] = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    if why := room.lacking() or _lacking():
        say(f"behaviour skipped: {why}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the room is cleared then, too
    try:
        images.images(programs.programs(say), say)
    except (TychoError, subprocess.CalledProcessError) as error:
        say(f"behaviour skipped: what both sides need cannot be fetched here: {error}")
        return 0
    return room.enter([sys.executable, "-m", "tests.behaviour.run", *sys.argv[1:]])


def _lacking() -> str:
    """Why no engine can run here, where a node can; "" when one can."""
    needs = {"tini": Path(INIT), "libseccomp-dev": Path("/usr/include/seccomp.h")}
    built = all(program.cached.exists() for program in programs.ENGINE)
    absent = [name for name, path in needs.items() if not path.exists() and not (built and name != "tini")]
    return f"an engine takes the packages {', '.join(absent)}" if absent else ""


if __name__ == "__main__":
    sys.exit(main())
