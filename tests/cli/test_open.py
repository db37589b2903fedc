"""`tycho open`: the URL of a service, or a port of this machine that leads to it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.api.conftest import serving
from tests.cli.conftest import TYCHO, Run

pytestmark = pytest.mark.xdist_group("cluster")
TEMPLATE = "https://{name}-{guid}.apps.example.org/"
WEB = """
services:
  web: {image: "nginx:1", ports: ["8080:80"]}
  db: {image: "postgres:16"}
"""


@pytest.fixture
def browser(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """A browser that writes down what it is to show."""
    program, shown = tmp_path / "browser", tmp_path / "shown"
    program.write_text(f'#!/bin/sh\necho "$1" > {shown}\n')
    program.chmod(0o755)
    return {"BROWSER": str(program)}, shown


def test_open_url(tycho: Run, browser: tuple[dict[str, str], Path], tmp_path: Path) -> None:
    env, shown = browser
    (tmp_path / "compose.yaml").write_text(WEB)
    (started,) = json.loads(tycho("up", "--name", "opened", "-o", "json", TYCHO_URL_TEMPLATE=TEMPLATE).stdout)
    url, guid = started["url"], started["sid"]
    assert tycho("open", guid, **env).stdout == f"{url}\n"
    assert shown.read_text() == f"{url}\n"
    shown.unlink()
    assert tycho("open", "--print", guid, "web", **env).stdout == f"{url}\n"
    assert tycho("open", "-q", "--name", "opened", **env).stdout == f"{url}\n"
    assert not shown.exists()
    assert "opened has no service nosuch" in tycho("open", guid, "nosuch", rc=32).stderr
    assert "one service is opened at a time" in tycho("open", guid, "web", "db", rc=2).stderr


def test_open_without_url(tycho: Run, env: dict[str, str], tmp_path: Path) -> None:
    """Simulated containers answer nothing: that is said, and the port is there until Ctrl-C."""
    (tmp_path / "compose.yaml").write_text(WEB)
    (started,) = json.loads(tycho("up", "--name", "unrouted", "-o", "json").stdout)
    guid = started["sid"]
    assert "db is not known to listen at any port" in tycho("open", guid, "db", rc=32).stderr
    words = [TYCHO, "open", "--print", guid]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        url = process.stdout.readline().strip()
        host, port = url.removeprefix("http://").removesuffix("/").split(":")
        assert host == "127.0.0.1"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert connection.recv(1) == b""
        process.send_signal(signal.SIGINT)
        stderr = process.stderr.read()
    assert process.returncode == 130
    assert f"port {port} of this machine leads to port 80 of web, until Ctrl-C" in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize("routed", [True, False], ids=["url", "no-url"])
def test_open_of_a_service(env: dict[str, str], tmp_path: Path, *, routed: bool) -> None:
    """A service forwards nothing: its URL is taken, else the address of a published port, else that is said."""
    (tmp_path / "compose.yaml").write_text(WEB)
    settings = {"TYCHO_URL_TEMPLATE": TEMPLATE} if routed else {}

    def tycho(*words: str, rc: int = 0) -> subprocess.CompletedProcess[str]:
        argv = [TYCHO, *words, "--service", service.url]
        done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == rc, done.stderr
        return done

    with serving(TYCHO_BACKPLANE="memory", **settings) as service:
        tycho("up", "--name", "far")
        url = tycho("open", "--print", "far").stdout
        assert url.startswith("https://far-" if routed else "http://127.0.0.1:")
        refused = tycho("open", "far", "db", rc=32).stderr
        assert f"db has no URL\n  hint: {'web has one' if routed else 'its operator gives systems no URLs'}" in refused
        assert "--port takes the cluster itself" in tycho("open", "far", "-p", "80", rc=2).stderr
