"""Two copies of a system in one namespace: each finds its own services by bare names, never the other's."""

from tests.e2e.system import System

SHOWS = ("deploy.replicas", "ports")


def verify(system: System) -> None:
    system.node.kubectl("create", "namespace", "shared")
    first, second = system.beside("one", "shared"), system.beside("two", "shared")
    for copy in (first, second):
        copy.up(env={"COPY": copy.name})
    for copy in (first, second):
        count = copy.sh("tool", "nslookup web | grep -c 'Address.*10\\.244'")
        answers = copy.sh("tool", "for i in 1 2 3 4 5 6 7 8; do wget -q -O - http://web:8000/; done")
        assert set(answers.split()) == {copy.name}, (count, answers)
        assert count == "2"
        assert copy.page("web").strip() == copy.name
    first.replace("web")
    assert first.sh("tool", "wget -q -O - http://web:8000/") == first.name
    first.down()
    assert second.sh("tool", "wget -q -O - http://web:8000/") == second.name
    second.down()
    system.node.kubectl("delete", "namespace", "shared")
