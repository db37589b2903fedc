"""Docker's command line, and how it is run: no shell, a process group of its own, and no secret in its arguments."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import shutil
import socket
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from tycho.errors import NotSupported, OrchestratorError, ToolMissing
from tycho.programs import ask_to_end, kill_group, write_input
from tycho.settings import environment
from tycho.text import safe_message

Tell = Callable[[str], None]
GRACE = 10.0  # seconds that Docker has to end what it does before it is killed
KEPT_LINES = 12  # lines of its output that an error shows
LONGEST_LINE = 2000  # characters of a line that are kept
COMPOSE_VARIABLES = (
    "COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME", "COMPOSE_ENV_FILES", "COMPOSE_REMOVE_ORPHANS",
    "COMPOSE_IGNORE_ORPHANS", "COMPOSE_PROGRESS",
)  # fmt: skip
"""Variables that would have Docker Compose read or do something else than what it is given."""
INSTALL = "install Docker with its Compose plugin"
START_ENGINE = "start it, or set DOCKER_HOST"
UNREACHABLE = re.compile(r"cannot connect to the docker daemon|error during connect|connection refused", re.IGNORECASE)
SOCKET = "/var/run/docker.sock"
PING_TIMEOUT = 1.0  # seconds
REQUEST_TIMEOUT = 60.0  # seconds


class Completed(Struct, frozen=True):
    """A program that has ended.

    Args:
        code: Its exit code.
        stdout: What it wrote to its standard output.
        lines: The last lines of both its streams, fit to be shown.
    """

    code: int
    stdout: str
    lines: list[str]

    @property
    def last_line(self) -> str:
        """The line that says most of a failure."""
        return self.lines[-1] if self.lines else "it said nothing"


@dataclass(frozen=True, slots=True)
class DockerCli:
    """Docker's command line on this machine.

    Args:
        variables: What it is to know beside the caller's environment.
        install: What to do where it is missing.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    install: str = INSTALL

    async def read_version(self) -> str:
        """Return the version of the engine that answers.

        Raises:
            ToolMissing: There is none, or no command line for it.
        """
        completed = await self.run(["docker", "version", "--format", "{{.Server.Version}}"])
        if completed.code or not completed.stdout.strip():
            raise ToolMissing(f"no Docker engine answers: {completed.last_line}", hint=START_ENGINE)
        return completed.stdout.strip()

    async def find_compose(self) -> list[str]:
        """Find Docker Compose: the plugin, or a program of its own.

        Raises:
            ToolMissing: There is neither.
        """
        if not (await self.run(["docker", "compose", "version"])).code:
            return ["docker", "compose"]
        if shutil.which("docker-compose", path=self._environment().get("PATH")):
            return ["docker-compose"]
        raise ToolMissing("docker has no compose plugin", hint=self.install)

    async def require(self, argv: Sequence[str]) -> str:
        """Run a program that must succeed; its standard output is returned.

        Raises:
            OrchestratorError: It failed; with what it said.
            ToolMissing: No engine answers.
        """
        completed = await self.run(argv)
        if completed.code and UNREACHABLE.search(completed.last_line):
            raise ToolMissing("no Docker engine answers", hint=START_ENGINE, local=completed.last_line)
        if completed.code:
            raise OrchestratorError(f"{' '.join(argv[:2])} {argv[-1]} failed: {completed.last_line}")
        return completed.stdout

    async def run(self, argv: Sequence[str], content: bytes | None = None, *, tell: Tell | None = None) -> Completed:
        """Run a program to its end.

        Args:
            argv: The program and its arguments.
            content: Its standard input.
            tell: Told each line that it writes.

        Raises:
            ToolMissing: There is no such program.
        """
        process = await self._start(argv, content is not None)
        last: deque[str] = deque(maxlen=KEPT_LINES)

        def note(line: str) -> None:
            shown = safe_message(line[:LONGEST_LINE])
            last.append(shown)
            if tell:
                tell(shown)

        try:
            stdout, _, _, code = await asyncio.gather(
                _read(process.stdout, note),
                _read(process.stderr, note),
                write_input(process.stdin, content),
                process.wait(),
            )
        except BaseException:
            await _end(process)
            raise
        return Completed(code, stdout, list(last))

    async def stream(self, argv: Sequence[str]) -> AsyncGenerator[str, None]:
        """Run a program, and yield the lines of its standard output as they come.

        Raises:
            OrchestratorError: It failed; with the end of what it said.
        """
        process = await self._start(argv, False)
        last: deque[str] = deque(maxlen=KEPT_LINES)
        errors = asyncio.create_task(_read(process.stderr, last.append))
        try:
            while process.stdout and (line := await process.stdout.readline()):
                yield line.decode(errors="replace").rstrip("\r\n")
            await errors
            if await process.wait():
                raise OrchestratorError(f"{' '.join(argv[:2])} failed: {safe_message(' '.join(list(last)[-1:]))}")
        finally:
            await _end(process)
            errors.cancel()

    async def _start(self, argv: Sequence[str], has_input: bool) -> asyncio.subprocess.Process:
        env = self._environment()
        program = shutil.which(argv[0], path=env.get("PATH"))
        if not program:
            raise ToolMissing(f"there is no {argv[0]} program on PATH", hint=self.install)
        return await asyncio.create_subprocess_exec(
            program,
            *argv[1:],
            stdin=asyncio.subprocess.PIPE if has_input else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=env,
            start_new_session=True,
            limit=1 << 20,
        )

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in environment().items() if name not in COMPOSE_VARIABLES}
        # An attestation tells when it was made: the same build would have another digest each time.
        defaults = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        return {**defaults, **kept, **self.variables, "COMPOSE_DISABLE_ENV_FILE": "1"}


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a socket of this machine."""

    def connect(self) -> None:
        """Connect to the socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


