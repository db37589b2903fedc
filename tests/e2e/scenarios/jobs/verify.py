"""A job runs once, again only when it changes, and is tried as often as `restart` says; a rollback runs none again."""

from tests.e2e.system import System, eventually

SHOWS = ("depends_on", "restart")


def runs(system: System) -> list[str]:
    return system.sh("app", "cat /ledger/runs").splitlines()


def version(system: System) -> str:
    return system.sh("app", "echo $APP")


def verify(system: System) -> None:
    system.up()
    assert runs(system) == ["migrate 1"]
    assert system.sh("app", "wc -l < /ledger/flaky").strip() == "3"
    system.up(env={"APP": "2"})
    eventually(lambda: version(system) == "2")
    assert runs(system) == ["migrate 1"]
    system.up(env={"APP": "2", "SCHEMA": "2"})
    eventually(lambda: runs(system) == ["migrate 1", "migrate 2"])
    system.tycho("rollback", system.guid, "1")
    eventually(lambda: version(system) == "1")
    system.replace("app")
    assert runs(system) == ["migrate 1", "migrate 2"]
    history = system.tycho("history", system.guid)
    assert len([line for line in history.splitlines() if line[:1].isdigit()]) == 4, history
