"""A system that is looked at runs on; one that nobody looks at is warned of, paused, and answers again when resumed."""

import json

from tests.e2e.system import Json, System, eventually

DEEP = True  # it waits for what is over
SHOWS = ()  # of Compose nothing
SECONDS = 90


def verify(system: System) -> None:
    system.up()
    used = eventually(lambda: look_and_reap(system), interval=0.2)
    # By what the release knows, its time is over; the program says that it is not.
    assert used["outcome"] == "kept", used
    assert used["reason"].startswith("it was used "), used

    outcomes: list[str] = []
    eventually(lambda: outcomes.append(reap(system).get("outcome", "")) or outcomes[-1] == "paused")
    assert [outcome for outcome in outcomes if outcome] == ["warned", "paused"]
    eventually(lambda: not system.pods("page"))
    assert "ExpiresSoon" in system.tycho("events", system.guid)
    system.tycho("resume", system.guid)
    assert "last_activity" in system.page("page")


def look_and_reap(system: System) -> Json:
    """Use it, and make a pass; what that did with the system."""
    system.page("page")
    return reap(system)


def reap(system: System) -> Json:
    """Make a pass; what that did with the system."""
    rows = json.loads(system.tycho("reap", "-o", "json"))
    return next((row for row in rows if row["sid"] == system.guid), {})
