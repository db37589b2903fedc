"""Versions of programs, remembered until their files change: asking a program takes a twentieth of a second."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tycho.errors import FileError, UsageError
from tycho.settings import settings
from tycho.toolchain.files import write_private

Version = tuple[int, ...]


def recall_version(path: Path) -> Version | None:
    """Return the version of a program that was asked before; None where it was not, or its file has changed.

    Raises:
        OSError: There is no such file.
    """
    return _read().get(_key(path))


def remember_version(path: Path, version: Sequence[int]) -> None:
    """Keep the version of a program, and forget those of files that are gone; where nothing can be kept, it is not."""
    known = {key: value for key, value in _read().items() if _path(key) != path and _path(key).exists()}
    known[_key(path)] = tuple(version)
    note = settings().cache_dir / "versions.json"
    with suppress(OSError, FileError, UsageError):
        note.parent.mkdir(parents=True, exist_ok=True)
        write_private(note, json.dumps(known).encode())


def _read() -> dict[str, Version]:
    with suppress(OSError, ValueError, TypeError, AttributeError):
        known = json.loads((settings().cache_dir / "versions.json").read_bytes())
        return {str(key): tuple(map(int, version)) for key, version in known.items()}
    return {}


def _key(path: Path) -> str:
    status = path.stat()
    return f"{path} {status.st_mtime_ns} {status.st_size}"


def _path(key: str) -> Path:
    return Path(key.rsplit(" ", 2)[0])
