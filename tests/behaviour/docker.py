"""Docker Compose on the real engine, as one of the two sides."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.behaviour.engine import HOST, Engine
from tests.behaviour.sides import Container, Published, restarting


@dataclass(slots=True)
class DockerSide:
    """A system on Docker.

    Args:
        engine: Where it runs.
        folder: Its files.
        project: Its name.
    """

    engine: Engine
    folder: Path
    project: str
    tails: list[threading.Thread] = field(default_factory=list)
    outside: str = "caller"  # the network that a caller stands in

    def _compose(self, *words: str) -> subprocess.CompletedProcess[str]:
        # With its name alone, Compose would not read the file, and know nothing of hooks.
        return self.engine.compose(self.folder, "-f", "compose.yaml", "-p", self.project, *words)

    def up(self) -> str:
        """Start it, or change it; "" when that succeeded, else what was said."""
        # What it builds is there: both sides run the very same image.
        done = self._compose("up", "-d", "--remove-orphans", "--pull", "never", "--no-build")
        return done.stderr.strip() or "failed" if done.returncode else ""

    def restart(self) -> None:
        """Restart every service."""
        self._compose("restart", "-t", "2")

    def down(self, *, volumes: bool) -> None:
        """Remove it, and its volumes if so wanted."""
        done = self._compose("down", "--remove-orphans", "-t", "3", *(["-v"] if volumes else []))
        assert not done.returncode, done.stderr

    def stop(self) -> None:
        """Ask everything to end, in the time that the file gives it."""
        self._compose("stop")

    def containers(self) -> list[Container]:
        """Look at every container of it."""
        filters = quote(json.dumps({"label": [f"com.docker.compose.project={self.project}"]}))
        return [
            self._container(entry["Id"])
            for entry in self.engine.ask("GET", f"/containers/json?all=1&filters={filters}")
        ]

    def _container(self, identity: str) -> Container:
        details = self.engine.ask("GET", f"/containers/{identity}/json")
        state = details["State"]
        status = "running" if state["Running"] else state["Status"]
        if state.get("Restarting"):
            status = "restarting"
        return Container(
            service=details["Config"]["Labels"]["com.docker.compose.service"],
            identity=identity,
            generated=identity[:12],
            state=status,
            exit_code=state["ExitCode"] if status == "exited" else None,
            restarts=details["RestartCount"],
            health=(state.get("Health") or {}).get("Status", ""),
        )

    def execute(self, container: Container, *words: str) -> str:
        """Run a program in a container, and give what it prints."""
        asked = {"Cmd": list(words), "AttachStdout": True, "AttachStderr": True}
        started = self.engine.ask("POST", f"/containers/{container.identity}/exec", asked)["Id"]
        streams = self.engine.stream("POST", f"/exec/{started}/start", {"Detach": False, "Tty": False})
        details = self.engine.ask("GET", f"/exec/{started}/json")
        assert details["ExitCode"] == 0, (
            f"{words[:2]} in {container.service} ends with {details['ExitCode']}: {streams}"
        )
        return streams[1]

    def logs(self, container: Container) -> str:
        """Read what a container printed."""
        path = f"/containers/{container.identity}/logs?stdout=1&stderr=1"
        tty = self.engine.ask("GET", f"/containers/{container.identity}/json")["Config"]["Tty"]
        return self.engine.stream("GET", path, plain=tty)[0]

    def last_words(self, containers: list[Container]) -> Iterator[tuple[Container, str]]:
        """Stop it, and give what each container printed, to its end."""
        self.stop()
        for container in containers:
            yield container, self.logs(container)

    def published(self) -> list[Published]:
        """Where it answers outside."""
        ends: list[Published] = []
        for container in self.containers():
            details = self.engine.ask("GET", f"/containers/{container.identity}/json")
            for target, bindings in (details["NetworkSettings"]["Ports"] or {}).items():
                port, _, protocol = target.partition("/")
                ends += [
                    Published(container.service, int(port), protocol, HOST, int(binding["HostPort"]))
                    for binding in bindings or ()
                    if ":" not in binding["HostIp"]
                ]
        return ends

    @staticmethod
    def is_settled(container: Container) -> bool:
        """Tell whether a container is where it will stay."""
        return (container.health != "starting" and container.state != "created") or restarting(container)
