"""Policies and compose files are one YAML dialect: the same text has the same values, problems and lines in both."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policies.applying import policy_result, system
from tycho import Sources, load
from tycho.errors import PolicyError, Problem, TychoError
from tycho.policy.yaml_policy import load_yaml_policy

WEB = "services: {web: {image: nginx}}"
SCALARS = [
    *("0755", "0o755", "0x1F", "0b1", "1e3", "5e1", "12e03", "1_000", "1__0", "+1", "-0", "1.", ".5"),
    *(".inf", "-.Inf", "1.5e400", "9223372036854775808", "99999999999999999999999"),
    *("yes", "on", "NO", "true", "True", "tRue", "=", "22:22", "1000:1000", "2001-01-01", "'1'", '"a"', "512m"),
    *("!!str 5", "!!int 0755", "!!float 5", "!custom x", "[0755, {a: 1e3, b: null}]", "{<<: {a: 1, b: 2}, b: 3}"),
    *("[&a {b: 1}, *a, {<<: *a}]", "{? a : 1}"),
]
ALIASES = b"%c: &%c [%s]\n"
BROKEN = {
    "duplicate": b"a: 1\nb: 2\na: 3\n",
    "duplicate inside": b"a:\n  b: 1\n  c: 1\n  b: 1\n",
    "second merge": b"a: &a {}\nb: {<<: *a, <<: *a}\n",
    "merge of text": b"a: {<<: text}\n",
    "cycle": b"a: &a\n  b: *a\n",
    "no such anchor": b"a: 1\nb: *c\n",
    "number as key": b"a:\n  1: x\n",
    "wrong tag": b"a:\n  - !!bool yes\n",
    "unclosed": b"a: [1,\nb: 2\n",
    "tab": b"a:\n\tb: 1\n",
    "control character": b"a: \x01\n",
    "not UTF-8": b"a: 1\nb: \xff\n",
    "deep": b"a: " + b"[" * 101 + b"]" * 101,
    "long key": b"? " + b"k" * 2000 + b"\n: 1\n",
    "many aliases": b"a: &a [1]\n"
    + b"".join(b"%c: &%c [%s]\n" % (k, k, b",".join([b"*%c" % (k - 1)] * 30)) for k in b"bcde"),
    "many entries": b"a: [" + b"1," * 20_003 + b"]",
}


@pytest.mark.parametrize("text", SCALARS)
def test_values_are_equal(text: str, tmp_path: Path) -> None:
    in_compose = system(f"x-value: {text}\n{WEB}").x["x-value"]
    policy = f"description: D.\nsystem: {{patch: {{x-value: {text}}}}}"
    in_policy = policy_result(tmp_path, WEB, policy).system.x["x-value"]
    assert (repr(in_policy), type(in_policy)) == (repr(in_compose), type(in_compose))


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_problems_are_equal(text: bytes) -> None:
    with pytest.raises(TychoError) as compose_error:
        load(Sources.from_document(text, env={}, name="shop"))
    with pytest.raises(PolicyError) as policy_error:
        load_yaml_policy(Path("50-test.yaml"), text)
    assert _places(policy_error.value.problems) == _places(compose_error.value.problems)


def test_lines_are_equal(tmp_path: Path) -> None:
    text = "x-limits: &limits\n  shm_size: 64\nx-more:\n  <<: *limits\n  a:\n    - 1\n    - b: 2\n"
    project = system(f"{text}{WEB}\n")
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    policy = load_yaml_policy(tmp_path / "50-test.yaml", f"description: D.\nsystem:\n  patch:\n{indented}".encode())
    paths = [path for path in project.lines if path.startswith("x-")]
    assert len(paths) == 8
    for path in paths:
        assert policy.lines[f"system.patch.{path}"] == project.at(path)[1] + 3


def _places(problems: tuple[Problem, ...]) -> list[tuple[int, str, str, str]]:
    return [(problem.line, problem.path, problem.message, problem.hint) for problem in problems]
