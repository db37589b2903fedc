"""A connection to a port of a container, through the API server: a websocket for each.

Source: Kubernetes' port forwarding over `v4.channel.k8s.io`: the first byte of a message is its channel, 0 for the
port's bytes and 1 for an error; the first message of each channel holds the port's number.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tycho import kinds
from tycho.errors import OrchestratorError
from tycho.orchestrators.helm.api import Api, Object, at
from tycho.orchestrators.helm.exec import find_containers
from tycho.orchestrators.helm.websocket import connect
from tycho.release import Identity
from tycho.text import safe_message

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

    from tycho.orchestrators import Connection

PROTOCOL = "v4.channel.k8s.io"
DATA, ERROR = 0, 1
MOST = 64 * 1024  # bytes of one message


async def list_ports(api: Api, identity: Identity, service: str) -> tuple[int, ...]:
    """List the TCP ports that a running container of a service is known to listen at.

    Args:
        api: The cluster.
        identity: Which system.
        service: Which service of it.

    Raises:
        NotFound: No such service, or no container of it runs.
    """
    pod, name = (await find_containers(api, identity, service))[0]
    containers: list[Object] = pod["spec"]["containers"]
    ports = next((entry.get("ports") or () for entry in containers if entry["name"] == name), ())
    return tuple(port["containerPort"] for port in ports if port.get("protocol", "TCP") == "TCP")


async def forward(api: Api, identity: Identity, service: str, port: int, connection: Connection) -> None:
    """Carry the bytes of one connection to a port of a service's first container, and back, until either side ends.

    Args:
        api: The cluster.
        identity: Which system.
        service: Which service of it.
        port: The container's port.
        connection: Whose bytes; closing it is the caller's.

    Raises:
        NotFound: No such service, or no container of it runs.
        OrchestratorError: The cluster does not allow it, or nothing listens there.
    """
    pod, _ = (await find_containers(api, identity, service))[0]
    path = at(kinds.POD, identity.namespace, pod["metadata"]["name"]) + "/portforward"
    async with connect(
        api, path, [("ports", str(port))], protocol=PROTOCOL, purpose="forward a port of that container"
    ) as socket:
        sending = asyncio.create_task(_send(socket, connection))
        try:
            await _receive(socket, connection, f"{service}:{port}")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(socket: ClientWebSocketResponse, connection: Connection) -> None:
    """Send what the caller's side says. The protocol cannot end one direction alone: its end is that of both."""
    with contextlib.suppress(ConnectionError):
        while data := await connection.reader.read(MOST):
            await socket.send_bytes(bytes([DATA]) + data)
        await socket.close()


async def _receive(socket: ClientWebSocketResponse, connection: Connection, where: str) -> None:
    """Pass on what the container's side says.

    Raises:
        OrchestratorError: Nothing listens there.
    """
    opened: set[int] = set()
    async for message in socket:
        data = message.data if isinstance(message.data, bytes) else str(message.data).encode()
        channel, content = data[0], data[1:]
        if channel not in opened:  # its first message: the port, of two bytes
            opened.add(channel)
            continue
        if channel == ERROR and content:
            reason = safe_message(content.decode(errors="replace"))
            raise OrchestratorError(f"{where} does not answer: {reason}")
        with contextlib.suppress(ConnectionError):
            connection.writer.write(content)
            await connection.writer.drain()
