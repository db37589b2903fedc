"""`tycho status`: filters, the wide form, and what goes on to be shown, in terminals and in pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.conftest import TYCHO, Service, serving
from tests.cli.screen import open_screen, plain

FILE = """
services:
  web: {image: 'nginx:${TAG:-1}', ports: ['80'], labels: {team: blue, dot.ted/name: 'a=b'}}
  a-service-with-a-name-that-takes-all-the-room-there-is: {image: 'registry.example.org/team/project/image:1.2.3'}
"""
Tycho = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving("-b", "memory") as server:
        yield server


@pytest.fixture
def variables(service: Service, tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TYCHO_SERVICE": service.url}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a-project-whose-name-is-as-long-as-anybody-has-ever-written-one"
    folder.mkdir()
    (folder / "compose.yaml").write_text(FILE)
    return folder


@pytest.fixture
def tycho(variables: dict[str, str], project: Path) -> Iterator[Tycho]:
    def run(*argv: str, rc: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [TYCHO, *argv], cwd=project, capture_output=True, text=True, check=False, env={**variables, **more}
        )
        assert done.returncode == rc, f"rc {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    yield run
    run("down", "--force", *run("status", "-terse").stdout.split())


def test_filters(tycho: Tycho) -> None:
    tycho("up", "--name", "shop", TYCHO_USERNAME="ada")
    tycho("up", "--name", "other", TYCHO_USERNAME="bob")

    def names(*argv: str) -> list[str]:
        return [row["name"] for row in json.loads(tycho("status", "-o", "json", *argv).stdout)]

    assert names() == ["shop", "other"]
    assert names("--name", "shop") == names("--user", "ada") == names("shop") == ["shop"]
    assert names("-l", "team=blue", "-l", "dot.ted/name=a=b") == ["shop", "other"]
    assert names("-l", "team=blue", "--user", "bob") == ["other"]
    assert names("-l", "team=red") == names("--name", "shop", "--user", "bob") == []
    assert len(tycho("ls", "-terse", "--user", "bob").stdout.split()) == 1
    assert "leave out the IDs" in tycho("status", "shop", "--user", "ada", rc=2).stderr
    assert "write --label team=blue" in tycho("status", "-l", "team", rc=2).stderr


def test_a_pipe_has_all_of_it(tycho: Tycho) -> None:
    tycho("up")
    head, *rows = tycho("status", "-o", "wide").stdout.splitlines()
    assert head.split() == [
        "SYSTEM", "SERVICE", "KIND", "READY", "RESTARTS", "IMAGE", "NODE", "REVISION", "AGE", "USER", "NAMESPACE",
        "ADDRESS", "WHY",
    ]  # fmt: skip
    assert "registry.example.org/team/project/image:1.2.3" in rows[1]
    for text in (tycho("status").stdout, tycho("status", "-o", "wide").stdout, tycho("ps", "-o", "wide").stdout):
        assert "\x1b" not in text
        assert "…" not in text


def test_what_is_stopped_is_counted_apart(tycho: Tycho) -> None:
    """In the words of `ps` and the wide form, in the count of a system, and as data; nothing waits for it."""
    assert tycho("status", "--services").stdout == tycho("status").stdout == "None running\n"
    tycho("up")

    def read_ready(*argv: str) -> dict[str, str]:
        head, *rows = (line.split() for line in tycho(*argv).stdout.splitlines())
        return {row[1]: row[head.index("READY")] for row in rows}

    tycho("stop", "web")
    (system,) = json.loads(tycho("status", "-o", "json").stdout)
    other = next(service["name"] for service in system["services"] if not service["stopped"])
    assert read_ready("ps") == read_ready("status", "-o", "wide") == {"web": "stopped", other: "1/1"}
    assert {service["name"]: service["stopped"] for service in system["services"]} == {"web": True, other: False}
    assert " 1/1 (1 stopped) " in tycho("status").stdout
    assert " 1/1 (1 stopped) " in tycho("wait", "--timeout", "20").stdout
    tycho("pause")
    assert read_ready("ps") == {"web": "stopped", other: "paused"}
    assert " paused " in tycho("status").stdout
    tycho("resume")
    tycho("stop", other)
    assert " stopped " in tycho("status").stdout
    tycho("start", "web", other)
    assert " 2/2 " in tycho("status").stdout


def test_rows_fit_a_terminal(tycho: Tycho, variables: dict[str, str], project: Path) -> None:
    tycho("up")
    for columns, argv in ((80, []), (80, ["--services"]), (80, ["-o", "wide"]), (160, ["-o", "wide"])):
        with open_screen([TYCHO, "status", *argv], columns, variables, project) as screen:
            lines = plain(screen.read_all())
        assert max(map(len, lines)) <= columns
        rows = lines[: next(place for place, line in enumerate(lines) if line.startswith("note:"))]
        assert len(rows) == (3 if argv else 2)
        assert "\x1b[32m" in screen.text
    with open_screen([TYCHO, "status"], 80, {**variables, "NO_COLOR": "1"}, project) as screen:
        assert "\x1b[32m" not in screen.read_all()


def test_a_watch_in_a_terminal_is_drawn_again(tycho: Tycho, variables: dict[str, str], project: Path) -> None:
    tycho("up")
    with open_screen([TYCHO, "status", "--watch", "-o", "wide"], 100, variables, project) as screen:
        first = plain(screen.read_until("nginx:1 "))
        assert first[0].split()[0] == "SYSTEM"
        tycho("up", TAG="2")
        screen.read_until("nginx:2 ")
        screen.process.send_signal(signal.SIGINT)
        assert screen.process.wait() == 0
        assert "interrupted" not in screen.read_all()


@pytest.mark.parametrize(("argv", "head"), [([], "SYSTEM "), (["-o", "json"], '{"name"'), (["--services"], "SYSTEM ")])
def test_a_watch_in_a_pipe_writes_what_changes(
    tycho: Tycho, variables: dict[str, str], project: Path, argv: list[str], head: str
) -> None:
    tycho("up")
    pipe = subprocess.PIPE
    with subprocess.Popen([TYCHO, "status", "--watch", *argv], cwd=project, env=variables, stdout=pipe, stderr=pipe,
                          text=True) as process:  # fmt: skip
        assert process.stdout
        assert process.stderr
        first = process.stdout.readline()
        assert first.startswith(head)
        tycho("up", "--new", "--name", "second")
        line = ""
        while "second" not in line:
            line = process.stdout.readline()
        tycho("down", "second")
        assert process.stderr.readline().startswith("second")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0


def test_a_watch_of_nothing(tycho: Tycho) -> None:
    assert "exclude each other" in tycho("status", "--watch", "-terse", rc=2).stderr
    assert "nowhere" in tycho("status", "--watch", "nowhere", rc=32).stderr
