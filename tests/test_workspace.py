"""The folder for temporary files: private, and gone however its process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tycho.workspace import PREFIX, hold

KEEP = """
import sys
from tycho.workspace import root, temporary
with temporary("keys") as folder:
    (folder / "key").write_text("secret")
    print(root(), flush=True)
    sys.stdin.read()
"""
LOOK = "from tycho.workspace import root; print(root())"


def start(folder: Path, code: str = KEEP) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(folder)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def look(folder: Path) -> Path:
    """Another process, which has a folder of its own and ends."""
    process, path = start(folder, LOOK)
    process.communicate()
    return path


def test_what_is_gone_before_it_is_locked_is_nobodys(tmp_path: Path) -> None:
    assert hold(tmp_path / "gone") is None


def test_it_is_private_and_temporary(tmp_path: Path) -> None:
    process, path = start(tmp_path)
    assert path.parent == tmp_path
    assert path.stat().st_mode & 0o777 == 0o700
    assert [file.read_text() for file in path.glob("keys-*/key")] == ["secret"]
    process.communicate()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_is_cleared_up(tmp_path: Path) -> None:
    process, path = start(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert path.exists()
    look(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_that_lives_is_kept(tmp_path: Path) -> None:
    process, path = start(tmp_path)
    try:
        assert look(tmp_path) != path
        assert [file.read_text() for file in path.glob("keys-*/key")] == ["secret"]
    finally:
        process.communicate()


@pytest.mark.parametrize("name", ["tycho-project", f"{PREFIX}mine", f"{PREFIX}abcdefgh.txt", "tycho"])
def test_what_others_named_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    look(tmp_path)
    assert (tmp_path / name).is_dir()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    (tmp_path / "tmp").mkdir()
    (tmp_path / f"tmp/{PREFIX}abcdefgh").symlink_to(tmp_path / "precious")
    look(tmp_path / "tmp")
    assert (tmp_path / "precious/file").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT SHOWN: only root can give a folder to somebody else")
def test_another_users_folder_stays(tmp_path: Path) -> None:
    other = tmp_path / f"{PREFIX}abcdefgh"
    other.mkdir()
    os.chown(other, 12345, 12345)
    look(tmp_path)
    assert other.is_dir()


def test_a_fork_has_one_of_its_own(tmp_path: Path) -> None:
    code = """
import os, sys
from tycho.workspace import root
mine = root()
if os.fork() == 0:
    print(root() != mine and mine.is_dir(), flush=True)
    sys.exit()
os.wait()
print(mine.is_dir())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "True"]
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_needs_none_clears_up_too(tmp_path: Path) -> None:
    process, path = start(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert path.exists()
    argv = [sys.executable, "-m", "tycho", "status", "-b", "memory"]
    subprocess.run(argv, env={**os.environ, "TMPDIR": str(tmp_path)}, check=True, capture_output=True)
    assert list(tmp_path.iterdir()) == []
