"""The program: `tycho`, or `python -m tycho`.

Importing the command line takes a moment, in which Ctrl-C would be answered by a traceback.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

YOUNG = 50_000  # objects between two collections of garbage; Python's own is 700


def main() -> None:
    """Run the command line; until that can listen to signals, one ends this process at once."""
    defaults = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    for number, default in defaults.items():
        if signal.getsignal(number) is default:
            signal.signal(number, _end)
    # Almost all that a command makes are modules and a tree that stay: looking at them for garbage takes a sixteenth of
    # the processor time of `tycho compile`.
    gc.set_threshold(YOUNG)
    from tycho.cli import main as run

    run()


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End: nothing has begun yet."""
    name = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
    if sys.stderr is not None:
        os.write(2, f"interrupted{name}\n".encode())
    os._exit(128 + number)


if __name__ == "__main__":
    main()
