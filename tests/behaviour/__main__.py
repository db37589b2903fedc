"""`python -m tests.behaviour`: what both sides need is fetched out here; then the judge goes into the room."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.behaviour import images, programs
from tests.e2e import room
from tests.e2e.__main__ import say
from tycho.errors import TychoError


def main() -> int:
    """Judge the systems, or say in one line why this machine cannot."""
    os.environ["PATH"] = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    if why := room.lacking():
        say(f"behaviour skipped: {why}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the room is cleared then, too
    try:
        images.images(programs.programs(say), say)
    except (TychoError, subprocess.CalledProcessError) as error:
        say(f"behaviour skipped: what both sides need cannot be fetched here: {error}")
        return 0
    return room.enter([sys.executable, "-m", "tests.behaviour.run", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
