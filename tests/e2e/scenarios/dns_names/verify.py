"""A bare name, a network alias and a link lead to a service; a proxy in front finds its replaced backends again."""

from tests.e2e.system import System, eventually

SHOWS = ("deploy.replicas", "expose", "links", "networks")


def verify(system: System) -> None:
    system.up()
    proxies = system.names("front")
    for name in ("api", "backend"):
        assert system.sh("tool", f"wget -q -O - http://{name}:9000/") in system.names("api")
    assert system.sh("tool", "wget -q -O - http://gateway/") in system.names("api")
    answers = {system.page("front").strip() for _ in range(30)}
    assert answers == set(system.names("api"))
    system.replace("api")
    eventually(lambda: system.page("front").strip() in system.names("api"), 20)
    answers = {system.page("front").strip() for _ in range(30)}
    assert answers == set(system.names("api"))
    assert system.names("front") == proxies
