"""Connections that end before there is an answer: what can be asked twice is, and the reason is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import Kubectl, compiled, web
from tests.orchestrators.test_helm import until, use
from tycho.errors import ClusterUnreachable, WaitTimeout
from tycho.kube.client import KubeClient
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import process
from tycho.time_limit import limit_time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
Tell = Callable[..., Any]


class Forgetful:
    """A server that closes the first connections that a request comes over.

    Args:
        closes: How many of them.
    """

    def __init__(self, closes: int) -> None:
        self.closes = closes
        self.requests = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = [
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        ] or [0]
        await reader.readexactly(length)
        self.requests += 1
        if self.requests > self.closes:
            writer.write(ANSWER)
        writer.close()


@asynccontextmanager
async def asked(forgetful: Forgetful, folder: Path) -> AsyncIterator[KubeClient]:
    server = await asyncio.start_server(forgetful.answer, "127.0.0.1", 0)
    api = KubeClient(str(kubeconfig_for(folder, server.sockets[0].getsockname()[1])))
    async with server:
        try:
            yield api
        finally:
            api.close()


def kubeconfig_for(folder: Path, port: int) -> Path:
    config = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
        "current-context": "c",
    }
    path = folder / "config"
    path.write_text(json.dumps(config))
    return path


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "POST"])
@pytest.mark.parametrize("closes", [1, 2])
def test_a_connection_that_is_closed(tmp_path: Path, method: str, closes: int) -> None:
    """Once is what happens to one that was kept open; POST may have made something already."""

    async def story() -> None:
        forgetful = Forgetful(closes)
        async with asked(forgetful, tmp_path) as api:
            if closes == 1 and method != "POST":
                assert await api.call(method, "/api", {}) == {}
                assert forgetful.requests == 2
                return
            with pytest.raises(ClusterUnreachable, match="the connection was closed without an answer"):
                await api.call(method, "/api", {})
            assert forgetful.requests == (1 if method == "POST" else 2)

    asyncio.run(story())


def test_a_question_that_makes_nothing_is_asked_twice(tmp_path: Path) -> None:
    async def story() -> None:
        async with asked(Forgetful(1), tmp_path) as api:
            assert await api.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}) == {}

    asyncio.run(story())


def test_nobody_listens(tmp_path: Path) -> None:
    async def story() -> None:
        async with asked(Forgetful(0), tmp_path) as api:
            assert await api.get("/api") == {}
        refused = KubeClient(str(kubeconfig_for(tmp_path, 1)))
        with pytest.raises(ClusterUnreachable, match=r"answers at http://127\.0\.0\.1:1: connection refused"):
            await refused.get("/api")
        refused.close()

    asyncio.run(story())


def test_an_answer_that_never_ends(tmp_path: Path) -> None:
    """Each byte comes in time, and the whole does not."""

    async def story() -> None:
        enough, ended = asyncio.Event(), asyncio.Event()

        async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            with suppress(ConnectionError):
                while not enough.is_set():
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.02)
            writer.transport.abort()
            ended.set()

        server = await asyncio.start_server(trickle, "127.0.0.1", 0)
        api = KubeClient(str(kubeconfig_for(tmp_path, server.sockets[0].getsockname()[1])))
        with pytest.raises(WaitTimeout, match="the time is over"), limit_time(0.3):
            await api.get("/api")
        enough.set()
        api.close()
        server.close()
        await ended.wait()

    asyncio.run(story())


@pytest.mark.xdist_group("cluster")
def test_a_helm_that_hangs_ends_with_the_time(
    tell: Tell, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, helm: Path
) -> None:
    monkeypatch.setattr(process, "ENDING", 0.5)
    pids = tmp_path / "pid"
    hangs = f'case "$1" in install) echo $$ > {pids}; exec sleep 600;; esac; exec {helm} "$@"'

    async def story(lifecycle: Lifecycle) -> None:
        use(monkeypatch, tmp_path / "helm", hangs)
        with pytest.raises(WaitTimeout, match=r"helm install took longer than .* s, and was ended"):
            await lifecycle.up(compiled(lifecycle, web(), "hangs"), wait_options=WaitOptions(timeout=4))
        assert not Path(f"/proc/{pids.read_text().strip()}").exists()
        await until(lambda: "hangs-" not in kubectl("get", "namespaces", "-o", "name"))

    tell(story)
