"""Input that nobody wrote by hand: mutated by Hypothesis everywhere, guided by coverage where atheris can be had."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds

ROOT = Path(__file__).parents[2]
SECONDS = int(os.environ.get("TYCHO_FUZZ_SECONDS", "10"))  # for each target; an hour in all is 720
PIECES = [
    b"${", b"}", b"$$", b"$A", b":?", b":-", b"\n", b"  ", b"- ", b": ", b"{", b"[", b"]", b'"', b"'", b"#", b"&a ",
    b"*a", b"!reset ", b"<<: ", b"\x00", b"\x1b[31m", b"\x7f", b"\xff", b"\xc2\x85", b"\xed\xa0\x80", b"\\ud800",
    b"99999999999999999999", b"1e400", b"0x", b"-1", b"null", b"~", b"on", b"x-tycho: {", b"image: ", b"=", b"export ",
]  # fmt: skip
EDIT = st.tuples(st.integers(0, 4096), st.integers(0, 40), st.sampled_from(PIECES) | st.binary(max_size=8))


@st.composite
def mutated(draw: st.DrawFn, target: str) -> bytes:
    """Draw one of a target's seeds with a few pieces cut out and others put in."""
    text = draw(st.sampled_from(list(seeds(target))))
    for position, length, piece in draw(st.lists(EDIT, min_size=1, max_size=6)):
        start = position % (len(text) + 1)
        text = text[:start] + piece + text[start + length :]
    return text


@pytest.mark.parametrize("target", TARGETS)
def test_mutated_input(target: str) -> None:
    examples = settings.default.max_examples if settings.default.max_examples < 1000 else 20_000

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(mutated(target))
    def holds(text: bytes) -> None:
        TARGETS[target](text)

    holds()


@pytest.mark.skipif(not find_spec("atheris"), reason="atheris has no build for this Python: nothing guides the fuzzer")
@pytest.mark.parametrize("target", TARGETS)
def test_guided_input(target: str) -> None:
    argv = [sys.executable, "-m", "tests.fuzz", target, "--seconds", str(SECONDS)]
    fuzzer = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, text=True, errors="replace")
    assert fuzzer.returncode == 0, fuzzer.stderr[-6000:]
    assert "Done" in fuzzer.stderr, fuzzer.stderr[-2000:]
