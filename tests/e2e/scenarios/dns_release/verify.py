"""Two copies of a system in one namespace: each finds its own services by bare names, never the other's."""

from tests.e2e.system import System

SHOWS = ("deploy.replicas", "ports")


def verify(system: System) -> None:
    system.node.kubectl("create", "namespace", "shared")
    one, two = system.beside("one", "shared"), system.beside("two", "shared")
    for copy in (one, two):
        copy.up(env={"COPY": copy.name})
    for copy in (one, two):
        found = copy.sh("tool", "nslookup web | grep -c 'Address.*10\\.244'")
        answers = copy.sh("tool", "for i in 1 2 3 4 5 6 7 8; do wget -q -O - http://web:8000/; done")
        assert set(answers.split()) == {copy.name}, (found, answers)
        assert found == "2"
        assert copy.page("web").strip() == copy.name
    one.replace("web")
    assert one.sh("tool", "wget -q -O - http://web:8000/") == one.name
    one.down()
    assert two.sh("tool", "wget -q -O - http://web:8000/") == two.name
    two.down()
    system.node.kubectl("delete", "namespace", "shared")
