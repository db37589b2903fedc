"""The door for files: what it opens, what it refuses, and that it does no more work than it may."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tycho.files import Budget, FileRefused, Reason, is_below, names_host, read_file, read_named
from tycho.files.folder import MAX_DEPTH, MAX_ENTRIES, FolderContent, read_folder

LIMIT = 1 << 20


def refused(path: Path | str, **more: object) -> Reason:
    with pytest.raises(FileRefused) as error:
        read_file(str(path), limit=LIMIT, **more)  # type: ignore[arg-type]
    return error.value.reason


def folder(path: Path, root: Path, budget: Budget | None = None, **withheld: str) -> FolderContent:
    def withhold(real: str) -> str:
        return withheld.get(os.path.basename(real).replace(".", "_"), "")

    content = read_folder(str(path), limit=LIMIT, roots=(str(root),), withhold=withhold, budget=budget or Budget())
    assert isinstance(content, FolderContent)
    return content


def test_read_regular_file(tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(b"x")
    (tmp_path / "run").chmod(0o700)
    (tmp_path / "link").symlink_to("run")
    file = read_file(str(tmp_path / "link"), limit=1)
    assert (file.path, file.content, file.mode) == (str(tmp_path / "run"), b"x", 0o755)
    assert "x'" not in repr(file)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/proc/self/environ", Reason.SYSTEM),
        ("/etc/../proc/self/environ", Reason.SYSTEM),
        ("/proc/self/cwd/pyproject.toml", Reason.SYSTEM),
        ("/sys/kernel/notes", Reason.SYSTEM),
        ("/dev/null", Reason.SYSTEM),
        ("/dev/stdin", Reason.SYSTEM),
        ("/dev/fd/0", Reason.SYSTEM),
        ("/nowhere/at/all", Reason.ABSENT),
        ("/etc/hostname/x", Reason.ABSENT),
        ("/etc", Reason.IRREGULAR),
        ("/tmp/a\0b", Reason.UNREADABLE),  # noqa: S108 - never opened
        ("/tmp/\ud800", Reason.UNREADABLE),  # noqa: S108
        ("/tmp/" + "x" * 300, Reason.UNREADABLE),  # noqa: S108
    ],
)
def test_refuse_by_place(path: str, reason: Reason) -> None:
    assert refused(path) is reason


def test_refuse_what_is_irregular(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "environ").symlink_to("/proc/self/environ")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert refused(tmp_path / "socket") is Reason.IRREGULAR
    assert refused(tmp_path / "pipe") is Reason.IRREGULAR
    assert refused(tmp_path / "link") is Reason.IRREGULAR
    assert refused(tmp_path / "loop") is Reason.IRREGULAR
    assert refused(tmp_path / "environ") is Reason.SYSTEM


def test_contain_the_resolved_path(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "inner").write_bytes(b"beside, with a name that begins alike")
    (tmp_path / "in" / "out").symlink_to("../inner")
    roots = (str(tmp_path / "in"),)
    assert refused(tmp_path / "inner", roots=roots) is Reason.OUTSIDE
    assert refused(tmp_path / "in" / "out", roots=roots) is Reason.OUTSIDE
    assert refused(tmp_path / "in" / ".." / "inner", roots=roots) is Reason.OUTSIDE
    assert read_file(str(tmp_path / "in" / "out"), limit=LIMIT, roots=(str(tmp_path),)).content


def test_replaced_before_it_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder on the way becomes a link, or the file a pipe, between the look and the opening."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    for place in (inside / "conf", outside):
        place.mkdir(parents=True)
        (place / "a").write_bytes(place.name.encode())
    real_open = os.open

    def swapped(path: str, flags: int) -> int:
        (inside / "conf").rename(tmp_path / "gone")
        (inside / "conf").symlink_to(outside)
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", swapped)
    assert refused(inside / "conf" / "a", roots=(str(inside),)) is Reason.OUTSIDE
    monkeypatch.undo()

    def piped(path: str, flags: int) -> int:
        Path(path).unlink()
        os.mkfifo(path)
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", piped)
    assert refused(outside / "a") is Reason.IRREGULAR


def test_size_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "exact").write_bytes(b"x" * LIMIT)
    (tmp_path / "more").write_bytes(b"x" * (LIMIT + 1))
    assert len(read_file(str(tmp_path / "exact"), limit=LIMIT).content) == LIMIT
    assert refused(tmp_path / "more") is Reason.LARGE
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert refused(tmp_path / "sparse") is Reason.LARGE


def test_budget_bounds_all_together(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"12345")
    budget = Budget(size=12, files=2)
    for name in "ab":
        read_file(str(tmp_path / name), limit=LIMIT, budget=budget)
    assert refused(tmp_path / "c", budget=budget) is Reason.LARGE
    assert refused(tmp_path / "c", budget=Budget(size=4)) is Reason.LARGE
    assert budget.opened == [str(tmp_path / name) for name in "abc"]


def test_caller_may_name_pipes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"A=1",))
    writer.start()
    assert read_named(str(tmp_path / "pipe"), limit=LIMIT) == b"A=1"
    writer.join()
    reading, writing = os.pipe()
    os.write(writing, b"B=2")
    os.close(writing)
    assert read_named(f"/dev/fd/{reading}", limit=LIMIT) == b"B=2"
    os.close(reading)
    assert read_named("/dev/null", limit=LIMIT) == b""
    for path in ("/dev/zero", str(tmp_path)):
        with pytest.raises(FileRefused) as error:
            read_named(path, limit=LIMIT)
        assert error.value.reason is Reason.IRREGULAR


def test_names_of_the_host() -> None:
    assert all(map(names_host, ("/", "/etc", "//x", "~", "~/x", "~root/x", "C:\\x", "d:/x", "\\\\server\\x")))
    assert not any(map(names_host, (".", "./x", "../x", "x", "x~", "conf/..", "a:b", "")))


def test_below_in_memory() -> None:
    assert is_below("conf/x", (".",))
    assert not is_below("../x", (".",))
    assert is_below("../x", ("..",))
    assert not is_below("../../x", ("..",))
    assert not is_below("/etc", ("..", "."))


def test_folder_leaves_out_one_by_one(tmp_path: Path) -> None:
    root, conf = tmp_path / "project", tmp_path / "project" / "conf"
    (conf / "deep").mkdir(parents=True)
    (root / "real").mkdir()
    for path in (conf / "a", conf / "deep" / "b", root / "real" / "c", tmp_path / "host", conf / "hidden.key"):
        path.write_bytes(path.name.encode())
    links = {
        "dangling": "nowhere", "loop": "loop", "out": "../../host", "absolute": "/etc/passwd", "up": "..", "self": ".",
        "file": "../real/c", "dir": "../real", "environ": "/proc/self/environ",
    }  # fmt: skip
    for name, target in links.items():
        (conf / name).symlink_to(target)
    os.mkfifo(conf / "pipe")
    (conf / "line\nbreak").write_bytes(b"")
    Path(os.fsdecode(os.fsencode(conf) + b"/\xff")).write_bytes(b"")
    content = folder(conf, root, hidden_key="a secret")
    up = [name for name, _ in content.files if name.startswith("up/")]
    assert up == ["up/real/c"]
    assert [name for name, _ in content.files if name not in up] == ["a", "deep/b", "dir/c", "file"]
    assert content.copied == ("dir", "file", "up")
    assert dict(content.left_out) == {
        "dangling": "a link that leads nowhere", "loop": "is a link in a circle",
        "out": "a link that leads out of the project", "absolute": "a link that leads out of the project",
        "environ": "a link that leads out of the project",
        "self": "a link that leads back to a folder around it",
        "up/conf": "a link that leads back to a folder around it",
        "hidden.key": "a secret", "pipe": "is a pipe",
        "line\nbreak": "its name holds what is no printable text", "?": "its name holds what is no printable text",
    }  # fmt: skip


def test_links_do_not_multiply(tmp_path: Path) -> None:
    """Two links to the next folder, forty deep: the work is bounded, not 2 ** 40."""
    for level in range(40):
        (tmp_path / f"d{level}").mkdir()
        for name in "ab":
            (tmp_path / f"d{level}" / name).symlink_to(f"../d{level + 1}")
    (tmp_path / "d40").mkdir()
    budget = Budget()
    with pytest.raises(FileRefused) as error:
        folder(tmp_path / "d0", tmp_path, budget)
    assert error.value.reason is Reason.LARGE
    assert Budget().entries - budget.entries <= MAX_ENTRIES + 1
    assert budget.opened == []


def test_depth_is_bounded(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * (MAX_DEPTH + 3))
    deep.mkdir(parents=True)
    (deep / "x").write_bytes(b"x")
    content = folder(tmp_path, tmp_path)
    assert (content.files, [why for _, why in content.left_out]) == ((), [f"more than {MAX_DEPTH} folders deep"])


def test_large_folders_are_not_read(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"x" * (LIMIT // 2))
    budget = Budget()
    with pytest.raises(FileRefused, match="too large"):
        folder(tmp_path, tmp_path, budget)
    assert budget.opened == []


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder of nobody's, who has no right to read everything."""
    with TemporaryDirectory() as name:
        if root := os.geteuid() == 0:
            os.chown(name, 65534, 65534)
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            if root:
                os.seteuid(0)


def test_unreadable_parts_are_named(shared: Path) -> None:
    (shared / "private").mkdir(mode=0)
    (shared / "key").touch(mode=0)
    (shared / "a").touch()
    content = folder(shared, shared)
    assert [name for name, _ in content.files] == ["a"]
    assert dict(content.left_out) == {
        "private": "cannot be read: permission denied", "key": "cannot be read: permission denied"
    }  # fmt: skip
    assert refused(shared / "key") is refused(shared / "private" / "x") is Reason.UNREADABLE
    with pytest.raises(FileRefused, match="cannot be read: permission denied"):
        folder(shared / "private", shared)
    (shared / "private").chmod(0o700)
