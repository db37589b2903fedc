"""Callers who wait, leave, or ask for too much; workers that die. Conditions are awaited, no clock is asked."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from tests.api.conftest import WEB, memory, serving
from tycho.api.guard import Guard
from tycho.api.messages import Start
from tycho.client import TychoClient
from tycho.errors import TooManyRequests
from tycho.sandbox import Sandbox
from tycho.slots import CALLER, Slots

SMALL: dict[str, Any] = {"name": "small", "services": {"web": {"image": "a"}}}
# Systems called "slow" compile until they are ended; each says that it has begun.
SLOW = """
import os, pathlib
def apply(system):
    if system.name.startswith("slow"):
        pathlib.Path({folder!r}, str(os.getpid())).touch()
        while True:
            pass
    return system
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (tmp_path / "begun").mkdir()
    (folder / "50-slow.py").write_text(SLOW.format(folder=str(tmp_path / "begun")))
    return folder


@pytest.fixture
def sandbox(policies: Path) -> Iterator[Sandbox]:
    lifecycle = memory()
    lifecycle.policies = (policies,)
    opened = Sandbox(lifecycle, seconds=600)
    yield opened
    opened.close()


def slow(number: int) -> dict[str, Any]:
    return {**SMALL, "name": f"slow{number}"}


async def until(met: Any) -> None:
    while not met():  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.01)


@asynccontextmanager
async def crowd(sandbox: Sandbox, count: int, caller: str) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Slow documents of one caller: those that may compile do so, all others wait."""
    CALLER.set(caller)
    tasks = [asyncio.create_task(sandbox.compile(slow(number), {}, {})) for number in range(count)]
    await until(lambda: sandbox.lanes[-1].held + sandbox.lanes[-1].waiting == count)
    yield tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not any(lane.held or lane.waiting for lane in sandbox.lanes)


def living(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir() if Path("/proc", path.name).exists()]


@pytest.mark.parametrize("caller", ["slow", "other"])
def test_a_small_one_passes_fifty(sandbox: Sandbox, caller: str) -> None:
    async def story() -> None:
        async with crowd(sandbox, 50, "slow") as tasks:
            CALLER.set(caller)
            compiled = await sandbox.compile(SMALL, {}, {})
            assert compiled.artifact.name == "small"
            assert not any(task.done() for task in tasks)
            assert sandbox.lanes[-1].held < sandbox.lanes[-1].count  # one place is kept for others

    asyncio.run(story())


def test_who_has_gone_compiles_no_more(sandbox: Sandbox, tmp_path: Path) -> None:
    async def story() -> None:
        async with crowd(sandbox, 3, "slow") as tasks:
            await until(lambda: len(living(tmp_path / "begun")) == sandbox.lanes[-1].held)
            for task in tasks:
                task.cancel()
            await until(lambda: not living(tmp_path / "begun"))
            assert (await sandbox.compile(SMALL, {}, {})).artifact.name == "small"

    asyncio.run(story())


@pytest.mark.parametrize("moment", ["before the first", "between", "while it compiles"])
def test_a_killed_worker_is_replaced(sandbox: Sandbox, moment: str, tmp_path: Path) -> None:
    async def story() -> None:
        sandbox.warm()
        worker = sandbox.worker
        assert worker
        if moment == "between":
            await sandbox.compile(SMALL, {}, {})
        if moment == "while it compiles":
            task = asyncio.create_task(sandbox.compile(slow(1), {}, {}))
            await until(lambda: sandbox.lanes[-1].held and living(tmp_path / "begun"))
            os.kill(worker.process.pid, signal.SIGKILL)
            await until(lambda: sandbox.worker is not worker and living(tmp_path / "begun"))
            task.cancel()
            await asyncio.wait([task])
        else:
            os.kill(worker.process.pid, signal.SIGKILL)
        assert (await sandbox.compile(SMALL, {}, {})).artifact.name == "small"
        assert sandbox.worker is not worker
        assert worker.process.returncode == -signal.SIGKILL  # it is no zombie

    asyncio.run(story())


def test_too_many_are_told(sandbox: Sandbox) -> None:
    async def story() -> None:
        sandbox.lanes[-1] = Slots(2, queue=3)
        async with crowd(sandbox, 4, "slow"):
            CALLER.set("slow")
            with pytest.raises(TooManyRequests):
                await sandbox.compile(slow(9), {}, {})
            CALLER.set("other")
            assert (await sandbox.compile(SMALL, {}, {})).artifact.name == "small"

    asyncio.run(story())


def test_who_leaves_ends_the_request() -> None:
    ended: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["body"] == b"{}"
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(scope["path"])

    async def story() -> None:
        messages = iter(({"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}))

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            raise AssertionError(message)

        headers = [(b"host", b"127.0.0.1")]
        scope = {"type": "http", "method": "POST", "path": "/x", "headers": headers, "client": ("127.0.0.1", 1)}
        await Guard(app)(scope, receive, send)

    asyncio.run(story())
    assert ended == ["/x"]


def begin(url: str, name: str) -> socket.socket:
    """Send a start, and do not wait for its answer."""
    address = urlsplit(url)
    body = Start.model_validate({"name": name, "system": WEB}).model_dump_json(exclude_unset=True).encode()
    connection = socket.create_connection((address.hostname, address.port))
    head = f"POST /system/start HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def await_count(folder: Path, count: int) -> None:
    end = time.monotonic() + 60
    while len(living(folder)) != count:
        assert time.monotonic() < end, f"{living(folder)}, not {count}"
        time.sleep(0.01)


def test_a_service_lets_go_of_who_left(policies: Path, tmp_path: Path) -> None:
    with serving("-b", "memory", "--policies", str(policies)) as service:
        connection = begin(service.url, "slow1")
        await_count(tmp_path / "begun", 1)
        connection.close()
        await_count(tmp_path / "begun", 0)
        assert TychoClient(service.url).start({"name": "small", "system": WEB}).status == "success"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_compilers_end_with_their_service(policies: Path, tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "tmp").mkdir()
    with serving("-b", "memory", "--policies", str(policies), TMPDIR=str(tmp_path / "tmp")) as service:
        connection = begin(service.url, "slow1")
        await_count(tmp_path / "begun", 1)
        (compiler,) = living(tmp_path / "begun")
        worker = int(Path(f"/proc/{compiler}/stat").read_text().rpartition(")")[2].split()[1])
        if number != signal.SIGKILL:
            connection.close()
        service.process.send_signal(number)
        service.process.wait()
        assert service.process.returncode == (0 if number != signal.SIGKILL else -9)
        await_count(tmp_path / "begun", 0)
        end = time.monotonic() + 60
        while Path(f"/proc/{worker}").exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        connection.close()
    assert list((tmp_path / "tmp").iterdir()) == []
    assert isinstance(service.process, subprocess.Popen)
