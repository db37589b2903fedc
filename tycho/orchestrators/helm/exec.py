"""Running a program in a container: a websocket to the API server, one channel a stream.

Source: Kubernetes' remote command protocol, `v5.channel.k8s.io`: the first byte of a message is its channel, and
channel 255 closes the one that is named after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tycho import kinds
from tycho.errors import NotFound, OrchestratorError
from tycho.orchestrators import Program, Streams
from tycho.orchestrators.helm.api import Api, Object, at
from tycho.orchestrators.helm.restart import list_workloads
from tycho.orchestrators.helm.services import check_services, select_containers
from tycho.orchestrators.helm.websocket import connect
from tycho.orchestrators.helm.workloads import INSTANCE
from tycho.release import Identity
from tycho.text import safe_message

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

PROTOCOL = "v5.channel.k8s.io"
STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
NOT_FOUND = re.compile(r"not found in \$?PATH|no such file or directory", re.IGNORECASE)
NOT_ALLOWED = re.compile(r"permission denied|exec format error|is a directory", re.IGNORECASE)
REQUEST = re.compile(r"[?&]command=")
SIMULATED = "containers of a simulated node do not run: `tycho doctor` says whether this one is"


async def execute(api: Api, identity: Identity, service: str, program: Program, streams: Streams) -> int:
    """Run a program in a container of a service.

    Args:
        api: The cluster.
        identity: Which system.
        service: Which service of it.
        program: What to run.
        streams: What it reads from and writes to.

    Returns:
        Its exit code; 126 or 127 when it cannot be run.

    Raises:
        NotFound: No such service, or no container of it runs.
        OrchestratorError: The cluster does not allow it, or the connection ended before the program did.
    """
    pod, container = await _find_container(api, identity, service, program.index)
    path = at(kinds.POD, identity.namespace, pod) + "/exec"
    query = [("command", word) for word in command_line(program)]
    query += [("container", container), ("stdin", "true"), ("stdout", "true")]
    query += [("tty", "true")] if streams.tty else [("stderr", "true")]
    async with connect(api, path, query, protocol=PROTOCOL, purpose="run a program there") as socket:
        return await _relay(socket, program, streams)


def command_line(program: Program) -> Sequence[str]:
    """Write a program with its environment and its folder as one command: Kubernetes has no fields for them.

    Example:
        >>> command_line(Program(("id",), {"A": "1"}, workdir="/tmp"))
        ('env', '-C', '/tmp', 'A=1', 'id')
    """
    folder = ("-C", program.workdir) if program.workdir else ()
    variables = tuple(f"{name}={value}" for name, value in program.environment.items())
    # `env` of coreutils and of BusyBox sets variables; a folder only the former, which its exit code 125 shows.
    return ("env", *folder, *variables, *program.command) if folder or variables else program.command


async def find_containers(api: Api, identity: Identity, service: str) -> list[tuple[Object, str]]:
    """Find the pods of a service that run, the oldest first, each with its container.

    Args:
        api: The cluster.
        identity: Which system.
        service: Which service of it.

    Raises:
        NotFound: No such service, or no container of it runs.
    """
    pods = await api.list(at(kinds.POD, identity.namespace), labelSelector=f"{INSTANCE}={identity.release}")
    alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    running = [pod for pod in alive if pod.get("status", {}).get("phase") == "Running"]
    running.sort(key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
    containers: dict[str, tuple[Object, str]] = {}
    for pod, container in select_containers(running, (service,)):
        # The first container is the service's own, unless another one bears its name.
        if pod["metadata"]["name"] not in containers or container == service:
            containers[pod["metadata"]["name"]] = pod, container
    if not containers:
        check_services(identity, await list_workloads(api, identity), (service,))
        hint = f"`tycho status --services {identity.name}` says why"
        raise NotFound(f"no container of {service} runs", hint=hint)
    return list(containers.values())


async def _find_container(api: Api, identity: Identity, service: str, index: int) -> tuple[str, str]:
    """Find the pod and the container that a service's number means."""
    containers = await find_containers(api, identity, service)
    if index > len(containers):
        raise NotFound(f"{service} has no container {index}", hint=f"--index goes from 1 to {len(containers)}")
    pod, container = containers[index - 1]
    return pod["metadata"]["name"], container


async def _relay(socket: ClientWebSocketResponse, program: Program, streams: Streams) -> int:
    """Carry the streams to and fro until the program has ended; its exit code."""
    sending = [asyncio.create_task(_send_input(socket, streams))]
    if streams.tty:
        sending.append(asyncio.create_task(_send_sizes(socket, streams)))
    status = b""
    try:
        async for message in socket:
            data = message.data if isinstance(message.data, bytes) else str(message.data).encode()
            channel, content = data[:1], data[1:]
            if channel in (bytes([STDOUT]), bytes([STDERR])) and content:
                await streams.write(content, error=channel == bytes([STDERR]))
            elif channel == bytes([STATUS]):
                status += content
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
    if not status:
        raise OrchestratorError("the connection ended before the program did", hint="it may still run")
    code, message_text = read_status(json.loads(status), program.command[0])
    if message_text:
        await streams.write(f"{safe_message(message_text)}\n".encode(), error=True)
    return code


def read_status(status: Object, program: str) -> tuple[int, str]:
    """Read a program's exit code, and what is to be said of it.

    Args:
        status: What the kubelet says at the end.
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


async def _send_input(socket: ClientWebSocketResponse, streams: Streams) -> None:
    """Send what is read until its end, and that it has ended."""
    with contextlib.suppress(ConnectionError):  # the program has ended, and wants no more
        while data := await streams.read():
            await socket.send_bytes(bytes([STDIN]) + data)
        await socket.send_bytes(bytes([CLOSE, STDIN]))


async def _send_sizes(socket: ClientWebSocketResponse, streams: Streams) -> None:
    """Tell how large the terminal is, now and whenever that changes."""
    with contextlib.suppress(ConnectionError):
        async for columns, rows in streams.sizes():
            await socket.send_bytes(bytes([RESIZE]) + json.dumps({"Width": columns, "Height": rows}).encode())
