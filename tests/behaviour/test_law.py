"""The law, on what it might be shown: no engine, no node, no root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.behaviour.law import ABSENT, Observation, compare, judge
from tests.behaviour.life import MOMENTS, split_log
from tests.behaviour.observe import capabilities
from tests.behaviour.project import SYSTEMS, load_projects, merge, question
from tests.behaviour.tables import CHANGED, Exemption, Explanation, Law, load_law

DOCS = Path(__file__).parents[2] / "docs"
ULIMITS = {"path": "services.web.ulimits", "outcome": "ignored", "reason": "of the node", "file": "compose.yaml"}
LIMITS = Explanation("services.*.ulimits", ("rlimit",))
LAW = Law((LIMITS,))


def seen(kind: str, value: Any, key: str = "", service: str = "web", system: str = "one") -> Observation:
    return Observation(system, "first", kind, service, key, value)


def faults(docker: Any, kubernetes: Any, rows: Any = (), law: Law = LAW, **options: Any) -> list[str]:
    return list(judge(docker, kubernetes, {"one": rows}, law, **options).faults)


def test_what_is_equal_is_no_fault() -> None:
    verdict = judge([seen("uid", 1)], [seen("uid", 1)], {}, LAW)
    assert (verdict.count("equal"), verdict.faults) == (1, ())


def test_what_nobody_tells_is_a_fault() -> None:
    assert faults([seen("uid", 1)], [seen("uid", 2)]) == ["one first: uid of web: Docker 1, Kubernetes 2"]


@pytest.mark.parametrize(("docker", "kubernetes"), [([seen("env", "1", "A")], []), ([], [seen("env", "1", "A")])])
def test_what_one_side_lacks_is_a_fault(docker: list[Observation], kubernetes: list[Observation]) -> None:
    both = [seen("uid", 1)]
    (fault,) = faults(docker + both, kubernetes + both)
    assert ABSENT in fault


def test_an_aspect_of_what_is_absent_is_not_told_twice() -> None:
    docker = [seen("mount", "mounted", "/x"), seen("mount-mode", "0755", "/x"), seen("uid", 1)]
    (fault,) = faults(docker, [seen("uid", 1)])
    assert "mount of web [/x]" in fault


def test_a_container_that_does_not_run_shows_its_state_alone() -> None:
    docker = [seen("state", "running"), seen("uid", 1), seen("env", "1", "A")]
    (fault,) = faults(docker, [seen("state", "exited")])
    assert "state of web" in fault


def test_replicas_that_agree_are_one() -> None:
    (finding,) = compare([seen("uid", 1), seen("uid", 1)], [seen("uid", 1)])
    assert finding.outcome == "equal"


def test_replicas_that_do_not_agree_are_a_list() -> None:
    (finding,) = compare([seen("uid", 2), seen("uid", 1)], [seen("uid", 1)])
    assert finding.docker == [1, 2]


def test_a_row_explains_its_kind() -> None:
    verdict = judge([seen("rlimit", "1", "n")], [seen("rlimit", "2", "n")], {"one": [ULIMITS]}, LAW)
    assert (verdict.count("reported"), verdict.faults) == (1, ())
    assert verdict.findings[0].because == "services.web.ulimits"


def test_a_row_explains_no_other_kind() -> None:
    different = [seen("rlimit", "1", "n"), seen("uid", 1)], [seen("rlimit", "2", "n"), seen("uid", 2)]
    (fault,) = faults(*different, [ULIMITS])
    assert "uid of web" in fault


def test_a_row_explains_no_other_service() -> None:
    different = [seen("rlimit", "1", "n", "db")], [seen("rlimit", "2", "n", "db")]
    assert len(faults(*different, [ULIMITS])) == 2  # the difference, and the row that does nothing


def test_a_row_for_everyone_explains_other_services() -> None:
    law = Law((Explanation("services.*.ulimits", ("rlimit",), everyone=True),))
    assert not faults([seen("rlimit", "1", "n", "db")], [seen("rlimit", "2", "n", "db")], [ULIMITS], law)


def test_a_row_explains_no_other_system() -> None:
    different = [seen("rlimit", "1", "n", system="two")], [seen("rlimit", "2", "n", system="two")]
    assert any("rlimit of web" in fault for fault in faults(*different, [ULIMITS]))


def test_a_translated_row_explains_nothing() -> None:
    row = {**ULIMITS, "outcome": "translated"}
    assert len(faults([seen("rlimit", "1", "n")], [seen("rlimit", "2", "n")], [row])) == 1


@pytest.mark.parametrize(
    ("path", "explained"),
    [
        ("services.web.ulimits", True),
        ("services.web.ulimits.nofile", True),
        ("services.web.ulimits[0]", True),
        ("services.web.ulimit", False),
        ("services.web", False),
        ("volumes.web.ulimits", False),
    ],
)
def test_a_pattern_means_a_key_and_what_is_below(path: str, explained: bool) -> None:
    assert LIMITS.is_about({**ULIMITS, "path": path}) is explained


def test_a_pattern_of_entries_means_any_of_them() -> None:
    explanation = Explanation("services.*.configs[].uid")
    assert explanation.is_about({**ULIMITS, "path": "services.web.configs[3].uid"})
    assert not explanation.is_about({**ULIMITS, "path": "services.web.configs[3].gid"})


def test_reason_and_file_of_a_row_are_looked_at() -> None:
    assert not Explanation("services.*.ulimits", reason="loopback*").is_about(ULIMITS)
    assert not Explanation("services.*.ulimits", file="10-*.yaml").is_about(ULIMITS)


def test_a_row_that_changes_nothing_is_a_fault() -> None:
    (fault,) = faults([seen("rlimit", "1", "n")], [seen("rlimit", "1", "n")], [ULIMITS])
    assert "nothing does" in fault


def test_a_row_that_cannot_be_seen_may_change_nothing() -> None:
    law = Law((Explanation("services.*.ulimits", silent="nobody sees it"),))
    assert not faults([], [], [ULIMITS], law)


def test_a_row_that_the_table_does_not_know_is_a_fault() -> None:
    (fault,) = faults([], [], [ULIMITS], Law())
    assert "not in the table" in fault


def differing(number: int, equal: int = 0) -> tuple[list[Observation], list[Observation]]:
    """Environments that differ in one variable in each of some services, and are equal in others."""
    docker = [seen("env", "1", "A", f"s{i}") for i in range(number + equal)]
    return docker, [seen("env", "2" if i < number else "1", "A", f"s{i}") for i in range(number + equal)]


RARE = Law(exceptions=(Exemption("env", "A", "told"),))
EVERYWHERE = Law(exceptions=(Exemption("env", "A", "told", everywhere=True),))


def test_an_exception_covers_its_kind_and_key() -> None:
    verdict = judge(*differing(1, 99), {}, RARE)
    assert (verdict.count("excepted"), verdict.faults) == (1, ())


def test_an_exception_covers_no_other_value() -> None:
    law = Law(exceptions=(Exemption("env", "A", "told", docker="2"),))
    assert len(faults(*differing(1, 99), law=law)) == 2  # the difference, and an exception without use


def test_an_exception_that_is_too_wide_is_a_fault() -> None:
    (fault,) = faults(*differing(3, 97), law=RARE)
    assert "covers 3 of 100" in fault


def test_an_exception_without_use_is_a_fault() -> None:
    (fault,) = faults(*differing(0, 9), law=RARE)
    assert fault.endswith("has no use")


def test_an_exception_may_be_without_use_where_not_all_ran() -> None:
    assert not faults(*differing(0, 9), law=RARE, whole=False)


def test_a_trait_of_the_platform_may_be_in_every_container() -> None:
    assert not faults(*differing(9), law=EVERYWHERE)


def test_a_trait_of_the_platform_must_be_in_every_container() -> None:
    (fault,) = faults(*differing(7, 2), law=EVERYWHERE)
    assert "not met everywhere: not in one/first/s7, one/first/s8" in fault


def test_a_file_may_say_itself_what_the_platform_says_elsewhere() -> None:
    assert not faults(*differing(19, 1), law=EVERYWHERE)


def test_there_are_few_exceptions() -> None:
    law = Law(exceptions=tuple(Exemption("env", str(number), "told") for number in range(21)))
    assert "there are 21 exceptions, and may be 20" in faults([], [], law=law)


def test_the_tables_are_well_formed() -> None:
    law = load_law()
    assert law.explanations
    for explanation in law.explanations:
        assert bool(explanation.kinds) != bool(explanation.silent) or explanation.silent, explanation
        assert set(explanation.outcomes) <= {*CHANGED, "translated"}
        explains = (explanation.file, explanation.reason) != (
            "*",
            "*",
        )  # a row that only says what it becomes tells nothing
        assert "translated" not in explanation.outcomes or explains, explanation


def test_the_documentation_tells_every_exception() -> None:
    text = "\n".join(path.read_text() for path in DOCS.glob("*.md"))
    assert [
        exception.documented for exception in load_law().exceptions if f"- {exception.documented}\n" not in text
    ] == []


def test_every_system_is_small_and_well_formed() -> None:
    for path in SYSTEMS.glob("*.yaml"):
        assert len(path.read_text().splitlines()) <= 30, path.name
        task = yaml.safe_load(path.read_text()).get("x-judge", {})
        assert task.keys() <= {"files", "modes", "names", "paths", "moments", "change", "write"}, path.name
        assert set(task.get("moments", ())) <= MOMENTS.keys(), path.name
        assert ("changed" in task.get("moments", ())) == ("change" in task), path.name
    assert len(load_projects()) >= 40


def test_no_port_is_published_by_two_systems() -> None:
    taken: dict[str, str] = {}
    for name, project in load_projects().items():
        for service in project.tree["services"].values():
            for port in service.get("ports", ()):
                published = str(port.get("published", "") if isinstance(port, dict) else port.rpartition(":")[0])
                assert not published or taken.setdefault(published, name) == name, published


def test_a_change_replaces_adds_and_removes() -> None:
    assert merge({"a": 1, "b": {"c": 1}}, {"a": None, "b": {"d": 2}}) == {"b": {"c": 1, "d": 2}}


def test_the_judge_asks_for_every_name_and_port() -> None:
    service = {"command": ["serve", "listen=80", "udp=53"], "networks": {"n": {"aliases": ["www"]}}, "hostname": "h"}
    asked = question({"services": {"web": service}}, {"names": ["more"]})
    assert {"web", "www", "h", "more"} <= set(asked["names"])
    assert {"name": "www", "port": "53", "proto": "udp"} in asked["calls"]


def test_capabilities_have_their_names() -> None:
    assert capabilities(0b1 | 1 << 10 | 1 << 40) == ["CHOWN", "NET_BIND_SERVICE", "CHECKPOINT_RESTORE"]


def test_a_log_is_parted() -> None:
    lines, events = split_log('{"event": "start", "at": 1}\nhello\n{"a": 1}\n')
    assert lines == ["hello", '{"a": 1}']
    assert [event["event"] for event in events] == ["start"]


def test_a_log_is_that_of_the_last_start() -> None:
    lines, events = split_log('{"event": "start", "at": 1}\nfailed\n{"event": "start", "at": 2}\nhello\n')
    assert (lines, [event["at"] for event in events]) == (["hello"], [2])
