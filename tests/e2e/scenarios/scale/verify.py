"""Replicas grow, shrink to none and come back, all behind one name; a global service runs once on each node."""

from tests.e2e.system import System, eventually

SHOWS = ("deploy.mode", "deploy.replicas")


def answering(system: System) -> set[str]:
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do wget -q -O - http://api:8000/ 2>/dev/null; done; true"
    return set(system.sh("tool", script).split())


def verify(system: System) -> None:
    system.up()
    first = system.names("api")
    assert len(first) == 1
    assert [service["kind"] for service in system.release["services"] if service["name"] == "everywhere"] == [
        "DaemonSet"
    ]
    nodes = system.node.kubectl("get", "nodes", "-o", "name").split()
    assert len(system.names("everywhere")) == len(nodes)
    assert system.ready("everywhere")
    tool = system.names("tool")
    for replicas in (3, 0, 2):
        system.up(env={"REPLICAS": str(replicas)})
        eventually(lambda replicas=replicas: len(system.names("api")) == replicas)
        eventually(lambda: answering(system) == set(system.names("api")))
        if replicas == 3:
            assert set(first) < set(system.names("api"))
    assert system.names("tool") == tool
