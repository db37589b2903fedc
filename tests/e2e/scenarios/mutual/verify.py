"""Two services whose healthchecks call each other come up, in a namespace of their own and in a shared one."""

from tests.e2e.system import System

SHOWS = ("healthcheck.test",)


def verify(system: System) -> None:
    system.up()
    system.replace("left")
    system.node.kubectl("create", "namespace", "mutual-shared")
    shared = system.beside("shared", "mutual-shared")
    shared.up()
    assert shared.ready("left")
    assert shared.ready("right")
    shared.down()
    system.node.kubectl("delete", "namespace", "mutual-shared")
