"""One private folder a process for everything temporary: it goes with the process, or the next one removes it.

The folder is locked as long as its owner lives, however that ends: a folder that can be locked has no owner.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from tycho.errors import FileError

PREFIX = "tycho-work-"
_OURS = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}")
_making = Lock()
_roots: dict[int, tuple[Path, int]] = {}  # process -> its folder, and the descriptor that holds the lock
_abandoned: set[str] = set()  # folders that this process has removed


def root() -> Path:
    """Open this process's folder; it is made, and what killed processes left is removed, at the first use.

    Raises:
        OSError: There is no folder for temporary files that may be written to.
    """
    with _making:
        process = os.getpid()
        if process not in _roots:
            _roots.clear()  # a parent's, which this process was forked from
            parent = Path(tempfile.gettempdir())
            remove_abandoned(parent, _OURS.fullmatch)
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            while (lock := hold(path)) is None:  # somebody took it for abandoned before it was locked
                path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            _roots[process] = path, lock
            atexit.register(close)
        return _roots[process][0]


def sweep() -> None:
    """Remove what killed processes of this user left, also for a command that makes no folder itself."""
    with contextlib.suppress(OSError):  # there may be no folder for temporary files at all
        remove_abandoned(Path(tempfile.gettempdir()), _OURS.fullmatch)


@contextmanager
def temporary(name: str) -> Iterator[Path]:
    """Make a folder for one purpose, which is gone afterwards.

    Args:
        name: What it is for.

    Raises:
        FileError: There is no folder for temporary files that may be written to, or no room in it.
    """
    try:
        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root()))
    except OSError as error:
        raise _without_place(error) from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def write(path: Path, content: bytes) -> Path:
    """Write a file of a temporary folder.

    Args:
        path: Of the file.
        content: All that it holds.

    Raises:
        FileError: There is no room for it.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise _without_place(error, path) from error
    return path


def lives(name: str) -> bool | None:
    """Tell whether the process whose folder has a name lives; None where this machine cannot know.

    Args:
        name: Of the folder, without its place; whatever somebody wrote.
    """
    if name in _abandoned:
        return False
    path = Path(tempfile.gettempdir(), name)
    if not _OURS.fullmatch(name) or not path.is_dir() or path.lstat().st_uid != os.geteuid():
        return None
    if (lock := hold(path)) is None:
        return True
    os.close(lock)
    return False


def close() -> None:
    """Remove this process's folder."""
    with _making:
        path, lock = _roots.pop(os.getpid(), (None, -1))
        if path:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def hold(path: Path) -> int | None:
    """Lock a file or a folder for as long as the descriptor is open; None when it is somebody's, or gone.

    Args:
        path: A file or a folder, no link.
    """
    try:
        lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(path.lstat(), os.fstat(lock)):
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


def remove_abandoned(folder: Path, ours: Callable[[str], object]) -> None:
    """Remove what this user's killed processes left in a folder.

    Args:
        folder: Where to look.
        ours: Whether a name is one that only Tycho gives.
    """
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            if ours(entry.name):
                with contextlib.suppress(OSError):
                    _remove(Path(entry.path), is_folder=entry.is_dir(follow_symlinks=False))


def _without_place(error: OSError, path: Path | None = None) -> FileError:
    """Make the error for a temporary file or folder that cannot be: most often its disk is full."""
    place = path or error.filename
    return FileError(
        f"{place} cannot be written: {error.strerror}" if place else str(error.strerror or error),
        hint="free some space there, or set TMPDIR to a folder that can be written to",
    )


def _remove(path: Path, *, is_folder: bool) -> None:
    if path.lstat().st_uid != os.geteuid() or (lock := hold(path)) is None:
        return
    try:
        if is_folder:
            _abandoned.add(path.name)
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(lock)
