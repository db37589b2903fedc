"""The values of a release that stands still."""

from __future__ import annotations

import pytest

from tycho.stored import StoredRelease
from tycho.suspension import is_paused, pause_values, resume_values


@pytest.mark.parametrize("values", [{}, {"paused": False}], ids=["said nowhere", "said to run, as by helm --set"])
def test_a_pause_goes_before_what_the_release_says(values: dict[str, bool]) -> None:
    stored = StoredRelease(1, values, {"paused": False}, {})
    paused = pause_values(stored, "shop")
    assert (is_paused(paused.values), paused.notes) == (True, ())
    resumed = resume_values(StoredRelease(2, paused.values, {"paused": False}, {}), "shop")
    assert not is_paused(resumed.values)
