"""The files around a project: those of this machine, or those that came with a document.

Whatever a compose file names is read through a `FileSystem`, and so through the door in `tycho.files`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Protocol, Self

from msgspec import Struct, field

from tycho.compose.yaml_nodes import MAX_BYTES
from tycho.errors import SourceError
from tycho.files import Budget, FileContent, FileRefused, Reason, is_below, is_file, read_file, read_named
from tycho.files.folder import FolderContent, Withhold, read_folder

MAX_MOUNT = 1024 * 1024  # of a mounted file or folder: what a ConfigMap can hold
NO_DISK = "no file system"


class FileSystem(Protocol):
    """The files around a project."""

    def renewed(self) -> Self:
        """Return the same files, of which nothing was read yet."""

    def resolve(self, path: str) -> str:
        """Return where a path leads when all links are followed."""

    def has(self, path: str) -> bool:
        """Tell whether there is such a file, and it is a regular one."""

    def read(self, path: str, *, roots: tuple[str, ...] = (), limit: int = MAX_BYTES) -> FileContent:
        """Read one file.

        Raises:
            FileRefused: It is not there, or cannot be read.
        """

    def carry(self, path: str, *, roots: tuple[str, ...], withhold: Withhold) -> FileContent | FolderContent:
        """Read a file, or all files below a folder.

        Raises:
            FileRefused: Nothing of it can travel.
        """


class LocalFileSystem(Struct):
    """The machine's own files, within a budget; what several services mount is read once."""

    budget: Budget = field(default_factory=Budget)
    carried: dict[str, FileContent | FolderContent | FileRefused] = field(default_factory=dict)

    def renewed(self) -> Self:
        """Return them with a budget of their own."""
        return type(self)()

    def resolve(self, path: str) -> str:
        """Return where a path leads when all links are followed."""
        return os.path.realpath(path)

    def has(self, path: str) -> bool:
        """Tell whether there is such a file, and it is a regular one."""
        return is_file(path)

    def read(self, path: str, *, roots: tuple[str, ...] = (), limit: int = MAX_BYTES) -> FileContent:
        """Read one file.

        Raises:
            FileRefused: It is not there, or cannot be read.
        """
        return read_file(path, limit=limit, roots=roots, budget=self.budget)

    def carry(self, path: str, *, roots: tuple[str, ...], withhold: Withhold) -> FileContent | FolderContent:
        """Read a file, or all files below a folder.

        Raises:
            FileRefused: Nothing of it can travel.
        """
        if path not in self.carried:
            try:
                self.carried[path] = read_folder(
                    path, limit=MAX_MOUNT, roots=roots, withhold=withhold, budget=self.budget
                )
            except FileRefused as error:
                self.carried[path] = error
        content = self.carried[path]
        if isinstance(content, FileRefused):
            raise content
        return content


class InMemoryFileSystem(Struct, frozen=True):
    """No disk: the files that came with the document, and no others; some of them are programs."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    executable: frozenset[str] = frozenset()

    def renewed(self) -> Self:
        """Return itself: reading costs nothing."""
        return self

    def resolve(self, path: str) -> str:
        """Return the path: there are no links."""
        return path

    def has(self, path: str) -> bool:
        """Tell whether a file came along."""
        return path in self.files

    def read(self, path: str, *, roots: tuple[str, ...] = (), limit: int = MAX_BYTES) -> FileContent:
        """Read a file that came along.

        Raises:
            FileRefused: There is none, or it is too large.
        """
        if path not in self.files:
            raise FileRefused(Reason.ABSENT)
        if roots and not is_below(path, roots):
            raise FileRefused(Reason.OUTSIDE)
        if len(self.files[path]) > limit:
            raise FileRefused(Reason.LARGE, f"larger than {limit >> 20} MiB")
        return self._content(path)

    def carry(self, path: str, *, roots: tuple[str, ...], withhold: Withhold) -> FileContent | FolderContent:
        """Read a file that came along, or those below a folder.

        Raises:
            FileRefused: There are none, or they are too large.
        """
        if why := withhold(path):
            raise FileRefused(Reason.WITHHELD, why)
        if path in self.files:
            return self.read(path, roots=roots, limit=MAX_MOUNT)
        prefix = "" if path == "." else f"{path}/"
        below = {name[len(prefix) :]: name for name in sorted(self.files) if name.startswith(prefix)}
        if not below:
            raise FileRefused(Reason.ABSENT, NO_DISK)
        reasons = {key: withhold(name) for key, name in below.items()}
        files = tuple((key, self._content(name)) for key, name in below.items() if not reasons[key])
        if sum(len(file.content) for _, file in files) > MAX_MOUNT:
            raise FileRefused(Reason.LARGE, f"more than {MAX_MOUNT >> 20} MiB")
        return FolderContent(files, tuple((key, why) for key, why in reasons.items() if why))

    def _content(self, path: str) -> FileContent:
        return FileContent(path, self.files[path], 0o755 if path in self.executable else 0o644)


class RecordingFileSystem(LocalFileSystem):
    """The machine's own files, and a record of what was read of them: that is what a project needs elsewhere.

    Args:
        seen: What was read, by path as it was asked for.
    """

    seen: dict[str, FileContent] = field(default_factory=dict)

    def renewed(self) -> Self:
        """Return them with a budget of their own, and the same record."""
        return type(self)(seen=self.seen)

    def read(self, path: str, *, roots: tuple[str, ...] = (), limit: int = MAX_BYTES) -> FileContent:
        """Read one file, and note it.

        Raises:
            FileRefused: It is not there, or cannot be read.
        """
        self.seen[path] = super().read(path, roots=roots, limit=limit)
        return self.seen[path]

    def carry(self, path: str, *, roots: tuple[str, ...], withhold: Withhold) -> FileContent | FolderContent:
        """Read a file, or all files below a folder, and note them; what is secret among them, too.

        Raises:
            FileRefused: Nothing of it can travel.
        """
        content = super().carry(path, roots=roots, withhold=withhold)
        if isinstance(content, FileContent):
            self.seen[path] = content
        else:
            self.seen |= {os.path.join(path, key): file for key, file in content.files}
        return content


def read_given(path: str) -> bytes | None:
    """Read a file that the caller names: a compose file or variables, also from a pipe; None where there is none.

    Raises:
        SourceError: It is there, and cannot be read, or is too large.
    """
    return _or_none(path, lambda: read_named(path, limit=MAX_BYTES))


def read_found(path: str) -> bytes | None:
    """Read a file that was found where nobody named it; None where there is none.

    Raises:
        SourceError: It is there, and cannot be read, or is too large.
    """
    return _or_none(path, lambda: read_file(path, limit=MAX_BYTES).content)


def source_error(path: str, error: FileRefused) -> SourceError:
    """Say which file is refused, and why."""
    large = error.reason is Reason.LARGE
    return SourceError(f"{path}: {error.detail}", hint="split it, and include the parts" if large else "")


def _or_none(path: str, read: Callable[[], bytes]) -> bytes | None:
    try:
        return read()
    except FileRefused as error:
        if error.reason is Reason.ABSENT:
            return None
        raise source_error(path, error) from error
