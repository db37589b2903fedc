"""Private folders and files, and the lock that keeps two commands from the same work."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tycho.errors import OrchestratorError
from tycho.outputs import write_file

Progress = Callable[[str], None]
"""Called with a line about what takes time."""
ELSEWHERE = "set XDG_STATE_HOME and XDG_CACHE_HOME to folders that you may write to"


def no_progress(_: str) -> None:
    """Tell nobody."""


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner may enter, as far as it is not there.

    Raises:
        OrchestratorError: It cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise OrchestratorError(f"{folder} cannot be made: {error.strerror}", hint=ELSEWHERE) from error
    return folder


def write_private(path: Path, content: bytes) -> Path:
    """Write a file that only its owner may read, wholly or not at all."""
    return write_file(path, content, 0o600)


@contextmanager
def exclusive_lock(folder: Path, progress: Progress = no_progress) -> Iterator[None]:
    """Hold a folder's lock: nobody else works in there meanwhile.

    Raises:
        OrchestratorError: The folder cannot be written to.
    """
    path = private_folder(folder) / ".lock"
    try:
        file = path.open("w")
    except OSError as error:
        raise OrchestratorError(f"{path} cannot be written: {error.strerror}", hint=ELSEWHERE) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another tycho that is at work here")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
