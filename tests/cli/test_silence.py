"""An API server that takes a connection and says nothing: `--timeout` ends every command, and says why."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import socket
from threading import Thread

import pytest

from tests.cli.conftest import TYCHO

CASES = [("https", verb) for verb in ("up", "status", "down", "logs", "history")] + [("http", "down")]


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections, and never answers."""
    with closing(socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        taken: list[socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(listening.accept()[0])
                except OSError:
                    return

        Thread(target=take, daemon=True).start()
        yield int(listening.getsockname()[1])
        for connection in taken:
            connection.close()


@pytest.mark.parametrize(("scheme", "verb"), CASES)
def test_silence_ends_with_the_time(silent: int, tmp_path: Path, scheme: str, verb: str) -> None:
    server = f"{scheme}://127.0.0.1:{silent}"
    config = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
        "current-context": "c",
    }
    (tmp_path / "config").write_text(json.dumps(config))
    (tmp_path / "compose.yaml").write_text("services: {web: {image: 'nginx:1'}}\n")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "config")}
    ended = subprocess.run(
        [TYCHO, verb, "--timeout", "0.5"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert ended.returncode == 39, ended.stderr
    assert ended.stderr.startswith(f"the time is over, and the Kubernetes cluster at {server} still does not answer\n")
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
