"""Does the judge notice? Each feature that is broken on purpose must make a difference of each of its kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import yaml

from tests.behaviour.law import judge
from tests.behaviour.project import Json, Project
from tests.behaviour.stage import Sight, Stage
from tests.behaviour.tables import Law
from tests.e2e.test_breaks import broken

TABLE: Json = yaml.safe_load((Path(__file__).parent / "breaks.yaml").read_text())


def find_unnoticed(
    stage: Stage, projects: Mapping[str, Project], law: Law, at_once: int, systems: Sequence[str] = ()
) -> Iterator[str]:
    """Run a broken copy of the program for each break; yield what the judge did not notice.

    Args:
        stage: Both sides.
        projects: All systems.
        law: The tables.
        at_once: How many systems live at the same time.
        systems: Those to break; none: all that the table names.
    """
    docker = Sight()
    breaks = [entry for entry in TABLE["breaks"] if not systems or entry["system"] in systems]
    names = sorted({entry["system"] for entry in breaks})
    seen: list[Sight] = [Sight() for _ in breaks]
    with ThreadPoolExecutor(at_once) as pool:
        runs = [pool.submit(stage.live, projects[name], "docker", docker) for name in names]
        runs += [
            pool.submit(_live_broken, stage, projects[entry["system"]], number, entry, sight)
            for number, (entry, sight) in enumerate(zip(breaks, seen, strict=True))
        ]
        for run in runs:
            run.result()
    yield from docker.broken
    for entry, sight in zip(breaks, seen, strict=True):
        observed = [replace(observation, system=entry["system"]) for observation in sight.kubernetes]
        rows = [row for report in sight.reports.values() for row in report]
        on_docker = [observation for observation in docker.docker if observation.system == entry["system"]]
        verdict = judge(on_docker, observed, {entry["system"]: rows}, law, whole=False)
        kinds = {finding.kind for finding in verdict.findings if finding.outcome == "different"}
        for kind in entry["kinds"]:
            if kind not in kinds:
                others = ", ".join(sorted(kinds)) or "nothing"
                message = "".join(f"\n  {text:.600}" for text in (*sight.broken, *sight.messages))
                yield f"{entry['breaks']} ({entry['system']}): no {kind} is different; {others} is{message}"


def _live_broken(stage: Stage, project: Project, number: int, entry: Json, sight: Sight) -> None:
    """Let a system live under a broken copy of the program, and a name of its own."""
    code = stage.home / f"code-{number}"
    broken(code, entry)
    name = f"{project.name[:40]}-{number}"
    stage.live(replace(project, name=name), "kubernetes", sight, code)
