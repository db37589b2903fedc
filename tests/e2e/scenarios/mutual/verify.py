"""Two or three services whose healthchecks call each other in a circle come up, alone and in a shared namespace."""

from tests.e2e.system import System

SHOWS = ("healthcheck.test",)


def verify(system: System) -> None:
    system.up()
    system.replace("left")
    system.node.kubectl("create", "namespace", "mutual-shared")
    shared = system.beside("shared", "mutual-shared")
    shared.up()
    assert all(shared.ready(name) for name in ("left", "right", "first", "second", "third"))
    shared.down()
    system.node.kubectl("delete", "namespace", "mutual-shared")
