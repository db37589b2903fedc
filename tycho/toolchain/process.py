"""What is common to programs that take their time: signals that wait, conditions that are awaited, ends of logs."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
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


def find_processes(folder: Path, names: Sequence[str]) -> dict[str, int]:
    """Find programs that run for a folder: the id of each, by name.

    A process is known by its command line, which has the folder in it: an id alone may have passed to another process
    since.

    Args:
        folder: The folder that their command lines name.
        names: Of the programs.
    """
    processes: dict[str, int] = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            words = path.read_bytes().decode(errors="replace").split("\0")
            name = words[0].rpartition("/")[2]
            if name in names and any(f"{folder}/" in word for word in words):
                processes[name] = int(path.parent.name)
    return {name: processes[name] for name in names if name in processes}


def is_running(pid: int) -> bool:
    """Return whether a process has not ended; its command line is gone before its ports are free."""
    try:
        # proc(5): the name in parentheses may hold anything; the state follows.
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def tail(log: Path) -> str:
    """Return the end of a log."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "(it left no log)"
    return "\n".join(line[:400] for line in lines[-LAST:]) or "(its log is empty)"
