"""Asking a service when it was used: a server of the test answers, by way of Kubernetes' port forwarding.

That a real kubelet forwards so is shown by `tests/e2e`.
"""

from __future__ import annotations

import contextlib
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.orchestrators.kubelets import IDENTITY, ask_cluster, make_pod
from tycho.expiry import Question
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.reaping.activity import LARGEST, NoAnswer, ask_activity, parse_activity

POD = make_pod({"name": "web", "ports": [{"containerPort": 80}]})
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
STATUS = b'{"connections": 0, "kernels": 1, "last_activity": "2026-11-27T12:00:00.000000Z", "started": "x"}'
QUESTION = Question(service="web", port=80, path="/api/status?x=1")


def ask(folder: Path, *parts: bytes, ends: bool = True, seconds: float = 10.0) -> tuple[datetime | str, bytes]:
    """Ask a service that answers with these parts; what is made of it, and the request."""
    request = bytearray()

    async def answer(asked: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(asked)
        for channel in (b"\x00", b"\x01"):
            await socket.send_bytes(channel + struct.pack("<H", 80))
        async for message in socket:
            request.extend(message.data[1:])
            if b"\r\n\r\n" in request:
                break
        for part in parts:
            await socket.send_bytes(part if part[:1] == b"\x01" else b"\x00" + part)
        if not ends:
            await socket.receive()  # until the other side hangs up
        await socket.close()
        return socket

    async def question(orchestrator: HelmOrchestrator) -> datetime | str:
        try:
            return await ask_activity(orchestrator, IDENTITY, QUESTION, seconds=seconds)
        except NoAnswer as no_answer:
            return str(no_answer)

    return ask_cluster(POD, "portforward", answer, folder, question), bytes(request)


def head(body: bytes, status: str = "200 OK", *fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_the_request_is_a_plain_get(tmp_path: Path) -> None:
    moment, request = ask(tmp_path, head(STATUS))
    assert moment == NOON
    assert request.startswith(b"GET /api/status?x=1 HTTP/1.1\r\nHost: localhost:80\r\n")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((head(b"2026-11-27T12:00:00Z\n"),), id="text"),
        pytest.param((head(b'"2026-11-27T13:00:00+01:00"'),), id="json-text"),
        pytest.param((b"HTTP/1.0 200 OK\r\n\r\n2026-11-27", b"T12:00:00Z"), id="until-it-ends"),
        pytest.param((CHUNKED, b"4\r\n2026\r\n", b"10\r\n-11-27T12:00:00Z\r\n0\r\n\r\n"), id="chunked"),
        pytest.param(tuple(bytes([byte]) for byte in head(b"2026-11-27T12:00:00Z")), id="byte-by-byte"),
    ],
)
def test_answers_that_say_when(tmp_path: Path, parts: tuple[bytes, ...]) -> None:
    assert ask(tmp_path, *parts)[0] == NOON


def test_a_connection_that_stays_open_is_not_waited_for(tmp_path: Path) -> None:
    assert ask(tmp_path, head(STATUS), ends=False)[0] == NOON


NO_MOMENT = "web answered no RFC 3339 moment"


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        pytest.param(head(STATUS, "403 Forbidden"), "web answered 403", id="login"),
        pytest.param(head(b"", "302 Found", "Location: http://127.0.0.1/"), "web answered 302", id="redirect"),
        pytest.param(head(b"yesterday"), NO_MOMENT, id="words"),
        pytest.param(head(b"2026-11-27T12:00:00"), NO_MOMENT, id="no-zone"),
        pytest.param(head(b"2026-11-27"), NO_MOMENT, id="day"),
        pytest.param(head(b'{"last_activity": 1}'), NO_MOMENT, id="number"),
        pytest.param(head(STATUS)[:-9], "web ended in the middle of its answer", id="cut"),
        pytest.param(b"SSH-2.0-server\r\n", "web did not answer as HTTP does", id="another-protocol"),
        pytest.param(head(b"x" * (LARGEST + 1)), "web answered more than 64 KiB", id="large"),
        pytest.param(b"", "web did not answer as HTTP does", id="nothing"),
        pytest.param(b"\x01refused", "web did not answer: web:80 does not answer: refused", id="refused"),
    ],
)
def test_answers_that_do_not(tmp_path: Path, part: bytes, reason: str) -> None:
    parts = [part[start : start + 16384] for start in range(0, len(part), 16384)]
    assert ask(tmp_path, *parts)[0] == reason


def test_silence_is_no_answer(tmp_path: Path) -> None:
    assert ask(tmp_path, head(STATUS)[:-9], ends=False, seconds=0.2)[0] == "web did not answer in 0.2 s"


@given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode))
def test_any_answer_is_a_moment_or_none(body: bytes) -> None:
    with contextlib.suppress(NoAnswer):
        assert parse_activity(body, "web").tzinfo