def engine_answers() -> bool:
    """Return whether a Docker engine answers at the socket of this machine; no program is run for that."""
    connection = _connect(PING_TIMEOUT)
    if connection is None:
        return False
    try:
        connection.request("GET", "/_ping", headers={"Host": "docker"})
        response = connection.getresponse()
        return response.status == 200 and response.read(16) == b"OK"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def ask_engine(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Send a request to the engine's API, for what its command line has no words for.

    Args:
        path: With its query.
        body: Sent as JSON.

    Raises:
        NotSupported: The engine has no socket on this machine.
        OrchestratorError: It refuses, or does not answer; with what it said.
    """
    connection = _connect(REQUEST_TIMEOUT)
    if connection is None:
        raise NotSupported("this takes an engine at a socket of this machine", hint="set DOCKER_HOST=unix:///PATH")
    try:
        headers = {"Host": "docker", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read() or b"{}")
    except (OSError, http.client.HTTPException) as error:
        raise OrchestratorError(f"the Docker engine does not answer: {error}", hint=START_ENGINE) from error
    finally:
        connection.close()
    if response.status >= http.client.BAD_REQUEST:
        raise OrchestratorError(safe_message(str(answer.get("message", response.reason))))
    return answer


def _connect(timeout: float) -> _SocketConnection | None:
    """Return a connection to the engine's socket on this machine; None where DOCKER_HOST names another place."""
    address = environment().get("DOCKER_HOST") or f"unix://{SOCKET}"
    if not address.startswith("unix://"):
        return None
    return _SocketConnection(address.removeprefix("unix://"), timeout=timeout)


async def _read(stream: asyncio.StreamReader | None, note: Tell) -> str:
    """Read a stream to its end, and note each line that is not empty."""
    whole, partial = "", b""
    while stream and (part := await stream.read(65536)):
        *lines, partial = (partial + part).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            whole += f"{text}\n"
            if text:
                note(text)
    if text := partial.decode(errors="replace").rstrip():
        note(text)
    return whole + text


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program with all that it started: asked first, so that the engine stops its work, then killed."""
    try:
        if process.returncode is None:
            await ask_to_end(process, GRACE)
    finally:
        kill_group(process)
