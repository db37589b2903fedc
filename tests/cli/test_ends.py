"""How commands end before their time: signals, closed and full streams, places that cannot be written to."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import TYCHO

SMALL = "name: small\nservices: {web: {image: nginx, ports: ['80']}}\n"
ROOT = os.geteuid() == 0
# A policy that says that it runs, and goes on until it is ended.
ENDLESS = "import pathlib\n\n\ndef apply(system):\n    pathlib.Path('begun').touch()\n    while True:\n        pass\n"
Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(SMALL)
    (tmp_path / "tmp").mkdir()
    return tmp_path


def variables(here: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "XDG_CACHE_HOME")}
    return {**kept, "TMPDIR": str(here / "tmp"), "KUBECONFIG": str(here / "none"), **more}


def tycho(here: Path, *argv: str, shell: str = '"$@"', **more: str) -> Ran:
    """Run the command as a shell would, its streams redirected."""
    words = ["bash", "-c", shell, "bash", str(TYCHO), *argv]
    return subprocess.run(words, cwd=here, env=variables(here, **more), capture_output=True, text=True, check=False)


def single_message(ran: Ran) -> str:
    """The message: one line, and hints below it."""
    first, *others = ran.stderr.splitlines()
    assert all(line.startswith("  hint: ") for line in others), ran.stderr
    assert "internal error" not in ran.stderr
    return first


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_compile(here: Path, number: signal.Signals) -> None:
    (here / "policies").mkdir()
    (here / "policies/50-endless.py").write_text(ENDLESS)
    command = [TYCHO, "compile", "--policies", "policies", "-o", "chart", "--values", "values.yaml"]
    process = subprocess.Popen(command, cwd=here, env=variables(here), stderr=subprocess.PIPE, text=True)
    while not (here / "begun").exists():
        assert process.poll() is None
    process.send_signal(number)
    _, stderr = process.communicate()
    assert process.returncode == 128 + number
    assert stderr == ("interrupted\n" if number == signal.SIGINT else f"interrupted by {number.name}\n")
    assert {path.name for path in here.iterdir()} == {"compose.yaml", "policies", "begun", "tmp"}
    assert list((here / "tmp").iterdir()) == []


def test_nohup_is_respected(here: Path) -> None:
    (here / "policies").mkdir()
    (here / "policies/50-hup.py").write_text(
        "import os, signal\n\n\ndef apply(system):\n    os.kill(os.getpid(), signal.SIGHUP)\n    return system\n"
    )
    shell = 'trap "" HUP; exec "$@"'
    assert tycho(here, "compile", "--policies", "policies", "-o", "chart", shell=shell).returncode == 0
    assert tycho(here, "compile", "--policies", "policies", "-o", "chart").returncode == 129


STREAMS = {
    "closed output": ('"$@" >&-', 3, "standard output is closed"),
    "full output": ('"$@" >/dev/full', 3, "standard output cannot be written: No space left on device"),
    "closed both": ('"$@" >&- 2>&-', 3, None),
    "closed errors": ('"$@" 2>&-', 0, None),
    "full errors": ('"$@" 2>/dev/full', 0, None),
    "closed input": ('"$@" <&-', 0, None),
    "all closed": ('"$@" <&- >&- 2>&-', 3, None),
    "nobody reads": ('set -o pipefail; "$@" | :', 141, None),
}


@pytest.mark.parametrize(("shell", "code", "message"), STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("argv", [("compile", "--report"), ("version",), ("config",)], ids=lambda argv: argv[0])
def test_streams_end_no_command_badly(
    here: Path, argv: tuple[str, ...], shell: str, code: int, message: str | None
) -> None:
    if "| :" in shell:
        shell = 'set -o pipefail; "$@" | { exec <&-; sleep 0.01; }'
        ran = tycho(here, *argv, shell=shell)
        assert ran.returncode in (0, 141)  # it may have written all before the other end was closed
    else:
        ran = tycho(here, *argv, shell=shell)
        assert ran.returncode == code, ran.stderr
    assert "Exception" not in ran.stderr
    assert "Traceback" not in ran.stderr
    if message:
        assert message in ran.stderr.splitlines()


def test_a_broken_pipe_is_silent(here: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [TYCHO, "config"], cwd=here, env=variables(here), stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (ran.returncode, ran.stderr) == (141, b"")


def test_a_closed_output_is_no_file(here: Path) -> None:
    ran = tycho(here, "compile", "-o", "chart", shell='"$@" >&-')  # noqa: S604
    assert ran.returncode == 3
    assert (here / "chart/Chart.yaml").read_text().startswith("apiVersion")


OUTPUTS = {
    "proc": (("compile", "-o", "/proc/x"), 3, "/proc/x cannot be written: No such file or directory"),
    "below a file": (("compile", "-o", "compose.yaml/x"), 3, "compose.yaml/x cannot be written: Not a directory"),
    "a file": (("compile", "-o", "compose.yaml"), 2, "compose.yaml is a file, not a folder"),
    "device": (("compile", "--values", "/dev/full"), 2, "/dev/full is a device, not a file"),
    "folder": (("compile", "--values", "tmp"), 2, "tmp is a folder, not a file"),
    "no folder": (("compile", "--values", "no/x"), 3, "no/x cannot be written: No such file or directory"),
    "package": (("package", "-d", "/proc/x"), 3, "/proc/x/small-"),
    "package below a file": (("package", "-d", "compose.yaml"), 3, "compose.yaml/small-"),
}


@pytest.mark.parametrize(("argv", "code", "message"), OUTPUTS.values(), ids=OUTPUTS)
def test_a_place_that_cannot_be(here: Path, argv: tuple[str, ...], code: int, message: str) -> None:
    before = sorted(here.rglob("*"))
    ran = tycho(here, *argv)
    assert ran.returncode == code
    assert single_message(ran).startswith(message)
    assert sorted(here.rglob("*")) == before


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not ROOT:
        pytest.skip("NO SMALL DISK: only root can mount one")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("NO SMALL DISK: this machine lets nobody mount one")
    yield folder
    subprocess.run(["umount", folder], check=True)


FILLS = {
    "chart": ("compile", "-o", "disk/new/chart"),
    "chart that is there": ("compile", "-o", "disk/chart"),
    "archive": ("package", "-d", "disk"),
    "values": ("compile", "--values", "disk/values.yaml"),
}


@pytest.mark.parametrize("argv", FILLS.values(), ids=FILLS)
def test_a_full_disk_is_left_as_it_was(here: Path, disk: Path, argv: tuple[str, ...]) -> None:
    (disk / "chart").mkdir()
    (disk / "chart/Chart.yaml").write_text("name: old\n")
    (disk / "fill").write_bytes(b"x" * 4096 * 5)
    before = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
    if "--values" in argv or "package" in argv:
        before[disk / "fill"] = b"x" * 4096 * 7
        (disk / "fill").write_bytes(before[disk / "fill"])
    ran = tycho(here, *argv)
    assert ran.returncode == 3
    assert single_message(ran).endswith("cannot be written: No space left on device")
    assert {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()} == before
    assert not (disk / "new").exists()


def nobody() -> int:
    """A user id that has no entry."""
    known = {entry.pw_uid for entry in pwd.getpwall()}
    return next(number for number in range(54321, 60000) if number not in known)


@pytest.mark.skipif(not ROOT, reason="NOT SHOWN: only root can become nobody")
def test_nobody_without_a_home_compiles(here: Path) -> None:
    here.chmod(0o777)
    for parent in here.parents:
        if parent.stat().st_mode & 0o005 != 0o005 and parent.is_relative_to("/tmp"):  # noqa: S108
            parent.chmod(0o755)
    if subprocess.run(
        ["setpriv", f"--reuid={nobody()}", "--clear-groups", sys.executable, "-c", ""], check=False
    ).returncode:
        pytest.skip("NOT SHOWN: this interpreter is its owner's alone")
    shell = f'unset HOME XDG_CACHE_HOME; exec setpriv --reuid={nobody()} --clear-groups "$@"'
    ran = tycho(here, "compile", "-o", "chart", shell=shell)
    assert ran.returncode == 0, ran.stderr
    created = tycho(here, "cluster", "create", shell=shell)
    assert created.returncode == 30
    assert "XDG_STATE_HOME" in created.stderr
    assert tycho(here, "status", shell=shell).stderr.startswith("no Kubernetes cluster answers")


@pytest.mark.parametrize("cache", ["missing", "a file", "full"])
def test_a_cache_is_only_a_cache(here: Path, cache: str, request: pytest.FixtureRequest) -> None:
    home = here / "cache"
    if cache == "a file":
        home.touch()
    elif cache == "full":
        home = request.getfixturevalue("disk")
        (home / "fill").write_bytes(b"x" * 4096 * 7)
    ran = tycho(here, "compile", "-o", "chart", XDG_CACHE_HOME=str(home))
    assert (ran.returncode, ran.stdout) == (0, "chart\n"), ran.stderr
    assert [path for path in home.rglob("*.tycho-*") if home.is_dir()] == []


def test_no_folder_for_temporary_files(here: Path) -> None:
    code = (
        "import tempfile; tempfile._candidate_tempdir_list = lambda: ['/proc/none']\n"
        "from tycho.workspace import root; root()"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "No usable temporary directory" in ran.stderr


FIELDS: dict[str, tuple[tuple[str, ...], str]] = {
    "version": (
        ("compile", "--chart-version", "1.0.0/../../../x", "-o", "chart"),
        '"1.0.0/../../../x" is not a version',
    ),
    "short version": (("package", "--chart-version", "1.0"), '"1.0" is not a version'),
    "v version": (("package", "--chart-version", "v1.0.0"), '"v1.0.0" is not a version'),
    "zero version": (("package", "--chart-version", "01.0.0"), '"01.0.0" is not a version'),
    "version in lines": (("package", "--chart-version", "1.0.0\n"), '"1.0.0'),
    "namespace": (("status", "-n", "../../.."), '"../../.." cannot be a namespace'),
    "option for a namespace": (("up", "-n", "--all"), '"--all" cannot be a namespace'),
    "long namespace": (("down", "x", "-n", "n" * 64), f'"{"n" * 64}" cannot be a namespace'),
    "namespace in capitals": (("history", "x", "-n", "Shop"), '"Shop" cannot be a namespace'),
    "context": (("status", "--context", "a\x1b[31m"), '"a\\x1b[31m" cannot be a context'),
    "registry": (("push", "https://example.com"), '"https://example.com" is not a registry'),
    "registry path": (("push", "oci://example.com/../x"), '"oci://example.com/../x" is not a registry'),
    "registry login": (("push", "oci://me:pw@example.com/x"), '"oci://me:***@example.com/x" is not a registry'),
    "registry option": (("push", "oci://--plain-http --x"), '"oci://--plain-http --x" is not a registry'),
}


@pytest.mark.parametrize(("argv", "message"), FIELDS.values(), ids=FIELDS)
def test_a_field_is_checked(here: Path, argv: tuple[str, ...], message: str) -> None:
    before = sorted(here.rglob("*"))
    ran = tycho(here, *argv)
    assert ran.returncode == 2, ran.stderr
    assert ran.stderr.startswith(message)
    assert sorted(here.rglob("*")) == before


def test_the_environment_is_checked_too(here: Path) -> None:
    assert tycho(here, "status", TYCHO_NAMESPACE="../x").stderr.startswith('"../x" cannot be a namespace')
    assert tycho(here, "status", TYCHO_CONTEXT="a\nb").returncode == 2


@pytest.mark.parametrize("version", ["1.2.3", "0.0.0-a.1+b.2", "1.0.0-0A.is.legal", "10.20.30+21AF26D3---117B344092BD"])
def test_a_version_is_a_version(here: Path, version: str) -> None:
    ran = tycho(here, "package", "--chart-version", version)
    assert ran.returncode == 0
    assert (here / f"small-{version}.tgz").exists()
