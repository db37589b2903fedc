"""A voting system of five services counts votes; its data survives upgrade, new pods and rollback, and goes with it."""

import json

from tests.e2e.system import System, eventually

SHOWS = ("depends_on", "networks", "ports", "volumes")
SECONDS = 90


def vote(system: System, choice: str, times: int) -> None:
    for _ in range(times):
        assert system.http("web", "/", "POST", f"vote={choice}")[0] == 200


def counted(system: System, **votes: int) -> None:
    eventually(lambda: json.loads(system.page("result")) == votes)


def verify(system: System) -> None:
    system.up()
    assert system.page("web") == "cats,dogs"
    vote(system, "cats", 3)
    vote(system, "dogs", 2)
    counted(system, cats=3, dogs=2)
    pods = {name: system.names(name) for name in ("db", "redis", "worker")}
    system.up(env={"CHOICES": "cats,dogs,snails"})
    eventually(lambda: len(system.names("web")) == 1)  # the former pod takes no vote with it
    eventually(lambda: system.page("web") == "cats,dogs,snails")
    assert {name: system.names(name) for name in pods} == pods
    vote(system, "snails", 1)
    counted(system, cats=3, dogs=2, snails=1)
    system.replace("db")
    system.replace("worker")
    vote(system, "cats", 1)
    counted(system, cats=4, dogs=2, snails=1)
    system.tycho("rollback", system.guid)
    eventually(lambda: system.page("web") == "cats,dogs")
    counted(system, cats=4, dogs=2, snails=1)
