"""A service: in this process over an orchestrator in memory, or the installed command on a port of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.clients import Blocking, Make
from tycho import orchestrators
from tycho.api import create_app
from tycho.client import AsyncTychoClient, TychoClient
from tycho.lifecycle import Lifecycle

TYCHO = Path(sys.executable).with_name("tycho")
WEB = {"services": {"web": {"image": "nginx:${TAG:-1}", "ports": ["8080:80"]}}}
Post = Callable[..., Response]


def memory() -> Lifecycle:
    """The verbs, over a memory of their own."""
    target = orchestrators.Target(kubeconfig=str(uuid4()))
    return Lifecycle(orchestrators.get("memory", target), target)


@pytest.fixture(scope="module")
def http() -> Iterator[TestClient]:
    with TestClient(create_app(memory()), base_url="http://127.0.0.1") as client:
        yield client


class Promise:
    """What `/openapi.json` says of answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def kept(self, answer: Response, path: str, method: str = "post") -> None:
        """The answer has a documented status and the shape that is documented for it."""
        responses = self.document["paths"][path][method]["responses"]
        listed = responses.get(str(answer.status_code)) or responses[f"{answer.status_code // 100}XX"]
        schema = {**listed["content"]["application/json"]["schema"], "components": self.document["components"]}
        jsonschema_rs.validator_for(schema).validate(answer.json())
        assert answer.json()["status"] == ("success" if answer.status_code < 300 else "error")
        assert "Traceback" not in answer.text


@pytest.fixture(scope="module")
def promise(http: TestClient) -> Promise:
    return Promise(http.get("/openapi.json").json())


@pytest.fixture
def post(http: TestClient, promise: Promise) -> Iterator[Post]:
    """Posts a message, and holds the answer to the service's own document; the systems are gone afterwards."""

    def send(verb: str, body: object, status: int = 200) -> Response:
        answer = http.post(f"/system/{verb}", json=body)
        assert answer.status_code == status, answer.text
        promise.kept(answer, f"/system/{verb}")
        return answer

    yield send
    for system in send("status", {}).json()["result"]:
        send("delete", {"name": system["sid"]})


class Service:
    """The command, serving."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log: list[str] = []
        for line in self._lines():
            if match := re.search(r"answers at (http://\S+),", line):
                self.url = match[1]
                break
        else:
            raise AssertionError("".join(self.log))
        self._reader = threading.Thread(target=lambda: [None for _ in self._lines()])
        self._reader.start()

    def _lines(self) -> Iterator[str]:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            yield line

    def interrupt(self) -> int:
        """Ctrl-C; its exit code."""
        self.process.send_signal(signal.SIGINT)
        self._reader.join()
        return self.process.wait()


@contextmanager
def serving(*argv: str, **variables: str) -> Iterator[Service]:
    """`tycho api` on a free port, with an environment of its own."""
    kept = ("PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR", "TYCHO_QUIET_TIME")
    env = {key: value for key, value in os.environ.items() if key in kept}
    command = [TYCHO, "api", "--port", "0", *argv]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env={**env, **variables}, stdout=pipe, stderr=pipe, text=True) as process:
        service = Service(process)
        try:
            yield service
        finally:
            service.interrupt()
            assert process.stdout
            assert process.stdout.read() == ""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """The command over an orchestrator in memory."""
    with serving("-b", "memory", "--debug") as server:
        yield server


@pytest.fixture(params=[TychoClient, AsyncTychoClient])
def make(request: pytest.FixtureRequest) -> Make:
    return lambda *args, **kwargs: Blocking(request.param(*args, **kwargs))
