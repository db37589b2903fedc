"""Read a folder that somebody names, whole or but for what cannot travel."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable, Iterator

from msgspec import Struct, field

from tycho.files import (
    VALUES_MARK,
    Budget,
    FileContent,
    FileRefused,
    Reason,
    Stays,
    check_regular,
    is_below,
    read_file,
    refusal,
    resolve,
)

MAX_ENTRIES = 10_000  # files and folders below one folder
MAX_FILES = 2_000  # files that one folder brings along
MAX_DEPTH = 32  # folders in folders
CHART_TIME = 315532800  # seconds, of every entry of an archive that Tycho packs


class FolderContent(Struct, frozen=True):
    """What a folder brings along.

    Args:
        files: Path below the folder, and the file.
        left_out: Path below the folder of what stays, and why.
        copied: Paths of links whose target's content travels in their place.
    """

    files: tuple[tuple[str, FileContent], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    copied: tuple[str, ...] = ()


Withhold = Callable[[str], str]
"""Tell why the file or folder of a resolved path never travels; "" for one that may."""


def read_folder(
    path: str, *, limit: int, roots: tuple[str, ...], withhold: Withhold, budget: Budget
) -> FileContent | FolderContent:
    """Read a regular file, or the regular files below a folder in the order of their paths.

    A link is followed where it leads to below a root. What cannot travel is left out, one by one, with its reason.

    Args:
        path: As somebody named it.
        limit: Bytes that they may hold together.
        roots: Resolved folders, below one of which everything must lie.
        withhold: What never travels.
        budget: What may be read together.

    Raises:
        FileRefused: Of the file, or of the folder as a whole.
    """
    real = resolve(path, roots)
    try:
        mode = os.stat(real, follow_symlinks=False).st_mode
    except OSError as error:
        raise refusal(error) from error
    if why := withhold(real) or withhold(path):
        raise FileRefused(Reason.WITHHELD, why)
    if not stat.S_ISDIR(mode):
        return read_file(real, limit=limit, roots=roots, budget=budget)
    walk = _Walk(roots, withhold, budget)
    try:
        walk.enter(real, "", (real,))
    except OSError as error:
        raise refusal(error) from error
    if walk.size > limit or len(walk.listed) > MAX_FILES:
        raise FileRefused(Reason.LARGE, f"more than {limit >> 20} MiB, or {MAX_FILES} files")
    files = []
    for name, place in sorted(walk.listed):
        try:
            file = read_file(place, limit=limit, roots=roots, budget=budget)
        except FileRefused as error:
            if error.reason is Reason.LARGE:
                raise
            walk.left_out.append((name, str(error)))
            continue
        limit -= len(file.content)
        if why := _written_by_tycho(name, file.content):
            walk.left_out.append((name, why))
        else:
            files.append((name, file))
    return FolderContent(tuple(files), tuple(sorted(walk.left_out)), tuple(sorted(walk.copied)))


class _Walk(Struct):
    """List the files below a folder; nothing is opened but folders."""

    roots: tuple[str, ...]
    withhold: Withhold
    budget: Budget
    listed: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    size: int = 0
    entries: int = 0

    def enter(self, folder: str, prefix: str, around: tuple[str, ...]) -> None:
        with os.scandir(folder) as entries:
            names = sorted(self._counted(entries))
        if "Chart.yaml" in names and "tycho-report.json" in names:
            if not prefix:
                raise FileRefused(Reason.WITHHELD, Stays.CHART)
            self.left_out.append((prefix, Stays.CHART))
            return
        for name in names:
            if why := self._look(f"{folder.rstrip('/')}/{name}", prefix + name, around):
                self.left_out.append((prefix + name.encode(errors="replace").decode(), why))

    def _counted(self, entries: Iterator[os.DirEntry[str]]) -> Iterator[str]:
        for entry in entries:
            self.entries += 1
            self.budget.list()
            if self.entries > MAX_ENTRIES:
                raise FileRefused(Reason.LARGE, f"more than {MAX_ENTRIES} files and folders")
            yield entry.name

    def _look(self, path: str, name: str, around: tuple[str, ...]) -> str:
        """List one entry, or tell why it stays."""
        if not name.isprintable():
            return "its name holds what is no printable text"
        try:
            linked = os.path.islink(path)
            real = os.path.realpath(path) if linked else path
            if linked and not is_below(real, self.roots):
                return "a link that leads out of the project"
            if why := self.withhold(path) or self.withhold(real):
                return why
            status = os.stat(real, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                return self._folder(real, name, around, linked=linked)
            check_regular(status)
        except FileRefused as error:
            if error.reason is Reason.LARGE:
                raise
            return error.detail
        except FileNotFoundError:
            return "a link that leads nowhere"
        except OSError as error:
            return str(refusal(error))
        self.size += status.st_size
        self.listed.append((name, real))
        if linked:
            self.copied.append(name)
        return ""

    def _folder(self, real: str, name: str, around: tuple[str, ...], *, linked: bool) -> str:
        if real in around:
            return "a link that leads back to a folder around it"
        if len(around) >= MAX_DEPTH:
            return f"more than {MAX_DEPTH} folders deep"
        if linked:
            self.copied.append(name)
        self.enter(real, f"{name}/", (*around, real))
        return ""


def _written_by_tycho(name: str, content: bytes) -> str:
    """Tell what a file is that an earlier command wrote: values with secrets, or a packed chart."""
    if content.startswith(VALUES_MARK.encode()):
        return Stays.VALUES
    if name.endswith(".tgz") and content[:2] == b"\x1f\x8b":
        try:
            head = zlib.decompressobj(31).decompress(content, 512)
        except zlib.error:
            return ""
        if head[:100].rstrip(b"\0").endswith(b"/Chart.yaml") and head[136:147] == b"%011o" % CHART_TIME:
            return Stays.PACKED
    return ""
