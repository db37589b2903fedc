"""Every folder of `scenarios` is one proof: `compose.yaml` runs, and `verify.py` says what must be true then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SCENARIOS = sorted(path.parent.name for path in Path(__file__).parent.glob("scenarios/*/verify.py"))


@pytest.mark.e2e
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_compose_promises_is_so(scenario: str, running: Callable[[str], None]):
    running(scenario)
