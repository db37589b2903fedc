"""The judge at work, in the room: every chosen system lives on both sides, and the law is applied to what was seen."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.behaviour import engine as engines
from tests.behaviour.build import build_images
from tests.behaviour.docker import DockerSide
from tests.behaviour.images import images, probe
from tests.behaviour.kubernetes import KubernetesSide, policies
from tests.behaviour.law import Observation, Verdict, judge
from tests.behaviour.life import Life
from tests.behaviour.programs import programs
from tests.behaviour.project import Json, Project, load_projects
from tests.behaviour.sides import Side
from tests.behaviour.tables import load_law
from tests.e2e import node as nodes
from tests.e2e.__main__ import say
from tests.e2e.room import ROOM
from tycho.cluster.state import quiet

AT_ONCE = 6
HERE = Path(__file__).parent


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


def main(argv: list[str]) -> int:
    """Run the chosen systems, and write what the law says of them."""
    parser = argparse.ArgumentParser(prog="bin/task behaviour --")
    parser.add_argument("systems", nargs="*", help="names of systems; all of the bounded choice by default")
    parser.add_argument("--deep", action="store_true", help="every system")
    parser.add_argument("--keep", type=Path, help="where what was seen is written, too, to be judged again")
    parser.add_argument("--again", type=Path, help="judge what an earlier run kept, and run nothing")
    parser.add_argument("--result", type=Path, default=HERE / "result.json", help="where the result is written")
    options = parser.parse_args(argv)
    projects = load_projects()
    chosen = options.systems or [
        name for name, project in projects.items() if options.deep or not project.about.get("deep")
    ]
    begun = time.monotonic()
    sight = _kept(options.again) if options.again else look([projects[name] for name in chosen], options.keep)
    verdict = judge(sight.docker, sight.kubernetes, sight.reports, load_law(), whole=options.deep)
    _write(options.result, verdict, sight)
    return _tell(verdict, sight.broken, len(chosen), time.monotonic() - begun)


def look(projects: list[Project], keep: Path | None = None) -> Sight:
    """Bring both sides up, and let every system live on each."""
    paths = programs(quiet)
    archive = images(paths, quiet)
    caller = probe(quiet)
    sight = Sight()
    engine = engines.start(paths, archive)
    say("the engine runs")
    node = nodes.start(quiet, paths["runc"])
    say("the node runs")
    _import(node, archive)
    home = Path(tempfile.mkdtemp(dir=ROOM, prefix="systems-"))
    home.chmod(0o755)
    for project in projects:
        try:
            for name in build_images(engine, project, home / "build" / project.name):
                _move(engine, node, name, home / "built.tar")
        except AssertionError as error:  # no side has it then, and the system cannot start
            sight.broken.append(f"{project.name}: {error}")

    def live(project: Project, side: str) -> None:
        folder = home / side / project.name
        where: Side = (
            DockerSide(engine, folder, project.name)
            if side == "docker"
            else KubernetesSide.of(node, folder, project.name)
        )
        life = Life(where, project, folder, caller, report=report if side == "kubernetes" else None)
        try:
            life.live()
        except Exception as error:  # noqa: BLE001 - a system that breaks the judge is a fault of that system, not of the run
            last = traceback.format_exc().strip().splitlines()[-6:]
            sight.broken.append(f"{project.name} on {side}: {error!s:.600}\n  " + "\n  ".join(last))
        if side == "kubernetes":
            sight.reports[project.name] = life.rows
        (sight.docker if side == "docker" else sight.kubernetes).extend(life.seen)
        if keep:
            keep.write_text(json.dumps(asdict(sight)))
        sight.messages += [f"{project.name} on {side}, {at}: {text}" for at, text in life.messages.items()]
        say(f"{project.name}: {side}")

    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for future in [
                pool.submit(live, project, side) for project in projects for side in ("kubernetes", "docker")
            ]:
                future.result()
    finally:
        node.stop()
        engine.stop()
    return sight


def _kept(path: Path) -> Sight:
    kept = json.loads(path.read_text())
    sides = {side: [Observation(**entry) for entry in kept[side]] for side in ("docker", "kubernetes")}
    return Sight(sides["docker"], sides["kubernetes"], kept["reports"], kept["broken"], kept["messages"])


def report(folder: Path) -> list[Json]:
    """Ask Tycho what becomes of each key of a folder's compose file; a refusal counts as a row of its own."""
    argv = [sys.executable, "-m", "tycho", "compile", "--report", "--format", "json", *policies(folder)]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run(argv, cwd=folder, env=env, check=False, capture_output=True, text=True, timeout=120)
    rows: list[Json] = json.loads(done.stdout) if done.stdout.startswith("[") else []
    refusals = re.findall(r"^\S+:\d+ +((?:services|volumes|networks)\.\S+): (.*)", done.stderr, re.MULTILINE)
    refused = {row["path"] for row in rows if row["fate"] == "rejected"}
    return rows + [
        {"path": path, "fate": "rejected", "reason": reason, "file": ""}
        for path, reason in refusals
        if path not in refused
    ]


def _move(engine: engines.Engine, node: nodes.Node, image: str, archive: Path) -> None:
    """Give the node an image that the engine has."""
    archive.write_bytes(engine.read("GET", f"/images/{quote(image, safe='')}/get"))
    _import(node, archive)


def _import(node: nodes.Node, archive: Path) -> None:
    ctr = [node.programs["ctr"], f"--address={ROOM / 'containerd.sock'}", "--namespace=k8s.io"]
    subprocess.run([*ctr, "images", "import", str(archive)], check=True, capture_output=True)


def _write(path: Path, verdict: Verdict, sight: Sight) -> None:
    rows = [
        {"system": finding.system, "moment": finding.moment, "kind": finding.kind, "service": finding.service,
         "key": finding.key, "outcome": finding.outcome, **_sides(finding.docker, finding.kubernetes, finding.outcome),
         **({"because": finding.because} if finding.because else {})}
        for finding in verdict.findings
    ]  # fmt: skip
    lines = ",\n".join(json.dumps(row) for row in rows)
    faults = json.dumps([*verdict.faults, *sight.broken], indent=1)
    messages = json.dumps(sight.messages, indent=1)
    path.write_text(f'{{"faults": {faults},\n"messages": {messages},\n"findings": [\n{lines}\n]}}\n')


def _sides(docker: Any, kubernetes: Any, outcome: str) -> dict[str, Any]:
    return {"value": docker} if outcome == "equal" else {"docker": docker, "kubernetes": kubernetes}


def _tell(verdict: Verdict, broken: list[str], systems: int, seconds: float) -> int:
    for fault in [*verdict.faults, *broken]:
        say(fault)
    kinds = len({finding.kind for finding in verdict.findings})
    counts = Counter(finding.outcome for finding in verdict.findings)
    outcomes = ", ".join(f"{counts[name]} {name}" for name in ("equal", "reported", "excepted", "different"))
    say(f"{systems} systems, {kinds} kinds, {len(verdict.findings)} observations: {outcomes}; {seconds:.0f} s")
    return int(bool(verdict.faults or broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
