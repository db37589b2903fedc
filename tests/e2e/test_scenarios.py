"""Every folder of `scenarios` is one proof: `compose.yaml` runs, and `verify.py` says what must be true then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.promises import scenarios

SCENARIOS = scenarios()


@pytest.mark.e2e
@pytest.mark.parametrize(
    "scenario",
    [pytest.param(name, marks=pytest.mark.deep) if described.deep else name for name, described in SCENARIOS.items()],
)
def test_what_compose_promises_is_so(scenario: str, running: Callable[[str], None]) -> None:
    running(scenario)
