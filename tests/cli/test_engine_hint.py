"""Where no cluster answers, `tycho up` says whether a Docker engine does; it never switches to it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


class Engine(ThreadingUnixStreamServer):
    """Answers as an engine does when it is asked whether it is there, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.requests: list[str] = []
        super().__init__(str(path), Answer)


class Answer(BaseHTTPRequestHandler):
    server: Engine

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, *args: Any) -> None:
        pass

    def address_string(self) -> str:
        return "local"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "docker.sock") as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def up(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: nginx:1}}\n")
    env = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "NO_COLOR": "1",
        "KUBECONFIG": str(tmp_path / "none"), "DOCKER_HOST": f"unix://{tmp_path}/docker.sock",
    }  # fmt: skip
    argv = [sys.executable, "-m", "tycho", "up", *words]
    return subprocess.run(argv, cwd=tmp_path, env=env, check=False, capture_output=True, text=True, timeout=120)


def test_engine_that_answers_is_named(tmp_path: Path, engine: Engine) -> None:
    refused = up(tmp_path, "-f", "compose.yaml")
    assert refused.returncode == 30
    assert "an engine answers here: `tycho up --backplane docker -f compose.yaml`" in refused.stderr
    assert engine.requests == ["/_ping"]


def test_no_engine_is_not_named(tmp_path: Path) -> None:
    refused = up(tmp_path, "-f", "compose.yaml")
    assert (refused.returncode, "an engine answers" in refused.stderr) == (30, False)


@pytest.mark.parametrize("words", [("-n", "shared"), ("--context", "prod"), ("--local",)])
def test_cluster_options_are_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = up(tmp_path, "-b", "docker", "-f", "compose.yaml", *words)
    assert refused.returncode == 2
    assert words[0].replace("-n", "--namespace", 1) in refused.stderr or words[0] in refused.stderr
