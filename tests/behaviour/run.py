"""The judge at work, in the room: every chosen system lives on both sides, and the law is applied to what was seen."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.behaviour.breaks import find_unnoticed
from tests.behaviour.choice import choose_bounded
from tests.behaviour.drawn import FEW, MANY, drawn_projects
from tests.behaviour.law import Verdict, judge
from tests.behaviour.project import Project, load_projects
from tests.behaviour.shown import compare_result, load_result, save_result, summarize
from tests.behaviour.stage import Sight, both_sides
from tests.behaviour.tables import load_law
from tests.e2e.__main__ import say
from tests.e2e.promises import keys

AT_ONCE = 6
HERE = Path(__file__).parent


def main(argv: list[str]) -> int:
    """Run the chosen systems, and write what the law says of them."""
    parser = argparse.ArgumentParser(prog="bin/task behaviour --")
    parser.add_argument("systems", nargs="*", help="names of systems; all of the bounded choice by default")
    parser.add_argument("--deep", action="store_true", help="every system")
    parser.add_argument("--keep", type=Path, help="where what was seen is written, too, to be judged again")
    parser.add_argument("--again", type=Path, help="judge what an earlier run kept, and run nothing")
    parser.add_argument("--result", type=Path, default=HERE / "result.json", help="where the result is written")
    parser.add_argument("--commit", action="store_true", help="write judged.json, that docs/promises.md is made of")
    parser.add_argument("--breaks", action="store_true", help="does it notice features that are broken on purpose?")
    options = parser.parse_args(argv)
    if options.breaks:
        return _judge_breaks(options.systems)
    written = load_projects()
    projects = {**written, **drawn_projects(MANY)}
    bounded = [*choose_bounded(written), *drawn_projects(FEW)]
    chosen = options.systems or (list(projects) if options.deep else bounded)
    begun = time.monotonic()
    sight = Sight.load(options.again) if options.again else look([projects[name] for name in chosen], options.keep)
    verdict = judge(sight.docker, sight.kubernetes, sight.reports, load_law(), whole=options.deep)
    _write(options.result, verdict, sight)
    summary = summarize(verdict.findings, {name: projects[name] for name in chosen}, keys())
    if options.commit:
        save_result(summary)
    strange = [] if options.commit else list(compare_result(summary, load_result(), whole=options.deep))
    return _tell(verdict, [*sight.broken, *strange], len(chosen), time.monotonic() - begun)


def look(projects: list[Project], keep: Path | None = None) -> Sight:
    """Let every system live on both sides."""
    sight = Sight()
    with both_sides() as stage, ThreadPoolExecutor(AT_ONCE) as pool:
        stage.build(projects, sight)
        lives = [
            pool.submit(stage.live, project, side, sight) for project in projects for side in ("kubernetes", "docker")
        ]
        try:
            for life in lives:
                life.result()
        finally:
            if keep:
                sight.save(keep)
    return sight


def _judge_breaks(systems: list[str]) -> int:
    """Have the judge look at a program whose features are broken on purpose: in these systems, or in all."""
    begun = time.monotonic()
    with both_sides() as stage:
        unnoticed = list(find_unnoticed(stage, load_projects(), load_law(), AT_ONCE, systems))
    for fault in unnoticed:
        say(fault)
    say(f"{len(unnoticed)} breaks were not noticed; {time.monotonic() - begun:.0f} s")
    return int(bool(unnoticed))


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
