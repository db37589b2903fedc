"""The only door to a disk: everything that the loader ever reads there it reads through a `Files`."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tycho.compose.tree import MAX_BYTES
from tycho.errors import SourceError
from tycho.model import File

MAX_MOUNT = 1024 * 1024  # of a mounted file or tree: what a ConfigMap can hold


class Files(Protocol):
    """The files around a project."""

    def read(self, path: str) -> bytes | None:
        """A file's content; None when there is none."""

    def has(self, path: str) -> bool:
        """Whether there is such a file, and it is a file."""

    def tree(self, path: str) -> tuple[tuple[File, ...] | None, str]:
        """A file, or all files below a folder; or None, and in a few words why not."""


class Disk:
    """The machine's own files."""

    def read(self, path: str) -> bytes | None:
        """A file's content; None when there is none.

        Raises:
            SourceError: It is there, and cannot be read, or is too large.
        """
        try:
            with open(path, "rb") as file:
                content = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceError(f"{path}: {(error.strerror or str(error)).lower()}") from error
        if len(content) > MAX_BYTES:
            raise SourceError(f"{path}: larger than {MAX_BYTES >> 20} MiB", hint="split it, and include the parts")
        return content

    def has(self, path: str) -> bool:
        """Whether there is such a file, and it is a file."""
        return Path(path).is_file()

    def tree(self, path: str) -> tuple[tuple[File, ...] | None, str]:
        """A regular file, or the regular files below a folder, in order; never a socket, a device or a link out."""
        root = Path(path)
        try:
            if root.is_file():
                return _whole([(root, "")])
            if not root.is_dir():
                return None, "not a file or folder" if root.exists() else "absent"
            found = (Path(at, name) for at, _, names in os.walk(root) for name in names)
            return _whole([(file, file.relative_to(root).as_posix()) for file in found])
        except OSError as error:
            return None, f"cannot be read: {(error.strerror or str(error)).lower()}"


def _whole(found: list[tuple[Path, str]]) -> tuple[tuple[File, ...] | None, str]:
    files, total = [], 0
    for path, name in sorted(found, key=lambda pair: pair[1]):
        if not path.is_file():
            return None, f"{name or path} is not a regular file"
        total += path.stat().st_size
        if total > MAX_MOUNT:
            return None, f"larger than {MAX_MOUNT >> 20} MiB"
        mode = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644  # what git keeps of a mode
        files.append(File(path=name, content=path.read_bytes(), mode=mode))
    return tuple(files), ""


@dataclass(frozen=True)
class Nowhere:
    """No disk: the files that came with the document, and no others."""

    files: Mapping[str, bytes] = field(default_factory=dict)

    def read(self, path: str) -> bytes | None:
        """A file that came along."""
        return self.files.get(path)

    def has(self, path: str) -> bool:
        """Whether a file came along."""
        return path in self.files

    def tree(self, path: str) -> tuple[tuple[File, ...] | None, str]:
        """A file that came along, or those below a folder."""
        if path in self.files:
            return (File(path="", content=self.files[path]),), ""
        prefix = "" if path == "." else f"{path}/"
        below = {name[len(prefix) :]: name for name in sorted(self.files) if name.startswith(prefix)}
        if below:
            return tuple(File(path=key, content=self.files[name]) for key, name in below.items()), ""
        return None, "no file system"
