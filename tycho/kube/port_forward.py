"""A connection to a port of a container: a websocket to the API server for each.

Source: Kubernetes' port forwarding over `v4.channel.k8s.io`: the first byte of a message is its channel, 0 for the
port's bytes and 1 for an error; the first message of each channel holds the port's number.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tycho.errors import OrchestratorError
from tycho.kinds import POD
from tycho.kube.client import KubeClient
from tycho.kube.websocket import connect, split_channel
from tycho.text import safe_message

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

PROTOCOL = "v4.channel.k8s.io"
CONTENT, ERROR = 0, 1
MOST = 64 * 1024  # bytes of one message


async def forward_port(
    api: KubeClient,
    namespace: str,
    pod: str,
    port: int,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    name: str,
) -> None:
    """Carry the bytes of one connection to a port of a pod, and back, until either side ends.

    Args:
        api: The cluster.
        namespace: Of the pod.
        pod: The pod's name.
        port: The container's port.
        reader: Bytes for the pod.
        writer: Where the pod's bytes go; closing it is the caller's business.
        name: What is connected to, for messages.

    Raises:
        OrchestratorError: The cluster does not allow it, or nothing listens there.
    """
    path = POD.path(namespace, pod) + "/portforward"
    async with connect(
        api, path, [("ports", str(port))], protocol=PROTOCOL, purpose="forward a port of that container"
    ) as socket:
        sending = asyncio.create_task(_send(socket, reader))
        try:
            await _receive(socket, writer, name)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(socket: ClientWebSocketResponse, reader: asyncio.StreamReader) -> None:
    """Send what the caller's side writes. The protocol cannot end one direction alone: its end is that of both."""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(MOST):
            await socket.send_bytes(bytes([CONTENT]) + chunk)
        await socket.close()


async def _receive(socket: ClientWebSocketResponse, writer: asyncio.StreamWriter, name: str) -> None:
    """Write what the pod's side sends.

    Raises:
        OrchestratorError: Nothing listens there.
    """
    opened: set[int] = set()
    async for message in socket:
        channel, content = split_channel(message)
        if channel not in opened:  # its first message: the port, of two bytes
            opened.add(channel)
            continue
        if channel == ERROR and content:
            reason = safe_message(content.decode(errors="replace"))
            raise OrchestratorError(f"{name} does not answer: {reason}")
        with contextlib.suppress(ConnectionError):
            writer.write(content)
            await writer.drain()
