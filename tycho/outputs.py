"""Files that a user asked for: written wholly or not at all, and never in the place of something else.

Each is written under another name beside its place, and moved there when it is complete. What a killed process left
under such a name goes with the next write to the same place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tycho.errors import FileError, UsageError
from tycho.workspace import hold, remove_abandoned

ELSEWHERE = "name another place"
_MARK = ".tycho-"
_STAGED = re.compile(r"\..*\.tycho-[0-9a-f]{12}")


def write_file(path: Path, content: bytes, mode: int = 0o644) -> Path:
    """Write a file, or leave what is there as it is.

    Args:
        path: A regular file, or nothing as yet.
        content: All of it.
        mode: Its permissions; the caller's umask narrows them.

    Raises:
        UsageError: Something else than a regular file is there.
        FileError: It cannot be written; what was there is unchanged.
    """
    with explained(path):
        check_regular(path)
        _remove_staged(path)
        staged = _beside(path)
        handle = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            with os.fdopen(handle, "wb") as file, _held(staged):
                file.write(content)
                file.flush()
                check_regular(path)
                staged.replace(path)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
    return path


def write_tree(folder: Path, files: Mapping[str, bytes], *, stale: str = "", moment: int | None = None) -> None:
    """Write a folder's files, or leave all as it is; other files in there stay.

    Args:
        folder: Is made, with those above it.
        files: Path in the folder to content.
        stale: Pattern of files that are removed unless they are among `files`.
        moment: Time of last change that the files get, in seconds since 1970.

    Raises:
        UsageError: Something else than a folder or a regular file is in the way.
        FileError: It cannot be written; nothing has changed.
    """
    with explained(folder):
        if os.path.lexists(folder) and not folder.is_dir():
            raise UsageError(f"{folder} is {_described(folder.lstat().st_mode)}, not a folder", hint=ELSEWHERE)
        folder = folder.resolve()
        made = [parent for parent in (folder, *folder.parents) if not os.path.lexists(parent)]
        try:
            _write_tree(folder, files, stale, moment)
        except BaseException:
            for parent in made:
                with contextlib.suppress(OSError):
                    parent.rmdir()
            raise


def make_folder(folder: Path) -> None:
    """Make a folder, with those above it, as far as they are not there.

    Raises:
        OSError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def check_regular(path: Path | str) -> None:
    """Refuse a place that holds something else than a regular file.

    Raises:
        UsageError: Says what is there.
    """
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(kind):
        raise UsageError(f"{path} is {_described(kind)}, not a file", hint=ELSEWHERE)


def is_staged(name: str) -> bool:
    """Tell whether a name is one that a killed process may have left behind."""
    return bool(_STAGED.fullmatch(name))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system says into an error that names the place.

    Raises:
        FileError: Instead of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from error


def _write_tree(folder: Path, files: Mapping[str, bytes], stale: str, moment: int | None) -> None:
    """Stage beside a folder that is new, or in one that is there: both are on its file system."""
    new = not folder.exists()
    make_folder(folder.parent)
    _remove_staged(folder)
    changed = files
    if not new:
        _remove_staged(folder / "chart")
        _check_ways(folder, files)
        changed = {path: files[path] for path in files if not _is_written(f"{folder}/{path}", files[path], moment)}
    staged = _beside(folder if new else folder / "chart")
    staged.mkdir()
    try:
        with _held(staged):
            for parent in _list_parents(changed):
                (staged / parent).mkdir()
            for path, content in changed.items():
                with open(f"{staged}/{path}", "xb") as file:
                    file.write(content)
                    file.flush()
                    if moment is not None:
                        os.utime(file.fileno(), (moment, moment))
            if new:
                staged.rename(folder)
            else:
                known = {path.relative_to(folder).as_posix() for path in folder.glob(stale)} if stale else set()
                _move_in(staged, folder, changed, sorted(known - files.keys()))
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _move_in(staged: Path, folder: Path, files: Iterable[str], stale: Iterable[str]) -> None:
    """Put staged files into their places, and take stale ones away; should one fail, all places are as before."""
    former = staged / ".former"
    undo: list[tuple[Path, Path | None]] = []  # a place, and what was there
    try:
        for parent in [folder / above for above in _list_parents(files)]:
            if not parent.exists():
                parent.mkdir()
                undo.append((parent, None))
        for path in files:
            place, kept = folder / path, None
            if place.exists():
                kept = _copy(place, former / path)
            undo.append((place, kept))
            (staged / path).replace(place)
        for path in stale:
            kept = former / path
            kept.parent.mkdir(parents=True, exist_ok=True)
            undo.append((folder / path, kept))
            (folder / path).replace(kept)
    except BaseException:
        for place, kept in reversed(undo):
            _restore(place, kept)
        raise


def _copy(place: Path, kept: Path) -> Path:
    """Keep a file under a second name; as a copy where the file system has no such thing."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(place, kept)
    except OSError:
        shutil.copy2(place, kept)
    return kept


def _restore(place: Path, kept: Path | None) -> None:
    with contextlib.suppress(OSError):
        if kept:
            kept.replace(place)
        elif place.is_dir():
            place.rmdir()
        else:
            place.unlink()


def _check_ways(folder: Path, files: Iterable[str]) -> None:
    """Refuse to write through a link that somebody put into the folder, or over something else than a file."""
    for parent in [folder / above for above in _list_parents(files)]:
        if os.path.lexists(parent) and not stat.S_ISDIR(parent.lstat().st_mode):
            raise UsageError(f"{parent} is {_described(parent.lstat().st_mode)}, not a folder", hint=ELSEWHERE)
    for path in files:
        check_regular(f"{folder}/{path}")


def _list_parents(files: Iterable[str]) -> list[str]:
    """List the folders that files stand in, each after those above it."""
    folders = {path.rpartition("/")[0] for path in files}
    return sorted({str(above) for folder in folders for above in (Path(folder), *Path(folder).parents)} - {"."})


def _is_written(place: str, content: bytes, moment: int | None) -> bool:
    """Tell whether a file is there, and is what it shall become."""
    try:
        status = os.stat(place)
        if status.st_size != len(content) or moment not in (None, status.st_mtime):
            return False
        with open(place, "rb") as file:
            return file.read() == content
    except OSError:
        return False  # absent, or not to be read


def _described(kind: int) -> str:
    names = {
        stat.S_IFLNK: "a link",
        stat.S_IFDIR: "a folder",
        stat.S_IFREG: "a file",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return names.get(stat.S_IFMT(kind), "a device")


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name[:200]}{_MARK}{secrets.token_hex(6)}")


def _remove_staged(path: Path) -> None:
    start = f".{path.name[:200]}{_MARK}"
    remove_abandoned(path.parent, lambda name: name.startswith(start) and is_staged(name))


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Keep others from taking what is being staged for abandoned."""
    lock = hold(path)  # None where the file system has no locks
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)
