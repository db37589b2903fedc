"""A token file: read whole, with all its problems, by its owner alone; and anew when it changes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tycho.access import TokenFile
from tycho.access.tokens import parse_tokens
from tycho.errors import Unauthorized, UsageError


def hashed(token: str) -> str:
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.chmod(mode)
    new.replace(path)
    return path


GOOD = f"""
tokens:
  portal:
    hash: {hashed("one")}
    user: a@b.org
    scopes: ["systems:*!user=me", "systems:status"]
  robot:
    hash: {hashed("two")}
    scopes: ["systems:start!namespace=lab-*"]
"""


def test_tokens_are_found_by_what_they_are_and_not_by_their_hash(tmp_path: Path) -> None:
    file = TokenFile(write(tmp_path / "tokens", GOOD))
    portal, robot = file.find("one"), file.find("two")
    assert portal
    assert (portal.name, portal.token, [str(scope) for scope in portal.scopes or ()]) == (
        "a@b.org", "portal", ["systems:*!user=me", "systems:status"],
    )  # fmt: skip
    assert robot
    assert robot.name == "robot"
    assert file.find(hashed("one")) is None
    assert file.find("") is None


def test_a_change_counts_without_a_restart(tmp_path: Path) -> None:
    path = write(tmp_path / "tokens", GOOD)
    file = TokenFile(path)
    write(path, GOOD.replace(hashed("one"), hashed("three")))
    assert file.find("one") is None
    assert file.find("three")
    write(path, "tokens: [")
    with pytest.raises(Unauthorized, match="accepts no token"):
        file.find("three")
    path.unlink()
    with pytest.raises(Unauthorized, match="accepts no token"):
        file.find("three")
    write(path, GOOD)
    assert file.find("one")
    path.chmod(0o644)
    with pytest.raises(Unauthorized, match="accepts no token"):
        file.find("one")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UsageError, match="others"):
        TokenFile(write(tmp_path / "tokens", GOOD, mode))


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "nothing", Path("/dev/zero")):
        with pytest.raises(UsageError, match="token file"):
            TokenFile(path)
    large = tmp_path / "large"
    large.write_bytes(b"#" * (1 << 21))
    large.chmod(0o600)
    with pytest.raises(UsageError, match="larger than"):
        TokenFile(large)


def test_all_problems_are_told_at_once_with_their_lines() -> None:
    text = f"""tokens:
  a:
    hash: my-secret-token
    scopes: ["systems:explode", "nonsense", 7]
  b:
    hash: {hashed("x")}
    user: 12
    scopes: []
  c:
    hash: {hashed("x")}
    colour: red
    scopes: ["systems:start!user=me!user=you", "systems:start!place=x", "systems:start!namespace=A_B"]
  "d d": {{}}
  e: text
extra: 1
"""
    with pytest.raises(UsageError) as caught:
        parse_tokens(text, "tokens.yaml")
    places = {(problem.line, problem.path) for problem in caught.value.problems}
    assert {
        (3, "tokens.a.hash"), (4, "tokens.a.scopes[0]"), (4, "tokens.a.scopes[1]"), (4, "tokens.a.scopes[2]"),
        (7, "tokens.b.user"), (8, "tokens.b.scopes"), (11, "tokens.c"), (12, "tokens.c.scopes[0]"),
        (12, "tokens.c.scopes[1]"), (12, "tokens.c.scopes[2]"), (13, "tokens"), (14, "tokens.e"), (15, ""),
    } <= places  # fmt: skip
    assert "my-secret-token" not in str([*caught.value.problems, caught.value])


@pytest.mark.parametrize(
    "text",
    ["", "[]", "x", "tokens: 1", "a: &a [*a]", "tokens: *nothing", "\0", "tokens: {a: {<<: {hash: x}}}", "[" * 5000,
     "tokens: !!python/object:os.system {}", "tokens: {1: {}}", "tokens: {a: {}, a: {}}", "--- 1\n--- 2"],
)  # fmt: skip
def test_hostile_files_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_tokens(text, "tokens.yaml")
