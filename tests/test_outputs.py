"""Files that a user asked for: whole or not at all, and never in the place of something else."""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tycho.chart import Chart
from tycho.chart.chart import EPOCH
from tycho.errors import FileError, TychoError, UsageError
from tycho.outputs import write_file

OLD = Chart("t", "1.0.0", {"Chart.yaml": "name: t\n", "values.yaml": "a: 1\n", "templates/old.yaml": "old\n"})
NEW = Chart("t", "2.0.0", {"Chart.yaml": "name: n\n", "files/x": b"x", "templates/new.yaml": "n" * 100_000})


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def small_files() -> Iterator[None]:
    """A disk that is full after 64 KiB of a file."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, former[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, former)
    signal.signal(signal.SIGXFSZ, handler)


def make_link(path: Path) -> None:
    (path.parent / "precious").write_text("precious")
    path.symlink_to(path.parent / "precious")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


OTHERS = {
    "link": make_link,
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "socket": make_socket,
    "device": lambda path: path.symlink_to("/dev/full"),
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_only_files_are_replaced(tmp_path: Path, make: Callable[[Path], object]) -> None:
    path = tmp_path / "values.yaml"
    make(path)
    before = names(tmp_path), path.lstat().st_mode, path.lstat().st_ino
    with pytest.raises(UsageError, match=r"values.yaml is a \w+, not a file"):
        write_file(path, b"new", 0o600)
    assert (names(tmp_path), path.lstat().st_mode, path.lstat().st_ino) == before
    if (tmp_path / "precious").exists():
        assert (tmp_path / "precious").read_text() == "precious"


def test_a_device_stays_one() -> None:
    with pytest.raises(UsageError, match="/dev/null is a device"):
        write_file(Path("/dev/null"), b"new")


def test_a_secret_file_is_private(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("old")
    write_file(tmp_path / "values.yaml", b"new", 0o600)
    assert (tmp_path / "values.yaml").read_bytes() == b"new"
    assert (tmp_path / "values.yaml").stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["values.yaml"]


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("old", [b"old", None])
def test_a_full_disk_changes_no_file(tmp_path: Path, old: bytes | None) -> None:
    path = tmp_path / "out"
    if old:
        path.write_bytes(old)
    with pytest.raises(FileError, match="out cannot be written: File too large"):
        write_file(path, b"x" * 100_000)
    assert tree(tmp_path) == ({"out": old} if old else {})


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_changes_no_chart(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "a/chart"
    if there:
        OLD.write(folder)
        (folder / "mine.yaml").write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(FileError, match="cannot be written: File too large"):
        NEW.write(folder)
    assert tree(tmp_path) == before
    assert (tmp_path / "a").exists() == there


def test_a_file_that_is_the_same_is_left_alone(tmp_path: Path) -> None:
    OLD.write(tmp_path)
    before = {path: (tmp_path / path).stat().st_ino for path in OLD.files}
    OLD.write(tmp_path)
    assert before == {path: (tmp_path / path).stat().st_ino for path in OLD.files}
    os.utime(tmp_path / "values.yaml")
    (tmp_path / "Chart.yaml").write_text("name: u\n")
    OLD.write(tmp_path)
    assert tree(tmp_path) == OLD.contents_by_path
    assert {path.stat().st_mtime for path in tmp_path.rglob("*") if path.is_file()} == {EPOCH}


def test_a_chart_replaces_a_chart(tmp_path: Path) -> None:
    OLD.write(tmp_path / "chart")
    (tmp_path / "chart/mine.yaml").write_text("mine")
    NEW.write(tmp_path / "chart")
    assert tree(tmp_path / "chart") == {
        "Chart.yaml": b"name: n\n", "files/x": b"x", "mine.yaml": b"mine", "templates/new.yaml": b"n" * 100_000,
        "values.yaml": b"a: 1\n",
    }  # fmt: skip
    assert (tmp_path / "chart/files/x").stat().st_mtime == 315532800
    assert names(tmp_path) == ["chart"]


def block_file(folder: Path) -> None:
    (folder / "files").mkdir()
    (folder / "files/x").symlink_to("/etc/passwd")


BLOCKED = {
    "a link for a file": block_file,
    "a link for a folder": lambda folder: (folder / "files").symlink_to("/tmp"),  # noqa: S108 - nothing is written
    "a file for a folder": lambda folder: (folder / "files").write_text("mine"),
    "a folder for a file": lambda folder: (folder / "files/x").mkdir(parents=True),
}


@pytest.mark.parametrize("block", BLOCKED.values(), ids=BLOCKED)
def test_a_chart_goes_through_no_link(tmp_path: Path, block: Callable[[Path], object]) -> None:
    OLD.write(tmp_path / "chart")
    block(tmp_path / "chart")
    before = tree(tmp_path)
    with pytest.raises(UsageError, match=r"files(/x)? is a \w+, not a "):
        NEW.write(tmp_path / "chart")
    assert tree(tmp_path) == before


def test_a_failing_move_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    OLD.write(tmp_path / "chart")
    before, replace, count = tree(tmp_path), Path.replace, 0

    def fail_late(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_late)
    with pytest.raises(FileError, match="chart cannot be written: Input/output error"):
        NEW.write(tmp_path / "chart")
    assert count > 3
    assert tree(tmp_path) == before
    assert not (tmp_path / "chart/files").exists()


@pytest.mark.parametrize(
    ("place", "kind"),
    [("/proc/x", FileError), ("/dev/null", UsageError), ("/dev/null/x", FileError), ("/sys/x", FileError)],
)
def test_no_chart_can_lie_there(place: str, kind: type[TychoError]) -> None:
    with pytest.raises(kind, match=f"^{place} "):
        NEW.write(Path(place))


KILLED = """
import os, sys
from pathlib import Path
from tycho.chart import Chart
from tycho.chart.chart import EPOCH
from tycho.outputs import write_file
def kill(*_): os.kill(os.getpid(), 9)
os.rename = Path.rename = Path.replace = kill
if sys.argv[1] == "file":
    write_file(Path("out"), b"new")
Chart("t", "1.0.0", {"Chart.yaml": "x", "templates/a.yaml": "b"}).write(Path("out"))
"""


@pytest.mark.parametrize("what", ["file", "folder", "chart"])
def test_leftovers_of_a_killed_run_go(tmp_path: Path, what: str) -> None:
    if what == "chart":
        OLD.write(tmp_path / "out")
    killed = subprocess.run([sys.executable, "-c", KILLED, what], cwd=tmp_path, check=False)
    assert killed.returncode == -9
    assert list(tmp_path.rglob(".*"))
    if what == "file":
        write_file(tmp_path / "out", b"new")
    else:
        NEW.write(tmp_path / "out")
    assert list(tmp_path.rglob(".*")) == []
