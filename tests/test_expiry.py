"""When a system's time is over: laws of the clock, and what can be written of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tycho.expiry import (
    LONGEST,
    Expiry,
    Question,
    Terms,
    Verdict,
    decide,
    is_duration,
    is_idle,
    parse_terms,
    read_terms,
)
from tycho.model.durations import describe_seconds

START = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECONDS = st.integers(0, 10**6)


@st.composite
def clocks(draw: st.DrawFn) -> Expiry:
    """Any clock: with and without an end, used and warned of at any moment."""
    moments = st.none() | st.integers(-1000, 10**6).map(lambda after: START + timedelta(seconds=after))
    return Expiry(ttl=draw(SECONDS), idle=draw(SECONDS), started=START, active=draw(moments), warned=draw(moments))


@given(clocks(), SECONDS, st.integers(0, 10**5))
def test_nothing_ends_without_a_warning_in_time(expiry: Expiry, after: int, warn: int) -> None:
    now = START + timedelta(seconds=after)
    if decide(expiry, now, warn) is Verdict.expire:
        assert expiry.end
        assert expiry.warned
        assert expiry.end.since <= expiry.warned
        assert now >= expiry.end.at
        assert now - expiry.warned >= min(timedelta(seconds=warn), (expiry.end.at - expiry.end.since) / 2)


@given(clocks(), SECONDS, st.integers(0, 10**5))
def test_what_is_warned_of_ends_in_the_end(expiry: Expiry, after: int, warn: int) -> None:
    now = START + timedelta(seconds=after)
    if decide(expiry, now, warn) is Verdict.warn:
        warned = expiry.model_copy(update={"warned": now})
        assert decide(warned, now + timedelta(seconds=warn + 10**7), warn) is Verdict.expire
        assert warn or decide(warned, now, warn) is Verdict.expire


@given(clocks(), SECONDS, st.integers(0, 10**5))
def test_use_now_never_ends_an_idle_system(expiry: Expiry, after: int, warn: int) -> None:
    now = START + timedelta(seconds=after)
    used = expiry.model_copy(update={"ttl": 0, "idle": expiry.idle or 60}).used(now)
    assert decide(used, now, warn) is not Verdict.expire


@given(clocks(), SECONDS)
def test_a_start_begins_the_time_again(expiry: Expiry, after: int) -> None:
    now = START + timedelta(seconds=after)
    again = expiry.model_copy(update={"started": now, "ttl": expiry.ttl or 60, "idle": expiry.idle or 60})
    if not (again.warned and again.warned >= now):
        assert decide(again, now, 600) is Verdict.keep


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_none(text: str) -> None:
    terms = read_terms({"ttl": text})
    assert (0 < terms.ttl <= LONGEST) == is_duration(text)


@pytest.mark.parametrize("text", ["8h", "1h30m", "2d", "90s", "520w", "1.5h"])
def test_durations_that_a_system_may_run(text: str) -> None:
    assert is_duration(text)


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "999ms", "-8h", "8", "8 h", "522w", "99999999999w", "soon", 8, None, ["8h"]]
)
def test_durations_that_no_system_may_run(text: object) -> None:
    assert not is_duration(text)


@pytest.mark.parametrize(
    "value",
    [
        {"after": "2h"},
        {"after": "2h", "service": "web", "port": 80},
        {"after": "2h", "service": "web", "port": 80, "path": "/a?b=%20"},
    ],
)
def test_idleness_that_is_well_said(value: object) -> None:
    assert is_idle(value)


@pytest.mark.parametrize(
    "value",
    [
        "2h",
        {},
        {"after": "0s"},
        {"after": "2h", "service": "web"},
        {"after": "2h", "port": 80},
        {"after": "2h", "service": "web", "port": True},
        {"after": "2h", "service": "web", "port": 65536},
        {"after": "2h", "service": "web", "port": 80, "path": "http://other/"},
        {"after": "2h", "service": "web", "port": 80, "path": "/\r\nHost: other"},
        {"after": "2h", "service": "web", "port": 80, "path": "/ü"},
        {"after": "2h", "service": "web", "port": 80, "method": "POST"},
    ],
)
def test_idleness_that_is_not(value: object) -> None:
    assert not is_idle(value)


def test_terms_survive_an_annotation() -> None:
    terms = Terms(ttl=60, idle=30, expire="down", question=Question(service="web", port=80, path="/x"))
    assert parse_terms(terms.model_dump_json(exclude_defaults=True)) == terms
    assert not parse_terms('{"ttl": "soon"}')
    assert not parse_terms("")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (-5, "0 s"), (59.9, "59 s"), (5400, "1 h 30 min"), (28800, "8 h"), (90061, "1 d 1 h"), (86460, "1 d")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert describe_seconds(seconds) == words
