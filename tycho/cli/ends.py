"""How a command ends before its time: by signals and by streams that nobody reads any more or that are full."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from tycho import workspace
from tycho.cli import show
from tycho.errors import FileError

if TYPE_CHECKING:  # a command that asks nobody anything needs none of it
    import asyncio

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BROKEN_PIPE = 128 + signal.SIGPIPE


class _EndState:
    """What signals have said.

    Args:
        number: The first signal that asked this process to end; 0 when none has.
        task: What it then cancels; without one, it interrupts.
        advice: What to do about a command that a signal has ended.
        failure: The exit code of whatever goes wrong; 0 for the error's own.
    """

    number: int = 0
    task: asyncio.Task[object] | None = None
    advice: str = ""
    failure: int = 0


def listen() -> None:
    """Have every signal that asks a process to end do what Ctrl-C does; one that is ignored stays so (nohup)."""
    for number in SIGNALS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, _end)


def cancel_on_signal(task: asyncio.Task[object] | None) -> None:
    """Have the first signal cancel a task, which can then end what it has started; a second one ends all at once."""
    _EndState.task = task


def received() -> int:
    """Tell which signal has asked this process to end; 0 when none has."""
    return _EndState.number


def advise(advice: str) -> None:
    """Set what is said when a signal ends this command: what was changed by then, and what to do next."""
    _EndState.advice = advice


def fail_with(code: int) -> None:
    """Set the exit code of whatever goes wrong with this command, where its other codes say what it has seen."""
    _EndState.failure = code


def choose_code(code: int) -> int:
    """Return the exit code of an error: its own, unless the command has set one for all."""
    return _EndState.failure or code


def forget() -> None:
    """Count a signal as answered."""
    _EndState.number = 0


def leave(code: int) -> NoReturn:
    """End this process: what was written is on its way, and no thread is waited for.

    Args:
        code: The exit code, unless a signal or a stream decides otherwise.
    """
    number = received()
    if number:
        code = 128 + number
        how = "interrupted" if number == signal.SIGINT else f"interrupted by {signal.Signals(number).name}"
        show.info(f"{how}: {_EndState.advice}" if _EndState.advice else how)
    code = _flush(code)
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)  # it ends already
    workspace.close()
    os._exit(code)


def open_streams() -> None:
    """Make closed streams harmless: no file that is opened later may take their numbers."""
    for number, mode in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # the lowest number that is free
    # A stream that was closed when Python started is None, whatever its type says.
    streams: dict[str, object] = vars(sys)
    if streams["stdin"] is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - as long as the process
    if streams["stderr"] is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if streams["stdout"] is None:
        sys.stdout = _Closed()
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be text


class _Closed(io.StringIO):
    """A standard output that is closed."""

    def write(self, text: str) -> int:
        """Refuse."""
        raise FileError("standard output is closed")


def _end(number: int, frame: FrameType | None) -> None:
    first = not _EndState.number
    _EndState.number = _EndState.number or number
    task = _EndState.task
    if first and task and not task.done():
        task.cancel()
        task.get_loop().call_soon_threadsafe(lambda: None)  # wake it up
        return
    raise KeyboardInterrupt


def _flush(code: int) -> int:
    """Write what is buffered; Python would only complain when it ends."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                code = code or BROKEN_PIPE
            elif number == 1:
                show.info(f"standard output cannot be written: {error.strerror}")
                code = choose_code(code or FileError.exit_code)
            with contextlib.suppress(OSError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, number)
                os.close(nowhere)
    return code
