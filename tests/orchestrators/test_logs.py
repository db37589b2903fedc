"""Logs of pods, from a server that tells when it is let go of: simulated pods write nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from tycho.errors import NotFound
from tycho.orchestrators import LogRequest, Target
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.release import Identity

IDENTITY = Identity(guid="0" * 32, name="s", release="s-0", namespace="s-0")


def pod(name: str, *containers: str) -> dict[str, object]:
    return {
        "metadata": {"name": name, "annotations": {"tycho.dev/service": name}},
        "spec": {"containers": [{"name": name} for name in containers]},
    }


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        self.send_response(404 if "gone" in url.path else 200)
        self.end_headers()
        if not url.path.endswith("/log"):
            pods = [pod("web", "web", "side"), pod("gone", "gone")]
            self.wfile.write(json.dumps({"items": pods}).encode())
        elif "gone" in url.path:
            self.wfile.write(json.dumps({"message": "it has gone"}).encode())
        else:
            self.wfile.write(f"{query['container'][0]}, {query['tailLines'][0]} lines\nand ".encode())
            self.wfile.flush()
            if "follow" in query:
                self.connection.recv(1)  # until the other side closes
            else:
                self.wfile.write(b"an end")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    config = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
        "current-context": "c",
    }
    (tmp_path / "config").write_text(json.dumps(config))
    yield Target(kubeconfig=str(tmp_path / "config"))
    server.shutdown()
    server.server_close()  # waits for every connection's end


async def read(
    target: Target, *services: str, follow: bool = False, until: int = 99, aligned: bool = False
) -> list[str]:
    orchestrator = HelmOrchestrator(target)
    received = []
    lines = orchestrator.logs(IDENTITY, LogRequest(services, follow=follow, tail=5, aligned=aligned))
    try:
        async for line in lines:
            received.append(line)
            if len(received) == until:
                break
    finally:
        await lines.aclose()  # type: ignore[attr-defined]
        await orchestrator.close()
    return sorted(received)


def test_every_container_is_read_to_its_end(target: Target) -> None:
    assert asyncio.run(read(target)) == [
        "gone  (it has gone)",
        "web/side  and an end", "web/side  side, 5 lines", "web/web  and an end", "web/web  web, 5 lines",
    ]  # fmt: skip


def test_whoever_follows_can_leave(target: Target) -> None:
    assert len(asyncio.run(read(target, "web", follow=True, until=2))) == 2


def test_an_unknown_service_lists_the_known(target: Target) -> None:
    with pytest.raises(NotFound, match="s has no service db") as error:
        asyncio.run(read(target, "db"))
    assert error.value.hint == "it has: web, gone"


def test_names_are_aligned(target: Target) -> None:
    lines = asyncio.run(read(target, aligned=True))
    assert lines == [
        "gone     | (it has gone)",
        "web/side | and an end", "web/side | side, 5 lines", "web/web  | and an end", "web/web  | web, 5 lines",
    ]  # fmt: skip
