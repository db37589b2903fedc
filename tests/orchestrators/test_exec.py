"""Programs in containers, from a server that runs them here: simulated pods run nothing.

The server speaks Kubernetes' protocol of remote commands; that a real kubelet does so is shown by `tests/e2e`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from tests.orchestrators.kubelets import IDENTITY, Ask, ask_cluster, make_pod
from tycho.errors import Forbidden, NotFound, OrchestratorError
from tycho.kube.remote_command import read_status
from tycho.orchestrators import ExecRequest

POD = make_pod({"name": "web"}, {"name": "side"})


class Collected:
    """Streams in memory: what was written, and input that was there before."""

    def __init__(self, *inputs: bytes, tty: bool = False) -> None:
        self.tty = tty
        self.inputs = list(inputs)
        self.output, self.errors = b"", b""

    async def read(self) -> bytes:
        return self.inputs.pop(0) if self.inputs else b""

    async def write(self, content: bytes, *, error: bool) -> None:
        if error:
            self.errors += content
        else:
            self.output += content

    async def sizes(self) -> AsyncIterator[tuple[int, int]]:
        yield 91, 17


class Kubelet:
    """Runs a program, and says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.refusal = 0
        self.cut = False

    async def exec(self, request: web.Request) -> web.StreamResponse:
        if self.refusal:
            return web.json_response({"message": "pods/exec is forbidden"}, status=self.refusal)
        self.asked.append(dict(request.query) | {"command": request.query.getall("command")})
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        try:
            process = await asyncio.create_subprocess_exec(
                *request.query.getall("command"), stdin=-1, stdout=-1, stderr=-1
            )
        except FileNotFoundError as error:
            message = f'failed to exec in container: exec: "{error.filename}": executable file not found in $PATH'
            await self.end(socket, {"status": "Failure", "message": message})
            return socket
        outputs = [
            asyncio.create_task(self.copy(socket, channel, stream))
            for channel, stream in ((1, process.stdout), (2, process.stderr))
        ]
        feeding = asyncio.create_task(self.feed(socket, process))
        if self.cut:
            process.kill()
            await process.wait()
            await asyncio.gather(*outputs)
            await socket.close()
            return socket
        await asyncio.gather(*outputs)
        code = await process.wait()
        causes = [{"reason": "ExitCode", "message": str(code)}]
        ended = {"status": "Success"} if not code else {"status": "Failure", "details": {"causes": causes}}
        await self.end(socket, ended)
        feeding.cancel()
        return socket

    async def copy(self, socket: web.WebSocketResponse, channel: int, stream: asyncio.StreamReader) -> None:
        while content := await stream.read(65536):
            await socket.send_bytes(bytes([channel]) + content)

    async def feed(self, socket: web.WebSocketResponse, process: asyncio.subprocess.Process) -> None:
        async for message in socket:
            assert message.type == WSMsgType.BINARY
            channel, content = message.data[0], message.data[1:]
            if channel == 0:
                process.stdin.write(content)
                await process.stdin.drain()
            elif channel == 255:
                process.stdin.close()
            else:
                self.asked.append((channel, json.loads(content)))

    async def end(self, socket: web.WebSocketResponse, status: dict[str, Any]) -> None:
        await socket.send_bytes(b"\x03" + json.dumps(status).encode())
        await socket.close()


def on(kubelet: Kubelet, folder: Path, ask: Ask) -> Any:
    """Ask an orchestrator whose cluster this is."""

    return ask_cluster(POD, "exec", kubelet.exec, folder, ask)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., int]:
    def run_(kubelet: Kubelet, streams: Collected, *command: str, service: str = "web", **options: Any) -> int:
        program = ExecRequest(command, **options)
        return on(kubelet, tmp_path, lambda helm: helm.exec(IDENTITY, service, program, streams))

    return run_


def test_streams_and_exit_code(run: Callable[..., int]) -> None:
    streams, code = Collected(b"some ", b"input"), "import sys; print(sys.stdin.read()); sys.exit('words')"
    assert run(Kubelet(), streams, sys.executable, "-c", code) == 1
    assert (streams.output, streams.errors) == (b"some input\n", b"words\n")


def test_both_ways_at_once(run: Callable[..., int]) -> None:
    """More than all buffers between hold, so that neither side may wait for the other."""
    blocks = [bytes([number]) * 65536 for number in range(160)]
    streams = Collected(*blocks)
    assert run(Kubelet(), streams, "cat") == 0
    assert streams.output == b"".join(blocks)


def test_what_travels(run: Callable[..., int]) -> None:
    kubelet, words = Kubelet(), ["a b", "$HOME", "'", "", "ä"]
    streams = Collected()
    assert run(kubelet, streams, "printf", "<%s>", *words, environment={"A": "1 2"}) == 0
    assert streams.output.decode() == "".join(f"<{word}>" for word in words)
    (asked,) = kubelet.asked
    assert asked["command"][:3] == ["env", "A=1 2", "printf"]
    assert (asked["container"], asked["stderr"], "tty" in asked) == ("web", "true", False)


def test_a_terminal_has_a_size(run: Callable[..., int]) -> None:
    kubelet = Kubelet()
    assert run(kubelet, Collected(b"x", tty=True), "cat", service="side") == 0
    asked, size = kubelet.asked
    assert (asked["container"], asked["tty"], "stderr" in asked) == ("side", "true", False)
    assert size == (4, {"Width": 91, "Height": 17})


def test_a_program_that_is_not_there(run: Callable[..., int]) -> None:
    streams = Collected()
    assert run(Kubelet(), streams, "no-such-program") == 127
    assert streams.errors == b'cannot run "no-such-program": not found in the image\n'


@pytest.mark.parametrize(
    ("service", "options", "message", "hint"),
    [
        ("db", {}, "s has no service db", "it has: none"),
        ("web", {"index": 2}, "web has no container 2", "--index goes from 1 to 1"),
    ],
)
def test_no_such_container(
    run: Callable[..., int], service: str, options: dict[str, int], message: str, hint: str
) -> None:
    with pytest.raises(NotFound, match=message) as error:
        run(Kubelet(), Collected(), "true", service=service, **options)
    assert error.value.hint == hint


def test_the_servers_own_words_for_a_refusal(run: Callable[..., int]) -> None:
    kubelet = Kubelet()
    kubelet.refusal = 403
    with pytest.raises(Forbidden, match="pods/exec is forbidden"):
        run(kubelet, Collected(), "true")


def test_a_connection_that_ends_early(run: Callable[..., int]) -> None:
    kubelet = Kubelet()
    kubelet.cut = True
    with pytest.raises(OrchestratorError, match="the connection ended before the program did"):
        run(kubelet, Collected(), "sleep", "60")


def test_no_message_repeats_the_command() -> None:
    """The address of a request holds every word of it, and one may be a password."""
    reply = (
        'error sending request: Post "https://n:10250/exec/s/p/c?command=env&command=K%3Dplanted": connection refused'
    )
    with pytest.raises(OrchestratorError, match="does not answer: connection refused") as error:
        read_status({"status": "Failure", "message": reply}, "env")
    assert "planted" not in f"{error.value.message}{error.value.hint}"
