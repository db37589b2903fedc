"""Programs that go on running: started, recognised again, and ended, always by their own id."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tycho.errors import OrchestratorError

PATIENCE = 0.5  # seconds between asking a program to end and ending it: nothing that it would save is wanted
GONE = 5.0  # seconds in which the kernel lets a killed process go
POLL = 0.05
LAST = 12  # lines of a log that an error shows


@dataclass(frozen=True, slots=True)
class Process:
    """A process that can be told from a later one with the same id.

    Args:
        pid: Its id.
        started: The boot and the clock tick that it started in.
    """

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return _started(self.pid) == self.started


def start(argv: Sequence[str | Path], log: Path) -> Process:
    """Start a program that outlives this one: a session of its own, no input, output to a file.

    Args:
        argv: The program's path and its arguments.
        log: Where its output goes.

    Raises:
        OrchestratorError: It cannot be started.
    """
    words = [str(word) for word in argv]
    output = (os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        pid = os.posix_spawn(
            words[0],
            words,
            {"PATH": os.defpath},  # nothing of the caller's environment is its business
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), *output),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise OrchestratorError(f"{words[0]} cannot be started: {error.strerror}") from error
    return Process(pid, _started(pid))


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


def stop(processes: Iterable[Process], patience: float = PATIENCE) -> None:
    """End processes: asked first, then made to.

    Args:
        processes: Which; those that have ended are no matter.
        patience: Seconds that they have to end by themselves.
    """
    ours = tuple(processes)
    for sent, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, GONE)):
        for one in ours:
            with suppress(ProcessLookupError):
                if one.alive:
                    os.kill(one.pid, sent)
        until(lambda: not any(one.alive for one in ours), seconds)


def until(met: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition, and say whether it was met in time."""
    end = time.monotonic() + seconds
    while not met():
        if time.monotonic() > end:
            return False
        time.sleep(POLL)
    return True


def tail(log: Path) -> str:
    """The end of a log."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "(it left no log)"
    return "\n".join(line[:400] for line in lines[-LAST:]) or "(its log is empty)"


def _started(pid: int) -> str:
    """When a process started, in a form that no other process has; "" when it has ended."""
    try:
        # proc(5): the name in parentheses may hold anything; then state is field 3, num_threads 20, starttime 22
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    if fields[0] in "ZX" and int(fields[17]) <= 1:  # until its last thread ends, its ports are taken
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return ""
    return f"{_boot()}/{fields[19]}"


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
