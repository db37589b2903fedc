"""What the report says of a key is true of the chart: without the key exactly that is missing, and nothing is when the
key is ignored.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from tests.chart.conftest import Bench
from tests.chart.drawn import ENVIRONMENTS, systems
from tests.chart.removing import Compiled, Project, Unwritten, leaves, pattern, without
from tests.chart.resolving import find_lies, find_silent, is_within
from tests.chart.row_tables import ANYWAY, FOLLOWS, PERHAPS, SAME
from tycho.chart import emit, release_values
from tycho.chart.chart import ReportEntry
from tycho.chart.translate.tables import SECTIONS
from tycho.cli.yaml_output import dump
from tycho.errors import ComposeError, PolicyDenied
from tycho.model.expression import evaluate

TESTS = Path(__file__).parents[1]
CORPUS = TESTS.parents[1] / "shared" / "corpus" / "kompose"
DEEP = settings.default.max_examples > 1000
NEEDS_GRANTS = [  # they ask for more than the shipped policies grant
    Project(TESTS / "cases" / name / "compose.yaml", policies=False) for name in ("every-key", "no-meaning")
]
OURS = [*NEEDS_GRANTS, *(Project(path) for path in sorted((TESTS / "golden").glob("*/compose.yaml")))]
PUBLIC = [Project(path) for path in sorted(CORPUS.rglob("*")) if path.suffix in (".yaml", ".yml")]
SAMPLE = PUBLIC if DEEP else PUBLIC[::4]  # the others in the deep profile: some ten compilations each
HELD = ("translated", "approximated")
DECIDED = {"include", "extends", "profiles", "env_file[].required", "env_file[].format"}  # when the file is read
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
RELEASE = "rel"
PUBLISHED = "ports[].published"
STEP = 1 if DEEP else 3  # of the keys that Helm is asked about: it takes long


def id_of(project: Project) -> str:
    return "/".join(project.path.parts[-2:])


def changes_nothing(rows: list[ReportEntry], key: str, value: Any) -> bool:
    """Whether the rows of a path say that the chart is the same without it."""
    held = [row for row in rows if row.outcome in HELD and row.target]
    if all(any(re.match(words, row.target) for words in SAME) for row in held):
        return True
    listed = value if isinstance(value, list) else [value]
    return any(key == name and all(entry in values for entry in listed) for name, values, _ in ANYWAY)


def removals(project: Project, base: Compiled, document: Any) -> Iterator[tuple[str, list[ReportEntry], Any, Any]]:
    """Each path that a row is about and the file says, with its rows, what it says, and the file without it."""
    for path, rows in project.rows(base.chart):
        try:
            without_key, value = without(document, path)
        except Unwritten:  # a long form that loading made, or what follows from another key
            continue
        yield path, rows, value, without_key
    reported = {row.path for row in base.chart.report}
    for path, row in parts(document):
        if path not in reported:
            without_key, value = without(document, path)
            yield path, [row], value, without_key


def is_same_either_way(port: dict[str, Any]) -> bool:
    """Whether a port is published at its own number, as it would be anyway, or is one of the node, as its row says."""
    return str(port["published"]) == str(port.get("target")) or port.get("mode") == "host"


def parts(document: Any) -> Iterator[tuple[str, ReportEntry]]:
    """Each key of an item of a list: the list has the row, and the table says what becomes of the key."""
    services = document.get("services") or {}
    for (name, service), (key, entry) in itertools.product(services.items(), SECTIONS["services"].items()):
        above, _, field = key.partition("[].")
        listed = service.get(above) or () if field else ()
        for number, element in enumerate(listed):
            if (
                isinstance(element, dict)
                and field in element
                and not (key == PUBLISHED and is_same_either_way(element))
            ):
                path = f"services.{name}.{above}[{number}].{field}"
                yield path, ReportEntry(path, "", 0, entry.outcome, entry.target)


@pytest.mark.parametrize("project", OURS, ids=id_of)
def test_key_changes_chart_as_reported(project: Project) -> None:
    assert judged(project) > 0


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public corpus is not beside this checkout")
def test_public_files_are_told_the_truth() -> None:
    count = 0
    for project in SAMPLE:
        try:
            count += judged(project)
        except (ComposeError, PolicyDenied, yaml.YAMLError):  # it does not compile
            continue
    assert count > (400 if DEEP else 100)


def judged(project: Project) -> int:
    """Take away one key after the other; how many there were."""
    document, count = project.document, 0
    base, wrong = project.compile(document), []
    for path, rows, value, without_key in removals(project, base, document):
        count += 1
        try:
            differs = base.differs(project.compile(without_key))
        except (ComposeError, PolicyDenied):  # it cannot do without
            differs = ["the file"] if any(row.outcome != "ignored" for row in rows) else ["refused"]
        quiet = changes_nothing(rows, pattern(path, document), value)
        if quiet == bool(differs) and differs != ["the file"]:
            wrong.append((id_of(project), path, [f"{row.outcome}: {row.target}" for row in rows], differs))
    assert not wrong, "\n".join(map(str, wrong))
    return count


@pytest.mark.parametrize("project", OURS, ids=id_of)
def test_no_row_claims_what_helm_does_not_render(bench: Bench, project: Project) -> None:
    assert count_claims(bench, project.compile(project.document)) > 0


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public corpus is not beside this checkout")
def test_targets_of_public_files_are_rendered(bench: Bench) -> None:
    count = 0
    for project in SAMPLE:
        try:
            count += count_claims(bench, project.compile(project.document))
        except (ComposeError, PolicyDenied, yaml.YAMLError):  # it does not compile
            continue
    assert count > (2000 if DEEP else 400)


@given(document=systems(), env=ENVIRONMENTS)
@settings(max_examples=max(10, settings.default.max_examples // 4))
def test_targets_of_drawn_systems_are_rendered(bench: Bench, document: Any, env: dict[str, str]) -> None:
    try:
        policy_result = bench.policy_result(dump(document), **env)
        compiled = Compiled(emit(policy_result), release_values(policy_result.system))
    except (ComposeError, PolicyDenied):  # what was drawn cannot run
        return
    count_claims(bench, compiled, lambda row: is_worth_nothing(row, document, env))


def is_worth_nothing(row: ReportEntry, document: Any, env: Mapping[str, str]) -> bool:
    """Whether a row is about a field that a variable decides, and leaves out."""
    _, value = without(document, row.path)
    return "(live)" in row.target and isinstance(value, str) and evaluate(value, env) in ("", "0")


def count_claims(bench: Bench, compiled: Compiled, excused: Callable[[ReportEntry], bool] = lambda _: False) -> int:
    """Count the targets of a report, all of which are there in what Helm renders."""
    objects = bench.render(compiled.chart, compiled.release)
    lies = [row for row in compiled.chart.report if find_lies([row], objects, RELEASE) and not excused(row)]
    assert lies == []
    assert find_silent(compiled.chart.report, {**SAME, **PERHAPS}) == []
    return sum(len(row.targets) for row in compiled.chart.report)


def test_a_key_changes_what_its_row_names(bench: Bench) -> None:
    """Without a key something changes at what its row names, and nothing else but what follows from that."""
    seen, met, wrong = set[tuple[str, str]](), itertools.count(), []
    for project in [*OURS, *(PUBLIC if DEEP else ())]:
        document = project.document
        try:
            base = project.compile(document)
        except (ComposeError, PolicyDenied):
            continue
        before = leaves(bench.render(base.chart, base.release))
        for path, rows, value, without_key in removals(project, base, document):
            key = pattern(path, document)
            kinds = {(key, re.sub(r"\d+", "0", row.target)) for row in rows if row.targets}
            if changes_nothing(rows, key, value) or (kinds <= seen and not DEEP):
                continue
            seen |= kinds
            if next(met) % STEP:
                continue
            try:
                after = project.compile(without_key)
            except (ComposeError, PolicyDenied):  # it cannot do without
                continue
            remaining = leaves(bench.render(after.chart, after.release))
            lasting = {name.split(" ")[0] for name, _ in before} & {name.split(" ")[0] for name, _ in remaining}
            changed = {name for name, _ in before ^ remaining}
            wrong += [(id_of(project), path, difference) for difference in judge_change(rows, changed, lasting)]
    assert not wrong, "\n".join(map(str, wrong))
    assert len(seen) > 100


def judge_change(rows: Sequence[ReportEntry], changed: set[str], lasting: set[str]) -> Iterator[str]:
    """What is wrong with a change: a row names nothing of it, or it is at nothing that a row names.

    Args:
        rows: Of one path.
        changed: Fields that are other ones without it.
        lasting: Objects that are there with it and without it.
    """
    for row in rows:
        if row.targets and not any(is_within(field, target, RELEASE) for target in row.targets for field in changed):
            yield f"unchanged: {row.target}, {row.targets[0]}"
    targets = [target for row in rows for target in row.targets]
    for field in sorted(changed) if targets else ():
        known = any(is_within(field, target, RELEASE) for target in targets)
        follows = any(re.search(words, field) for words in FOLLOWS)
        if field.split(" ")[0] in lasting and not known and not follows:
            yield f"not named: {field}"


def test_every_key_is_taken_away_somewhere() -> None:
    """Each key of the tables that is not refused stands in a file of ours."""
    used = set[str]()
    for project in OURS:
        document = project.document
        for path, _, _, _ in removals(project, project.compile(document), document):
            key = pattern(path, document)
            used |= {key[: match.start()] for match in re.finditer(r"\[|\.|$", key)}
    missing = [
        f"{section}.{name}"
        for section, table in SECTIONS.items()
        for name, key in table.items()
        if section not in ("", "jobs") and key.outcome != "rejected" and name not in DECIDED
        and f"{section}.{name}" not in used
    ]  # fmt: skip
    assert missing == []
