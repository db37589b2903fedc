"""Building images by Docker's command line, and pushing them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tycho.docker_cli import Completed, DockerCli, Tell
from tycho.errors import CredentialsRejected, OrchestratorError

DENIED = re.compile(
    r"denied|unauthorized|authentication required|no basic auth credentials|\b401\b|\b403\b", re.IGNORECASE
)
PLAIN = "server gave HTTP response to HTTPS client"
PUSHED = re.compile(r"^\S+: digest: (sha256:[0-9a-f]{64}) size: \d+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Docker(DockerCli):
    """Docker's command line on this machine, for builds.

    Args:
        tell: Told each line that it writes.
        shown: Whether the user sees these lines.
    """

    install: str = "install Docker with its Compose and buildx plugins"
    tell: Tell = lambda line: None
    shown: bool = False

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
        completed = await self.run([*await self.find_compose(), *words], document, tell=self.tell)
        if completed.code:
            raise OrchestratorError(f"docker compose build failed: {self._explain(completed)}")

    async def tag(self, name: str, reference: str) -> None:
        """Give an image a further name."""
        await self.require(["docker", "tag", name, reference])

    async def untag(self, reference: str) -> None:
        """Take a name from an image that has others."""
        await self.require(["docker", "image", "rm", "--no-prune", reference])

    async def read_id(self, name: str) -> str:
        """Read the digest by which the engine knows an image."""
        return (await self.require(["docker", "image", "inspect", "--format", "{{.Id}}", name])).strip()

    async def push(self, reference: str) -> str:
        """Push an image; its digest in the registry is returned.

        Raises:
            CredentialsRejected: The registry does not know the caller, or does not let him push there.
            OrchestratorError: It cannot be pushed for another reason; with what Docker said.
        """
        completed = await self.run(["docker", "push", reference], tell=self.tell)
        if not completed.code:
            digests = PUSHED.findall(completed.stdout)
            return str(digests[-1]) if digests else await self._read_pushed(reference)
        message = f"docker push {reference} failed: {self._explain(completed)}"
        registry = reference.partition("/")[0]
        if DENIED.search(message):
            raise CredentialsRejected(
                message, hint=f"log in with `docker login {registry}`, or push to another --push PREFIX"
            )
        hint = f'add "{registry}" to insecure-registries of the Docker daemon' if PLAIN in message else ""
        raise OrchestratorError(message, hint=hint)

    async def _read_pushed(self, reference: str) -> str:
        """Read the digest of an image in a registry, where a push has not told it."""
        stdout = await self.require(["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", reference])
        repository = reference.rpartition(":")[0]
        for known in json.loads(stdout) or ():
            name, _, digest = known.partition("@")
            if name == repository:
                return str(digest)
        raise OrchestratorError(f"docker push {reference} does not print the digest of what it pushed")

    def _explain(self, completed: Completed) -> str:
        """Return what a failed program said: its last words where the user saw the rest, else the end of all."""
        return completed.last_line if self.shown else "\n".join(completed.lines) or "it said nothing"
