"""What the judge looks at: enough systems, every key and case, and breaks for each kind of observation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.behaviour.breaks import TABLE
from tests.behaviour.choice import choose_bounded
from tests.behaviour.drawn import FEW, MANY, drawn_projects
from tests.behaviour.law import compare
from tests.behaviour.project import load_projects
from tests.behaviour.shown import compare_result, find_kinds, list_uses, load_kinds, load_result, summarize
from tests.behaviour.test_law import seen
from tests.e2e.promises import keys
from tests.e2e.test_breaks import broken

PROJECTS = load_projects()
BOUNDED = {name: PROJECTS[name] for name in choose_bounded(PROJECTS)}
RESULT = load_result()


def test_there_are_many_systems_and_observations() -> None:
    assert len(RESULT["systems"]) >= 150
    counts = {kind: sum(outcomes.values()) for kind, outcomes in RESULT["kinds"].items()}
    assert sum(count >= 20 for count in counts.values()) >= 30
    assert sum(counts.values()) >= 3000


def test_nothing_is_unexplained() -> None:
    assert [kind for kind, outcomes in RESULT["kinds"].items() if "different" in outcomes] == []


def test_the_result_is_of_all_systems_that_there_are() -> None:
    assert set(RESULT["systems"]) == PROJECTS.keys() | drawn_projects(MANY).keys()


def test_every_key_with_a_meaning_at_run_time_is_in_the_bounded_choice() -> None:
    used = {key for project in BOUNDED.values() for key, _ in list_uses(project.tree)}
    assert sorted(RESULT["keys"].keys() - used) == []


def test_every_public_case_and_ten_pairs_are_in_the_bounded_choice() -> None:
    assert [name for name in PROJECTS if name.startswith("case-") and name not in BOUNDED] == []
    assert sum(name.startswith("pair-") for name in BOUNDED) >= 10


def test_the_table_of_kinds_knows_real_kinds_and_keys() -> None:
    kinds = {kind for listed in load_kinds().values() for kind in listed}
    assert kinds - RESULT["kinds"].keys() == set()
    unknown = [key for key in load_kinds() if not any(find_kinds(known, {key: ["x"]}) for known in keys())]
    assert unknown == []


def test_drawn_systems_are_the_same_each_time() -> None:
    few, many = drawn_projects(FEW), drawn_projects(MANY)
    assert (len(few), len(many)) == (FEW, MANY)
    assert all(many[name] == project for name, project in few.items())


def test_each_kind_of_observation_can_be_broken() -> None:
    breakable = {kind for entry in TABLE["breaks"] for kind in entry["kinds"]}
    assert breakable.isdisjoint(TABLE["unbreakable"])
    assert breakable | TABLE["unbreakable"].keys() == RESULT["kinds"].keys()
    assert {entry["system"] for entry in TABLE["breaks"]} <= PROJECTS.keys()


@pytest.mark.parametrize("entry", TABLE["breaks"], ids=lambda entry: f"{entry['system']}: {entry['breaks']}")
def test_a_break_still_fits_the_program(tmp_path: Path, entry: dict[str, str]) -> None:
    assert broken(tmp_path / "code", entry).is_dir()


def summary(value: str) -> dict[str, object]:
    """The result of one system, where both sides show a command and Kubernetes shows this one."""
    findings = compare([seen("argv", "a", system="words")], [seen("argv", value, system="words")])
    return summarize(findings, {"words": PROJECTS["words"]}, ["command", "user"])


def test_a_result_counts_by_kind_and_key() -> None:
    counted = summary("a")
    assert counted["kinds"] == {"argv": {"equal": 1}}


def test_a_run_that_agrees_with_the_result_has_no_fault() -> None:
    assert list(compare_result(summary("a"), summary("a"), whole=True)) == []


def test_a_run_that_does_not_agree_tells_where() -> None:
    faults = list(compare_result(summary("b"), summary("a"), whole=True))
    assert faults == [
        "judged.json does not say what was seen: kind argv different",
        "judged.json says what was not seen: kind argv equal",
    ]
