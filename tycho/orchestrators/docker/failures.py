"""What Docker Compose says when it fails, in plain words and with a hint."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tycho.errors import Conflict, NotFound, OrchestratorError, ToolMissing, TychoError

IMAGE = "write a name that the registry knows, or build it: `tycho up --build -b docker`"
KNOWN: Sequence[tuple[re.Pattern[str], type[TychoError], str, str]] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind, message, hint)
    for pattern, kind, message, hint in (
        (r"failed to resolve reference \"(?P<what>[^\"]+)\"", NotFound, "the image {what} cannot be pulled", IMAGE),
        (r"get \"https?://(?P<what>[^/\"]+)/v2/", OrchestratorError, "the registry {what} does not answer",
         "look at the network of the engine's machine, and at the name of the image"),
        (
            r"cannot connect to the docker daemon|error during connect|dial unix .*refused|no such file.*docker\.sock",
            ToolMissing, "no Docker engine answers", "start it, or set DOCKER_HOST",
        ),
        (
            r"(?P<what>[\d.:\[\]]*:\d+)\S*(?: failed)?: (?:port is already allocated|bind: address already)",
            Conflict, "the port {what} is taken on the engine's machine", "publish another one, or remove what has it",
        ),
        (r"container name \"?/?(?P<what>[\w.-]+)\"? is already in use", Conflict, "a container {what} is there already",
         "remove it, or leave out container_name"),
        (r"no such image: (?P<what>\S+)", NotFound, "the engine has no image {what}", IMAGE),
        (r"pull access denied for (?P<what>[^\s,]+)", NotFound, "no registry gives out the image {what}", IMAGE),
        (r"manifest for (?P<what>\S+) not found", NotFound, "no registry has the image {what}", IMAGE),
        (r"bind source path does not exist: (?P<what>\S+)", NotFound, "there is no {what} to mount",
         "make it, or correct the path"),
        (r"external volume \"(?P<what>[^\"]+)\" not found", NotFound, "there is no volume {what}",
         "create it: docker volume create"),
        (r"network (?P<what>\S+) declared as external, but could not be found", NotFound, "there is no network {what}",
         "create it: docker network create"),
    )
)  # fmt: skip


def explain_failure(verb: str, lines: Sequence[str]) -> TychoError:
    """Make the error for a verb of Docker Compose that failed.

    Args:
        verb: Which.
        lines: The last lines that it wrote.
    """
    for line in reversed(lines):
        for pattern, kind, message, hint in KNOWN:
            if match := pattern.search(line):
                return kind(message.format(what=match.groupdict().get("what", "")), hint=hint)
    last = lines[-1] if lines else "it said nothing"
    return OrchestratorError(f"docker compose {verb} failed: {last}")
