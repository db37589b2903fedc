"""Full disks and folders that cannot be written to: one message says so, and the cluster stays as it is.

Nothing at all can be written by these commands but a small disk of their own, which is all that TMPDIR, HOME and the
cache have. So what works here works without a disk.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import TYCHO, Run

pytestmark = pytest.mark.xdist_group("cluster")
FILE = """
name: narrow
services: {web: {image: "nginx:${TAG:-1}", ports: ["80"], volumes: ["data:/data"]}}
volumes: {data: {}}
"""
PAGE = 4096
SEALED = """
mount -o remount,ro,bind / || exit 77
for place in /tmp /var/tmp /home /root; do
  if mountpoint -q "$place"; then mount -o remount,ro,bind "$place"; fi
done
mount -t tmpfs -o size=256k tmpfs "$DISK" && mkdir "$DISK/tmp" "$DISK/home" "$DISK/cache" || exit 77
if [ "$LEFT" ]; then
  dd if=/dev/zero of="$DISK/fill" bs=4096 2>/dev/null
  truncate -s "-$LEFT" "$DISK/fill"
fi
exec "$@"
"""
Sealed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def sealed(env: dict[str, str], folder: Path, tmp_path: Path) -> Sealed:
    """Runs the command where nothing can be written but a disk that has so many bytes left; "" for plenty."""
    (tmp_path / "disk").mkdir()
    (folder / "compose.yaml").write_text(FILE)
    disk = tmp_path / "disk"
    places = {"TMPDIR": disk / "tmp", "HOME": disk / "home", "XDG_CACHE_HOME": disk / "cache", "DISK": disk}
    unshare = ["unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)), "sh", "-c", SEALED, "sh"]

    def run(*argv: str, left: int | str, **variables: str) -> subprocess.CompletedProcess[str]:
        whole = {**env, **{key: str(path) for key, path in places.items()}, "LEFT": str(left), **variables}
        done = subprocess.run(
            [*unshare, TYCHO, *argv],
            cwd=folder, env=whole, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 77 or done.stderr.startswith("unshare: "):
            pytest.skip("NO SMALL DISK: this machine lets nobody mount one")
        assert "Traceback" not in done.stderr
        assert "internal error" not in done.stderr
        return done

    return run


@pytest.mark.parametrize("left", [0, PAGE])
def test_a_full_disk_changes_nothing(tycho: Run, tool: Run, sealed: Sealed, folder: Path, left: int) -> None:
    """With nothing left, and with room for a folder alone: what needs a file says so, all else works."""

    def check_refused(*argv: str) -> None:
        refused = sealed(*argv, left=left)
        first, hint = refused.stderr.splitlines()
        assert refused.returncode == 3
        assert first.startswith("No usable temporary") or first.endswith("cannot be written: No space left on device")
        assert hint == "  hint: free some space there, or set TMPDIR to a folder that can be written to"

    check_refused("up")
    assert "narrow" not in tool("kubectl", "get", "namespaces", "-o", "name").stdout
    for tag in ("1", "2"):
        tycho("up", cwd=folder, TAG=tag)
    before = tycho("history", "-o", "json", cwd=folder).stdout
    for command in ("up -q", "pause -q", "modify -q --cpu 100m"):
        check_refused(*command.split())
    assert tycho("history", "-o", "json", cwd=folder).stdout == before
    assert "drifted" not in tycho("status", "--drift", cwd=folder).stderr
    assert "leases" not in tool("kubectl", "get", "leases", "-A", "-l", "executor=tycho", "-o", "name").stdout
    for command in ("status", "ps", "history", "doctor", "restart -q", "rollback -q"):
        assert sealed(*command.split(), left=left).returncode == 0, command
    images = ("get", "deployments", "-A", "-l", "executor=tycho", "-o", "yaml")
    assert "image: nginx:1\n" in tool("kubectl", *images).stdout
    removed = sealed("down", left=left)
    assert (removed.returncode, removed.stderr.splitlines()[-1]) == (0, "deleted volume data (1Gi)")
    assert "narrow" not in tool("kubectl", "get", "namespaces", "-o", "name").stdout


def test_a_home_that_cannot_be_written_to(tycho: Run, sealed: Sealed, tmp_path: Path) -> None:
    """Only what keeps something there needs it, and says what to set instead."""
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_STATE_HOME": str(tmp_path / "state")}
    (tmp_path / "state/tycho/clusters").mkdir(parents=True)
    for command in ("up", "status", "up --dry-run", "pause", "resume", "restart", "diff", "down"):
        done = sealed(*command.split(), left="", **home)
        assert done.returncode == 0, (command, done.stderr)
    for command, variables in (("cluster create", {}), ("up --local", {"XDG_STATE_HOME": str(tmp_path / "none")})):
        refused = sealed(*command.split(), left="", **{**home, **variables})
        assert refused.returncode == 30
        first, hint = refused.stderr.splitlines()[-2:]
        assert first.endswith("Read-only file system")
        assert hint == "  hint: set XDG_STATE_HOME and XDG_CACHE_HOME to folders that you may write to"
