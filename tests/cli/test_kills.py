"""Kills and signals at random moments: what comes next finds nothing in its way, loses nothing and leaves nothing."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

from tests.cli.conftest import TYCHO, Run
from tests.cli.test_session import objects

pytestmark = pytest.mark.xdist_group("cluster")

log = logging.getLogger(__name__)
DEEP = settings.default.max_examples >= 1000
ROUNDS = 12 if DEEP else 2  # each cuts nine commands short, eight of which change the cluster
ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
LONGEST = 2.5  # seconds within which a command is cut short; most take about as long
LONGEST_COMPILE = 0.5
FILE = """
services:
  web: {{image: "nginx:1.{0}", ports: ["80"], environment: {{N: "{0}"}}, volumes: ["data:/data"]}}
  agent: {{image: "nginx:1.{0}"}}
volumes: {{data: {{}}}}
"""
# Where nothing of Tycho's may stay: what it calls its temporary files, whichever folder they lie in.
OURS = ("tycho-*", ".*.tycho-*", "**/.tycho-*", "**/.*.tycho-*")
MEMBERS = "deployments,services,configmaps,serviceaccounts,networkpolicies,jobs,persistentvolumeclaims,secrets,leases"
GONE = 32  # the exit code where there is no such system, or no revision before this
NEXT = ("up", "pause", "resume", "rollback", "down --keep-volumes")  # what may come after a command that was cut short


def family(mark: str) -> dict[int, str]:
    """Processes whose environment holds a mark: Tycho's and all that it has started."""
    killed = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environment, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
                dead = (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
            except OSError:
                continue
            if mark.encode() in environment and not dead:
                killed[int(entry.name)] = command.replace(b"\0", b" ").decode()
    return killed


def left(*folders: Path) -> list[Path]:
    return [path for folder in folders for pattern in OURS for path in folder.glob(pattern)]


def await_ears(process: subprocess.Popen[str]) -> None:
    """Python itself has started, and Tycho catches signals."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return


def await_none(mark: str) -> None:
    """The kernel ends what belonged to a killed process, a moment later."""
    end = time.monotonic() + 60
    while running := family(mark):
        assert time.monotonic() < end, running
        time.sleep(0.01)


class Life:
    """One system's life, in which commands are cut short at random moments.

    Args:
        seed: Of all chances; a life with an even one is cut short by SIGKILL alone.
        folder: The project's.
        tool: Runs the judges.
        env: What the shell holds.
    """

    def __init__(self, seed: int, folder: Path, tool: Run, env: dict[str, str]) -> None:
        self.name = f"cut{seed}"
        self.chance = random.Random(seed)  # noqa: S311 - to be told again, not to be secret
        self.signals = ENDS if seed % 2 else (signal.SIGKILL,)
        self.folder, self.temporary = folder, folder / "tmp"
        self.temporary.mkdir()
        self.mark = f"TMPDIR={self.temporary}"
        self.env = {**env, "TMPDIR": str(self.temporary)}
        self.tool = tool
        self.guid = ""
        self.claim = ""  # the uid of its volume's, which outlives all but a removal
        self.story: list[str] = []

    def write(self, tag: int) -> None:
        self.tag = tag
        (self.folder / "compose.yaml").write_text(f"name: {self.name}\n{FILE.format(tag)}")

    def cut(self, command: str) -> None:
        """Begin a command, and end it at a moment of its life."""
        number = self.chance.choice(self.signals)
        moment = self.chance.random() * (LONGEST_COMPILE if command.startswith("compile") else LONGEST)
        process = subprocess.Popen(
            [TYCHO, *command.split()], cwd=self.folder, env=self.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        await_ears(process)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
        self.story.append(f"{command}: {moment:.2f} s, {number.name}, {process.returncode}")
        ended = -number if number == signal.SIGKILL else 128 + number
        assert process.returncode in (0, ended, GONE if command == "rollback" else 0), (number, stderr)
        assert "internal error" not in stderr
        assert "Traceback" not in stderr
        await_none(self.mark)
        if process.returncode != -signal.SIGKILL:
            assert left(self.temporary, self.folder) == []

    def run(self, command: str, *codes: int) -> str:
        """Run a command to its end, with exit code 0 or one of others; it also takes away what others left."""
        ran = subprocess.run(
            [TYCHO, *command.split()],
            cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.story.append(f"{command}: {ran.returncode} {ran.stderr}" if command != "status -o json" else "status")
        assert ran.returncode in (0, *codes), ran.stderr
        await_none(self.mark)
        assert left(self.temporary, self.folder) == []
        assert list(self.temporary.iterdir()) == []
        return ran.stdout

    def find(self) -> dict[str, Any] | None:
        """The system, as `status` tells of it."""
        systems = [system for system in json.loads(self.run("status -o json")) if system["name"] == self.name]
        assert len(systems) <= 1
        return systems[0] if systems else None

    def go_on(self) -> None:
        """Run any command after one that was cut short: the system is then whole, or was not there to begin with."""
        command = self.chance.choice(NEXT)
        # A first start that was cut short is begun anew, and leaves nothing that could be paused or go back.
        self.run(command, *(() if command == "up" else (GONE,)))

    def check(self) -> bool:
        """The system is whole, and what the file says; nothing else is there. Whether it is paused is returned."""
        system = self.find()
        assert system
        paused = bool(system["paused"])
        assert (system["state"], system["is_ready"]) == ("paused" if paused else "deployed", True), system
        namespace, release, self.guid = system["namespace"], system["release"], system["sid"]
        manifest = self.tool("helm", "get", "manifest", release, "-n", namespace).stdout
        described = {(obj["kind"], obj["metadata"]["name"]) for obj in yaml.safe_load_all(manifest) if obj}
        items = json.loads(self.tool("kubectl", "get", MEMBERS, "-n", namespace, "-o", "json").stdout)["items"]
        labels = [obj["metadata"]["labels"] for obj in items if obj.get("type") == "helm.sh/release.v1"]
        *earlier, newest = [each["status"] for each in sorted(labels, key=lambda each: int(each["version"]))]
        assert [*earlier, newest].count("deployed") == 1
        assert newest in ("deployed", "failed")
        # What helm itself was cut short in keeps its status; `tycho history` calls it failed.
        assert {*earlier} <= {"deployed", "superseded", "failed", "pending-upgrade", "pending-rollback"}
        members = [obj for obj in items if obj.get("type") != "helm.sh/release.v1" and is_ours(obj)]
        assert {(obj["kind"], obj["metadata"]["name"]) for obj in members} == described
        (claim,) = (obj["metadata"]["uid"] for obj in members if obj["kind"] == "PersistentVolumeClaim")
        assert self.claim in ("", claim)
        self.claim = claim
        for obj in members:
            if obj["kind"] == "Deployment":
                assert obj["spec"]["replicas"] == (0 if paused else 1)
                (container,) = obj["spec"]["template"]["spec"]["containers"]
                assert container["image"] == f"nginx:1.{self.tag}"
        return paused


def is_ours(obj: dict[str, Any]) -> bool:
    """Tell whether Tycho or its helm made an object, and not the cluster itself."""
    return "tycho-guid" in (obj["metadata"].get("labels") or {})


@pytest.fixture
def life(tycho: Run, tool: Run, env: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Life]:
    made = Life(request.param, tmp_path, tool, env)
    yield made
    log.warning("%s", "\n".join(made.story))


@pytest.mark.parametrize("life", range(ROUNDS), indirect=True)
def test_nothing_is_left(life: Life, tool: Run, tmp_path: Path) -> None:
    """Each command is cut short once at a random moment; any other follows, and then `up` has all as it should be."""
    life.write(27)
    life.cut("compile -o chart --values values.yaml")
    life.run("compile -o chart --values values.yaml")
    assert tool("helm", "lint", tmp_path / "chart", "-f", tmp_path / "values.yaml").returncode == 0
    for number, command in enumerate(("up", "up", "rollback", "pause", "resume", "down --keep-volumes", "up", "down")):
        life.write(27 + number)
        if command == "resume":
            life.run("pause")
        life.cut(command)
        if command == "down":
            break
        life.go_on()
        life.run("up")
        if life.check():
            life.run("resume")
            assert not life.check()
    life.run("down")
    assert life.find() is None
    assert objects(tool, life.guid) == []
