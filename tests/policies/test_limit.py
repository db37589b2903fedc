"""`limit`: how long a system may run, whoever asks for more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policies.applying import folder, policy_result
from tycho import Lifecycle, Sources, errors, orchestrators
from tycho.orchestrators import Target

PLAIN = "services: {web: {image: nginx}}\n"
DAY = "description: A day, and two hours idle.\nsystem: {limit: {ttl: 24h, idle: 2h}}\n"


def extension(at: Path, compose: str, policies: dict[str, str] | str) -> object:
    return policy_result(at, compose, policies).system.x.get("x-tycho")


@pytest.mark.parametrize(
    ("written", "terms"),
    [
        pytest.param("", {"ttl": "24h", "idle": {"after": "2h"}}, id="nothing"),
        pytest.param("x-tycho: {ttl: 1d, idle: {after: 90m}}", {"ttl": "1d", "idle": {"after": "90m"}}, id="less"),
        pytest.param("x-tycho: {expire: down}", {"expire": "down", "ttl": "24h", "idle": {"after": "2h"}}, id="other"),
    ],
)
def test_what_nobody_bounds_is_bounded(tmp_path: Path, written: str, terms: object) -> None:
    assert extension(tmp_path, PLAIN + written, DAY) == terms


def test_more_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(errors.PolicyDenied, match="refused by 50-test") as refused:
        extension(tmp_path, f"{PLAIN}x-tycho: {{ttl: 2d, idle: {{after: 3h}}}}", DAY)
    assert [(problem.path, problem.message, problem.hint) for problem in refused.value.problems] == [
        ("x-tycho.ttl", "2d is longer than a system may run: 50-test.yaml allows 24h", "write 24h, or less"),
        ("x-tycho.idle.after", "3h is longer than a system may be idle: 50-test.yaml allows 2h", "write 2h, or less"),
    ]


def test_a_policy_sets_and_another_bounds(tmp_path: Path) -> None:
    default = "description: Eight hours.\nsystem: {default: {x-tycho: {ttl: 8h}}}\n"
    policies = {"50-default.yaml": default, "60-limit.yaml": DAY}
    assert extension(tmp_path, PLAIN, policies) == {"ttl": "8h", "idle": {"after": "2h"}}


def test_a_limit_applies_to_selected_systems(tmp_path: Path) -> None:
    policy = "description: Databases.\nmatch: {image: postgres}\nsystem: {limit: {ttl: 24h}}\n"
    assert extension(tmp_path, PLAIN, policy) is None
    assert extension(tmp_path, "services: {db: {image: postgres}}", policy) == {"ttl": "24h"}


def test_the_option_is_bounded_as_the_file_is(tmp_path: Path) -> None:
    policies = folder(tmp_path / "ours", {"50-day.yaml": DAY})
    lifecycle = Lifecycle(orchestrators.get("memory", Target()), Target(), policies=[policies])
    sources = Sources.from_document(PLAIN, env={}, name="shop")
    compiled = lifecycle.compile(sources, ttl="23h")
    assert compiled.policy_result.system.x["x-tycho"]["ttl"] == "23h"
    with pytest.raises(errors.PolicyDenied) as refused:
        lifecycle.compile(sources, ttl="1d1s")
    (problem,) = refused.value.problems
    assert (problem.place, problem.path) == ("--ttl", "x-tycho.ttl")
    with pytest.raises(errors.UsageError, match='"soon" is not a time that a system may run'):
        lifecycle.compile(sources, ttl="soon")


@pytest.mark.parametrize(
    ("limit", "path", "message"),
    [
        ("{ttl: 0s}", "system.limit.ttl", "is not a time that a system may run"),
        ("{ttl: 8}", "system.limit.ttl", "is not a time that a system may run"),
        ("{idle: 99w, age: 1h}", "system.limit.age", 'unknown key "age"'),
        ("24h", "system.limit", "must be a mapping"),
    ],
)
def test_a_limit_that_says_nothing_is_an_error(tmp_path: Path, limit: str, path: str, message: str) -> None:
    with pytest.raises(errors.PolicyError) as broken:
        extension(tmp_path, PLAIN, f"description: Bad.\nsystem: {{limit: {limit}}}\n")
    assert [(problem.path, problem.message) for problem in broken.value.problems] == [(path, message)]


def test_who_is_asked_and_is_not_there_is_a_warning() -> None:
    lifecycle = Lifecycle(orchestrators.get("memory", Target()), Target())
    text = f"{PLAIN}x-tycho: {{idle: {{after: 2h, service: wbe, port: 80}}}}"
    (warning,) = lifecycle.compile(Sources.from_document(text, env={}, name="shop")).policy_result.warnings
    assert (warning.path, warning.message) == ("x-tycho.idle.service", "there is no service wbe")
