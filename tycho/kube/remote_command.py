"""Running a program in a container: a websocket to the API server, one channel for each stream.

Source: Kubernetes' remote command protocol, `v5.channel.k8s.io`: the first byte of a message is its channel, and
channel 255 closes the one that is named after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tycho.errors import OrchestratorError
from tycho.kinds import POD
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.kube.websocket import connect, split_channel
from tycho.text import safe_message

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

PROTOCOL = "v5.channel.k8s.io"
STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
NOT_FOUND = re.compile(r"not found in \$?PATH|no such file or directory", re.IGNORECASE)
NOT_ALLOWED = re.compile(r"permission denied|exec format error|is a directory", re.IGNORECASE)
REQUEST = re.compile(r"[?&]command=")
SIMULATED = "containers of a simulated node do not run: `tycho doctor` says whether this one is"


class StandardStreams(Protocol):
    """What a program's standard streams are connected to."""

    @property
    def tty(self) -> bool:
        """Whether it is a terminal."""

    async def read(self) -> bytes:
        """Read some input; b"" at its end."""

    async def write(self, chunk: bytes, /, *, error: bool) -> None:
        """Write output, or what the program writes to its standard error."""

    def sizes(self) -> AsyncIterator[tuple[int, int]]:
        """Yield the terminal's columns and rows, now and whenever they change."""


async def run_command(
    api: KubeClient,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    streams: StandardStreams,
    *,
    program: str,
) -> int:
    """Run a program in a container.

    Args:
        api: The cluster.
        namespace: Of the pod.
        pod: The pod's name.
        container: The container's name.
        command: The program and its arguments.
        streams: What it reads from and writes to.
        program: The program's name, for messages.

    Returns:
        Its exit code; 126 or 127 when it cannot be run.

    Raises:
        OrchestratorError: The cluster does not allow it, or the connection ended before the program did.
    """
    query = [("command", word) for word in command]
    query += [("container", container), ("stdin", "true"), ("stdout", "true")]
    query += [("tty", "true")] if streams.tty else [("stderr", "true")]
    path = POD.path(namespace, pod) + "/exec"
    async with connect(api, path, query, protocol=PROTOCOL, purpose="run a program there") as socket:
        return await _relay(socket, program, streams)


async def _relay(socket: ClientWebSocketResponse, program: str, streams: StandardStreams) -> int:
    """Carry the streams to and fro until the program has ended; return its exit code."""
    sending = [asyncio.create_task(_send_input(socket, streams))]
    if streams.tty:
        sending.append(asyncio.create_task(_send_sizes(socket, streams)))
    status = b""
    try:
        async for message in socket:
            channel, content = split_channel(message)
            if channel in (STDOUT, STDERR) and content:
                await streams.write(content, error=channel == STDERR)
            elif channel == STATUS:
                status += content
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
    if not status:
        raise OrchestratorError("the connection ended before the program did", hint="look whether it still runs")
    code, message_text = read_status(json.loads(status), program)
    if message_text:
        await streams.write(f"{safe_message(message_text)}\n".encode(), error=True)
    return code


def read_status(status: KubeObject, program: str) -> tuple[int, str]:
    """Read a program's exit code, and what its user is told of it.

    Args:
        status: What the kubelet sends at the end.
        program: What was to run.

    Raises:
        OrchestratorError: It is the cluster that failed, not the program.
    """
    if status.get("status") == "Success":
        return 0, ""
    causes: Sequence[Mapping[str, Any]] = status.get("details", {}).get("causes") or ()
    for cause in causes:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"]), ""
    message = str(status.get("message") or "the program could not be run")
    if NOT_FOUND.search(message):
        return 127, f'cannot run "{program}": not found in the image'
    if NOT_ALLOWED.search(message):
        return 126, f'cannot run "{program}": it is not a program, or may not be run'
    if REQUEST.search(message):  # with all of the command in its address, which may hold a password
        reason = message.rpartition(": ")[2]
        raise OrchestratorError(f"the node of this container does not answer: {safe_message(reason)}", hint=SIMULATED)
    raise OrchestratorError(f'cannot run "{program}": {safe_message(message)}')


async def _send_input(socket: ClientWebSocketResponse, streams: StandardStreams) -> None:
    """Send what is read until its end, and that it has ended."""
    with contextlib.suppress(ConnectionError):  # the program has ended, and reads no more
        while chunk := await streams.read():
            await socket.send_bytes(bytes([STDIN]) + chunk)
        await socket.send_bytes(bytes([CLOSE, STDIN]))


async def _send_sizes(socket: ClientWebSocketResponse, streams: StandardStreams) -> None:
    """Send how large the terminal is, now and whenever that changes."""
    with contextlib.suppress(ConnectionError):
        async for columns, rows in streams.sizes():
            await socket.send_bytes(bytes([RESIZE]) + json.dumps({"Width": columns, "Height": rows}).encode())
