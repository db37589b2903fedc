"""Nothing that a document or a container wrote acts on the reader's terminal, and no message tells a password."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tycho.cli import show
from tycho.errors import Problem, TychoError

TYCHO = Path(sys.executable).with_name("tycho")
ESCAPES = "\x1b[31mred\x1b[2J\x9b1m\x07\x7f\u202e"


def run(folder: Path, *argv: str, **variables: bytes | str) -> subprocess.CompletedProcess[bytes]:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **variables}
    return subprocess.run([TYCHO, *argv], cwd=folder, env=env, capture_output=True, check=False)  # type: ignore[arg-type]


def acts(text: str | bytes) -> list[str]:
    """The characters of an output that could act."""
    shown = text.decode() if isinstance(text, bytes) else text
    return [char for char in shown if not char.isprintable() and char not in "\n\t"]


def write(folder: Path, **services: object) -> None:
    (folder / "compose.yaml").write_text(json.dumps({"name": "demo", "services": services}), encoding="utf-8")


DOCUMENTS: dict[str, dict[str, object]] = {
    "unknown key": {"web": {"image": "x", ESCAPES: 1}},
    "required variable": {"web": {"image": "${X:?" + ESCAPES + "}"}},
    "value": {"web": {"image": "x", "restart": ESCAPES}},
    "service": {ESCAPES: {"image": "x"}},
    "ignored row": {"web": {"image": "x", "hostname": ESCAPES}},
    "warning": {"web": {"image": "${UNSET}x", "labels": {ESCAPES: "y"}}},
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
@pytest.mark.parametrize("argv", [["compile"], ["config", "--format", "json"]], ids="-".join)
def test_documents_do_not_act(tmp_path: Path, document: dict[str, object], argv: list[str]) -> None:
    write(tmp_path, **document)
    done = run(tmp_path, *argv)
    assert done.returncode in (0, 10), done.stderr
    assert acts(done.stdout) == []
    assert acts(done.stderr) == []


def test_data_stays_data(tmp_path: Path) -> None:
    """What is escaped in JSON and YAML is read as it was."""
    write(tmp_path, web={"image": "x", "labels": {"a": ESCAPES, "b": "\x85\u2028\ufeff", "c": "on"}})
    for read, name in ((json.loads, "json"), (yaml.safe_load, "yaml")):
        document = read(run(tmp_path, "config", "--format", name).stdout)
        assert document["services"]["web"]["labels"] == {"a": ESCAPES, "b": "\x85\u2028\ufeff", "c": "on"}


@pytest.mark.parametrize("url", [
    "http://user:secretword@127.0.0.1:9/?token=secretword", "ftp://user:secretword@127.0.0.1", "//u:secretword@x",
    "http://user:secretword@[",
])  # fmt: skip
def test_passwords_of_addresses_are_masked(tmp_path: Path, url: str) -> None:
    write(tmp_path, web={"image": "x"})
    done = run(tmp_path, "up", "--service", url)
    assert done.returncode
    assert b"secretword" not in done.stdout + done.stderr, done.stderr
    assert b"internal error" not in done.stderr


@pytest.mark.parametrize(("read", "path"), [
    ({"image": "${BAD}"}, "services.web.image"),
    ({"image": "x", "environment": ["BAD"]}, "services.web.environment.BAD"),
    ({"image": "x", "environment": {"A": "${GOOD:-${BAD}}"}}, "services.web.environment.A"),
])  # fmt: skip
def test_bytes_of_the_environment(tmp_path: Path, read: object, path: str) -> None:
    """Only who reads such a variable hears of it."""
    write(tmp_path, web={"image": "x"})
    assert run(tmp_path, "compile", BAD=b"a\xffb").returncode == 0
    write(tmp_path, web=read)
    done = run(tmp_path, "compile", BAD=b"a\xffb")
    assert done.returncode == 10
    stderr = done.stderr.decode()
    assert f"{path}: it reads the variable BAD, which holds bytes that are not UTF-8 text" in stderr
    assert "1 problem;" in stderr


def test_secrets_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services: {web: {image: x, secrets: [s], configs: [c]}}\n"
        "secrets: {s: {environment: BAD}}\nconfigs: {c: {environment: BAD}}\n"
    )
    stderr = run(tmp_path, "compile", BAD=b"\xff").stderr.decode()
    assert "secrets.s.environment: it reads the variable BAD" in stderr
    assert "configs.c.environment: it reads the variable BAD" in stderr


def test_names_of_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"d\xff")).mkdir()
    write(tmp_path, web={"image": "x"})
    done = run(tmp_path, "compile", "-o", os.fsdecode(b"d\xff/chart"))
    assert done.returncode == 0, done.stderr
    assert b"internal error" not in done.stderr
    (tmp_path / "folder").mkdir()
    (Path(os.fsdecode(os.fsencode(tmp_path / "folder") + b"/f\xff"))).write_text("x")
    write(tmp_path, web={"image": "x", "volumes": ["./folder:/folder:ro"]})
    done = run(tmp_path, "compile")
    assert done.returncode == 0, done.stderr
    assert b"its name holds what is no printable text): f?" in done.stdout


def terminal(code: str) -> str:
    """What a program writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", code], stdout=theirs) as process:
        os.close(theirs)
        pieces = []
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            pieces.append(piece)
    os.close(ours)
    assert process.returncode == 0
    return b"".join(pieces).decode()


def test_lines_of_containers() -> None:
    """On a terminal they keep their colours; for a program they stay as they are."""
    code = f"from tycho.cli import show; show.log({ESCAPES!r}); show.emit({ESCAPES!r})"
    log, out = terminal(code).splitlines()
    assert log == "\x1b[31mred\\x1b[2J\\x9b1m\\x07\\x7f\\u202e\x1b[0m"
    assert out == "\\x1b[31mred\\x1b[2J\\x9b1m\\x07\\x7f\\u202e"
    piped = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert piped.decode() == f"{ESCAPES}\n{ESCAPES}\n"


def test_everything_shown_is_safe(capsys: pytest.CaptureFixture[str]) -> None:
    url = "redis://u:secretword@cache"
    show.info(f"{ESCAPES}{url}")
    show.error(TychoError(f"{ESCAPES}{url}", hint=f"{ESCAPES}{url}"))
    show.error(
        TychoError("x", problems=[Problem(f"{ESCAPES}.yaml", 1, f"a.{ESCAPES}", f"{ESCAPES}{url}", f"{url}{ESCAPES}")])
    )
    show.table([("A", "B"), (ESCAPES, f"{ESCAPES}\n{url}")])
    written = capsys.readouterr()
    assert acts(written.out + written.err) == []
    assert "secretword" not in written.out + written.err
    assert len(written.out.splitlines()) == 2
