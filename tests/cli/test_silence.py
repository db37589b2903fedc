"""An API server, or a service, that takes a connection and says nothing: `--timeout` ends every command, and says why.

So it is with a service that sends half an answer, or a byte now and then for ever.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from socket import SHUT_RDWR, socket
from threading import Event, Thread

import pytest

from tests.api.clients import Make
from tests.api.conftest import make  # noqa: F401 - a fixture
from tests.cli.conftest import TYCHO
from tycho.cli import COMMANDS
from tycho.errors import ClusterUnreachable, WaitTimeout

VERBS = (
    "up", "diff", "status", "status --watch", "down", "ps", "ls", "logs", "logs -f", "events", "events -f",
    "exec web ls", "open", "restart", "pause", "resume", "stop web", "start web", "scale web=2", "wait",
    "modify --cpu 1", "touch", "reap", "history", "rollback", "show", "show --chart", "values", "report",
)  # fmt: skip
CASES = [("https", verb) for verb in VERBS] + [("http", "down")]
UNBOUNDED = {"build", "compile", "config", "package", "push", "policies", "api", "version"}  # they ask no cluster
SEPARATE = {"doctor"}  # it tells of each thing whether it answers
CLUSTER_ONLY = {"exec web ls", "reap", "logs -f"}  # what a service does not offer
HALF = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"status": '
Answer = Callable[[socket, Event], None]


def say_nothing(connection: socket, ended: Event) -> None:
    ended.wait()


def answer_half(connection: socket, ended: Event) -> None:
    connection.recv(65536)
    connection.sendall(HALF)
    ended.wait()


def break_off(connection: socket, ended: Event) -> None:
    connection.recv(65536)
    connection.sendall(HALF)


def drip_head(connection: socket, ended: Event) -> None:
    while not ended.wait(0.1):
        connection.sendall(b"H")


def drip_body(connection: socket, ended: Event) -> None:
    connection.recv(65536)
    connection.sendall(HALF)
    while not ended.wait(0.1):
        connection.sendall(b" ")


@contextmanager
def serving(answer: Answer) -> Iterator[int]:
    """The port of a server that gives every connection this answer."""
    ended, taken = Event(), list[socket]()

    def talk(connection: socket) -> None:
        with suppress(OSError), connection:
            answer(connection, ended)

    def take() -> None:
        with suppress(OSError):
            while True:
                taken.append(listening.accept()[0])
                Thread(target=talk, args=(taken[-1],), daemon=True).start()

    with closing(socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        Thread(target=take, daemon=True).start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            ended.set()
            for connection in (listening, *taken):
                with suppress(OSError):
                    connection.shutdown(SHUT_RDWR)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections, and never answers."""
    with serving(say_nothing) as port:
        yield port


def run(folder: Path, verb: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "compose.yaml").write_text("services: {web: {image: 'nginx:1'}}\n")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **variables}
    first, *words = verb.split()
    return subprocess.run(
        [TYCHO, first, "--timeout", "0.5", *options, *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip


def test_every_command_that_asks_a_cluster_is_here() -> None:
    assert {verb.split()[0] for verb in VERBS} | UNBOUNDED | SEPARATE == {*COMMANDS}


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in CLUSTER_ONLY])
def test_a_silent_service_ends_with_the_time(silent: int, tmp_path: Path, verb: str) -> None:
    ended = run(tmp_path, verb, "--service", f"http://127.0.0.1:{silent}")
    assert ended.returncode == (2 if verb == "diff" else 39), ended.stderr
    message = f"the time is over, and the service at http://127.0.0.1:{silent} still does not answer\n  hint: "
    assert ended.stderr.startswith(message)
    assert (ended.stderr.count("\n"), ended.stdout) == (2, "")


@pytest.mark.parametrize("answer", [answer_half, drip_head, drip_body], ids=lambda answer: answer.__name__)
def test_half_an_answer_is_none(tmp_path: Path, answer: Answer) -> None:
    with serving(answer) as port:
        ended = run(tmp_path, "status", "--service", f"http://127.0.0.1:{port}")
    assert ended.returncode == 39, ended.stderr
    assert ended.stderr.startswith(f"the time is over, and the service at http://127.0.0.1:{port} still does not")


def test_an_answer_that_breaks_off_says_so(tmp_path: Path) -> None:
    with serving(break_off) as port:
        ended = run(tmp_path, "status", "--service", f"http://127.0.0.1:{port}")
    assert ended.returncode == 30, ended.stderr
    assert ended.stderr.startswith(f"http://127.0.0.1:{port} was reached, and its answer cannot be read: peer closed")


@pytest.mark.parametrize("answer", [answer_half, drip_head, drip_body], ids=lambda answer: answer.__name__)
def test_a_call_of_a_client_takes_no_longer_than_it_may(make: Make, answer: Answer) -> None:  # noqa: F811
    """The whole call is bounded, however often a byte comes."""
    with serving(answer) as port:
        client = make(f"http://127.0.0.1:{port}", timeout=0.3)
        with pytest.raises(WaitTimeout, match=r"/system/nowhere took longer than 0\.3 s"):
            client.remove("nowhere")
    with serving(break_off) as port, pytest.raises(ClusterUnreachable, match="cannot be read"):
        make(f"http://127.0.0.1:{port}").remove("nowhere")


@pytest.mark.parametrize(("scheme", "verb"), CASES)
def test_silence_ends_with_the_time(silent: int, tmp_path: Path, scheme: str, verb: str) -> None:
    server = f"{scheme}://127.0.0.1:{silent}"
    config = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
        "current-context": "c",
    }
    (tmp_path / "config").write_text(json.dumps(config))
    ended = run(tmp_path, verb, KUBECONFIG=str(tmp_path / "config"))
    assert ended.returncode == (2 if verb == "diff" else 39), ended.stderr
    assert ended.stderr.startswith(f"the time is over, and the Kubernetes cluster at {server} still does not answer\n")
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
