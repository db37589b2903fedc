"""What is common to programs that take their time: signals that wait, conditions that are awaited, ends of logs."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

POLL = 0.05
LAST = 12  # lines of a log that an error shows


@contextmanager
def delay_signals() -> Iterator[Callable[[], None]]:
    """Keep signals that would interrupt this process until what must be one step is done.

    A process that a signal interrupts while it starts another knows no id of it, and can never end it.

    Yields:
        Lets the signals do what they do, those that have come meanwhile at once. Leaving the block does it, too.
    """
    held: list[int] = []
    former: dict[int, Any] = {}

    def release() -> None:
        for number, handler in former.items():
            signal.signal(number, handler)
        former.clear()
        while held:
            signal.raise_signal(held.pop())

    if threading.current_thread() is threading.main_thread():  # no other can be interrupted
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if callable(signal.getsignal(number)):
                former[number] = signal.signal(number, lambda number, frame: held.append(number))
    try:
        yield release
    finally:
        release()


def until(met: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition, and return whether it was met in time."""
    end = time.monotonic() + seconds
    while not met():
        if time.monotonic() > end:
            return False
        time.sleep(POLL)
    return True


def tail(log: Path) -> str:
    """Return the end of a log."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "(it left no log)"
    return "\n".join(line[:400] for line in lines[-LAST:]) or "(its log is empty)"
