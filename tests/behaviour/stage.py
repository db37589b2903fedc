"""Where systems live: an engine and a node side by side, with the same images; and what both showed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.behaviour import engine as engines
from tests.behaviour.build import build_images
from tests.behaviour.docker import DockerSide
from tests.behaviour.images import images, probe
from tests.behaviour.kubernetes import KubernetesSide, policies
from tests.behaviour.law import Observation
from tests.behaviour.life import Life
from tests.behaviour.programs import programs
from tests.behaviour.project import Json, Project
from tests.behaviour.sides import Side
from tests.e2e import node as nodes
from tests.e2e.__main__ import say
from tests.e2e.room import ROOM
from tycho.toolchain.files import no_progress

CODE = Path(__file__).parents[2]


@dataclass(slots=True)
class Sight:
    """What both sides of every system showed.

    Args:
        docker: On Docker.
        kubernetes: On Kubernetes.
        reports: The compile report of each system.
        broken: What could not be looked at, and why.
        messages: What was said where something failed.
    """

    docker: list[Observation] = field(default_factory=list)
    kubernetes: list[Observation] = field(default_factory=list)
    reports: dict[str, list[Json]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> Sight:
        """Read what an earlier run kept."""
        kept = json.loads(path.read_text())
        sides = {side: [Observation(**entry) for entry in kept[side]] for side in ("docker", "kubernetes")}
        return cls(sides["docker"], sides["kubernetes"], kept["reports"], kept["broken"], kept["messages"])

    def save(self, path: Path) -> None:
        """Write it, to be judged again."""
        path.write_text(json.dumps(asdict(self)))


@dataclass(slots=True)
class Stage:
    """Both sides, and a folder for the files of systems.

    Args:
        engine: The Docker engine.
        node: The node.
        home: Where each system has its own copy of its files.
        caller: The program that calls from outside.
        writing: Held by who adds to a sight.
    """

    engine: engines.Engine
    node: nodes.Node
    home: Path
    caller: Path
    writing: threading.Lock = field(default_factory=threading.Lock)

    def build(self, projects: Iterable[Project], sight: Sight) -> None:
        """Have the engine build the images of systems, and give them to the node."""
        archive = self.home / "built.tar"
        for project in projects:
            try:
                for name in build_images(self.engine, project, self.home / "build" / project.name):
                    archive.write_bytes(self.engine.read("GET", f"/images/{quote(name, safe='')}/get"))
                    self.node.import_images(archive)
            except AssertionError as error:  # no side has it then, and the system cannot start
                sight.broken.append(f"{project.name}: {error}")

    def live(self, project: Project, side: str, sight: Sight, code: Path = CODE) -> None:
        """Let a system live on one side.

        Args:
            project: The system.
            side: docker or kubernetes.
            sight: Gets what was seen.
            code: Where the program is that runs it on Kubernetes, and reports.
        """
        folder = self.home / side / project.name
        where: Side = (
            DockerSide(self.engine, folder, project.name)
            if side == "docker"
            else KubernetesSide.of(self.node, folder, project, code)
        )
        reporting = (lambda place: report(place, code)) if side == "kubernetes" else None
        life = Life(where, project, folder, self.caller, report=reporting)
        broken = []
        try:
            life.live()
        except Exception as error:  # noqa: BLE001 - a system that breaks the judge is a fault of that system, not of the run
            last = traceback.format_exc().strip().splitlines()[-6:]
            broken.append(f"{project.name} on {side}: {error!s:.600}\n  " + "\n  ".join(last))
        with self.writing:
            sight.broken += broken
            sight.messages += [f"{project.name} on {side}, {at}: {text}" for at, text in life.messages.items()]
            if side == "kubernetes":
                sight.reports[project.name] = life.rows
            (sight.docker if side == "docker" else sight.kubernetes).extend(life.seen)
        say(f"{project.name}: {side}")


@contextmanager
def both_sides() -> Iterator[Stage]:
    """Bring both sides up, with the images; end them."""
    paths = programs(no_progress)
    archive = images(paths, no_progress)
    caller = probe(no_progress)
    engine = engines.start(paths, archive)
    say("the engine runs")
    node = nodes.start(no_progress, paths["runc"])
    say("the node runs")
    node.import_images(archive)
    home = Path(tempfile.mkdtemp(dir=ROOM, prefix="systems-"))
    home.chmod(0o755)
    try:
        yield Stage(engine, node, home, caller)
    finally:
        node.stop()
        engine.stop()


def report(folder: Path, code: Path = CODE) -> list[Json]:
    """Ask Tycho what becomes of each key of a folder's compose file; a refusal counts as a row of its own."""
    argv = [sys.executable, "-m", "tycho", "compile", "--report", "--format", "json", *policies(folder)]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(code)}
    done = subprocess.run(argv, cwd=folder, env=env, check=False, capture_output=True, text=True, timeout=120)
    rows: list[Json] = json.loads(done.stdout) if done.stdout.startswith("[") else []
    refusals = re.findall(r"^\S+:\d+ +((?:services|volumes|networks)\.\S+): (.*)", done.stderr, re.MULTILINE)
    refused = {row["path"] for row in rows if row["outcome"] == "rejected"}
    return rows + [
        {"path": path, "outcome": "rejected", "reason": reason, "file": ""}
        for path, reason in refusals
        if path not in refused
    ]
