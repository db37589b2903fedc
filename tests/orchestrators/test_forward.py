"""Connections to a container's port, through a server that speaks Kubernetes' protocol of port forwarding.

That a real kubelet speaks it so is shown by `tests/e2e`.
"""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.orchestrators.kubelets import IDENTITY, Ask, ask_cluster, make_pod
from tycho.errors import NotFound, OrchestratorError
from tycho.orchestrators import Connection
from tycho.orchestrators.helm import HelmOrchestrator

PORTS = [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 80}, {"containerPort": 90, "protocol": "TCP"}]
POD = make_pod({"name": "web", "ports": PORTS})


class Kubelet:
    """Answers in capitals at port 80; at any other nothing listens."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.connections = 0

    async def forward(self, request: web.Request) -> web.WebSocketResponse:
        (port,) = request.query.getall("ports")
        self.asked.append(port)
        self.connections += 1
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        for channel in (b"\x00", b"\x01"):
            await socket.send_bytes(channel + struct.pack("<H", int(port)))
        if port != "80":
            await socket.send_bytes(b"\x01connection refused")
            await socket.close()
            return socket
        async for message in socket:
            await socket.send_bytes(b"\x00" + message.data[1:].upper())
        self.connections -= 1
        return socket


def on(kubelet: Kubelet, folder: Path, ask: Ask) -> Any:
    """Ask an orchestrator whose cluster this is."""

    return ask_cluster(POD, "portforward", kubelet.forward, folder, ask)


async def talk(orchestrator: HelmOrchestrator, port: int, text: bytes) -> bytes:
    """Send text through a forwarded port, and read as much back."""
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await orchestrator.forward(IDENTITY, "web", port, Connection(reader, writer))
            ended.set_result(None)
        except OrchestratorError as error:
            ended.set_exception(error)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(text)
        answer = b""
        while len(answer) < len(text) and (chunk := await reader.read(65536)):
            answer += chunk
        writer.close()
        await ended
        return answer
    finally:
        server.close()


def test_forward(tmp_path: Path) -> None:
    kubelet, text = Kubelet(), b"abc" * 100_000
    assert on(kubelet, tmp_path, lambda orchestrator: talk(orchestrator, 80, text)) == text.upper()
    assert kubelet.asked == ["80"]
    assert kubelet.connections == 0


def test_forward_to_nothing(tmp_path: Path) -> None:
    with pytest.raises(OrchestratorError, match="web:81 does not answer: connection refused"):
        on(Kubelet(), tmp_path, lambda orchestrator: talk(orchestrator, 81, b"abc"))


def test_ports(tmp_path: Path) -> None:
    async def ask(orchestrator: HelmOrchestrator) -> Any:
        with pytest.raises(NotFound):
            await orchestrator.ports(IDENTITY, "nosuch")
        return await orchestrator.ports(IDENTITY, "web")

    assert on(Kubelet(), tmp_path, ask) == (80, 90)
