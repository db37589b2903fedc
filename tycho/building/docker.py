"""Running Docker's command line: no shell, a process group of its own, and no secret in its arguments."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tycho.errors import CredentialsRejected, OrchestratorError, ToolMissing
from tycho.programs import ask_to_end, kill_group, write_input
from tycho.settings import environment
from tycho.text import safe_message

Tell = Callable[[str], None]
GRACE = 10.0  # seconds that Docker has to end a build before it is killed
LAST = 12  # lines of its output that an error shows
LONGEST = 2000  # characters of a line that are kept
COMPOSE = ("COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME", "COMPOSE_ENV_FILES")
"""Variables that would have Docker Compose read something else than what it is given."""

DENIED = re.compile(
    r"denied|unauthorized|authentication required|no basic auth credentials|\b401\b|\b403\b", re.IGNORECASE
)
PLAIN = "server gave HTTP response to HTTPS client"
PUSHED = re.compile(r"^\S+: digest: (sha256:[0-9a-f]{64}) size: \d+$", re.MULTILINE)
INSTALL = "install Docker with its Compose and buildx plugins"


@dataclass(frozen=True, slots=True)
class Docker:
    """Docker's command line on this machine.

    Args:
        variables: What it is to know beside the caller's environment.
        tell: Told each line that it writes.
        shown: Whether the user sees these lines.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    tell: Tell = lambda line: None
    shown: bool = False

    async def check(self) -> None:
        """Check that an engine answers.

        Raises:
            ToolMissing: There is none, or no command line for it.
        """
        code, out, lines = await self._run(["docker", "version", "--format", "{{.Server.Version}}"])
        if code or not out.strip():
            raise ToolMissing(f"no Docker engine answers: {_choose_line(lines)}", hint="start it, or set DOCKER_HOST")

    async def build(self, project: str, folder: str, document: bytes, options: Sequence[str] = ()) -> None:
        """Build the images of a compose document, and name them as it says.

        Args:
            project: The project's name.
            folder: The project's folder.
            document: What to build; it may hold secrets.
            options: Further ones of `docker compose build`.

        Raises:
            OrchestratorError: Docker failed; with what it said.
            ToolMissing: There is no Docker Compose.
        """
        words = ["-f", "-", "--project-directory", folder, "-p", project, "--progress", "plain", "build", *options]
        code, _, lines = await self._run([*await self._find_compose(), *words], document, tell=self.tell)
        if code:
            raise OrchestratorError(f"docker compose build failed: {self._explain(lines)}")

    async def tag(self, name: str, reference: str) -> None:
        """Give an image a further name."""
        await self._must(["docker", "tag", name, reference])

    async def untag(self, reference: str) -> None:
        """Take a name from an image that has others."""
        await self._must(["docker", "image", "rm", "--no-prune", reference])

    async def read_id(self, name: str) -> str:
        """Read the digest by which the engine knows an image."""
        return (await self._must(["docker", "image", "inspect", "--format", "{{.Id}}", name])).strip()

    async def push(self, reference: str) -> str:
        """Push an image; its digest in the registry is returned.

        Raises:
            CredentialsRejected: The registry does not know the caller, or does not let him push there.
            OrchestratorError: It cannot be pushed for another reason; with what Docker said.
        """
        code, out, lines = await self._run(["docker", "push", reference], tell=self.tell)
        if not code:
            return str(PUSHED.findall(out)[-1]) if PUSHED.search(out) else await self._read_pushed(reference)
        message = f"docker push {reference} failed: {self._explain(lines)}"
        registry = reference.partition("/")[0]
        if DENIED.search(message):
            raise CredentialsRejected(
                message, hint=f"log in with `docker login {registry}`, or push to another --push PREFIX"
            )
        hint = f'add "{registry}" to insecure-registries of the Docker daemon' if PLAIN in message else ""
        raise OrchestratorError(message, hint=hint)

    async def _read_pushed(self, reference: str) -> str:
        """Read the digest of an image in a registry, where a push has not told it."""
        out = await self._must(["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", reference])
        repository = reference.rpartition(":")[0]
        for known in json.loads(out) or ():
            name, _, digest = known.partition("@")
            if name == repository:
                return str(digest)
        raise OrchestratorError(f"docker push {reference} does not tell the digest of what it pushed")

    async def _find_compose(self) -> list[str]:
        """Find Docker Compose: the plugin, or a program of its own."""
        code, _, _ = await self._run(["docker", "compose", "version"])
        if not code:
            return ["docker", "compose"]
        if shutil.which("docker-compose", path=self._environment().get("PATH")):
            return ["docker-compose"]
        raise ToolMissing("docker has no compose plugin, which builds the images", hint=INSTALL)

    async def _must(self, argv: Sequence[str]) -> str:
        code, out, lines = await self._run(argv)
        if code:
            raise OrchestratorError(f"{' '.join(argv[:2])} {argv[-1]} failed: {_choose_line(lines)}")
        return out

    def _explain(self, lines: Sequence[str]) -> str:
        """What a failed program said: its last words where the user saw the rest, else the end of all."""
        return _choose_line(lines) if self.shown else "\n".join(lines) or "it said nothing"

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in environment().items() if name not in COMPOSE}
        # An attestation tells when it was made: the same build would have another digest each time.
        defaults = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        return {**defaults, **kept, **self.variables, "COMPOSE_DISABLE_ENV_FILE": "1"}

    async def _run(
        self, argv: Sequence[str], data: bytes | None = None, *, tell: Tell | None = None
    ) -> tuple[int, str, list[str]]:
        """Run a program to its end: its exit code, its standard output, and its last lines of both streams.

        Raises:
            ToolMissing: There is no such program.
        """
        env = self._environment()
        program = shutil.which(argv[0], path=env.get("PATH"))
        if not program:
            raise ToolMissing(f"there is no {argv[0]} program on PATH, which builds the images", hint=INSTALL)
        process = await asyncio.create_subprocess_exec(
            program,
            *argv[1:],
            stdin=asyncio.subprocess.DEVNULL if data is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=env,
            start_new_session=True,
        )
        last: deque[str] = deque(maxlen=LAST)

        def note(line: str) -> None:
            shown = safe_message(line[:LONGEST])
            last.append(shown)
            if tell:
                tell(shown)

        try:
            out, _, _, code = await asyncio.gather(
                _read(process.stdout, note),
                _read(process.stderr, note),
                write_input(process.stdin, data),
                process.wait(),
            )
        except BaseException:
            await _end(process)
            raise
        return code, out, list(last)


async def _read(stream: asyncio.StreamReader | None, note: Tell) -> str:
    """Read a stream to its end, and note each line that is not empty."""
    whole, rest = "", b""
    while stream and (part := await stream.read(65536)):
        *lines, rest = (rest + part).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            whole += f"{text}\n"
            if text:
                note(text)
    if text := rest.decode(errors="replace").rstrip():
        note(text)
    return whole + text


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program with all that it started: asked first, so that the engine stops building, then killed."""
    try:
        await ask_to_end(process, GRACE)
    finally:
        kill_group(process)


def _choose_line(lines: Sequence[str]) -> str:
    """Choose the line that says most of a failure: the last one."""
    return lines[-1] if lines else "it said nothing"
