"""Programs that go on running: started, recognised again, and ended, always by their own id."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tycho.errors import OrchestratorError
from tycho.toolchain.process import tail, until

__all__ = ["Process", "start", "stop", "tail", "until"]
PATIENCE = 0.5  # seconds between asking a program to end and ending it: nothing that it would save is wanted
GONE = 5.0  # seconds in which the kernel lets a killed process go


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


def stop(processes: Iterable[Process], patience: float = PATIENCE) -> None:
    """End processes: asked first, then made to.

    Args:
        processes: Which; those that have ended are no matter.
        patience: Seconds that they have to end by themselves.
    """
    ours = tuple(processes)
    for sent, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, GONE)):
        for process in ours:
            with suppress(ProcessLookupError):
                if process.alive:
                    os.kill(process.pid, sent)
        until(lambda: not any(process.alive for process in ours), seconds)


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
