"""Services start in the order of `depends_on`, through chains of every condition; an absent one holds nobody."""

from tests.e2e.system import System

SHOWS = ("depends_on", "healthcheck.test", "profiles")


def moments(system: System, service: str) -> dict[str, str]:
    """When its container started, became ready or ended; RFC 3339 compares as text."""
    status = system.pods(service)[0]["status"]
    state = status["containerStatuses"][0]["state"]
    ready = next(condition["lastTransitionTime"] for condition in status["conditions"] if condition["type"] == "Ready")
    if "terminated" in state:
        return {"started": state["terminated"]["startedAt"], "ended": state["terminated"]["finishedAt"]}
    return {"started": state["running"]["startedAt"], "ready": ready}


def verify(system: System) -> None:
    system.up()
    at = {service: moments(system, service) for service in ("web", "api", "migrate", "db")}
    assert at["db"]["ready"] <= at["migrate"]["started"]
    assert at["migrate"]["ended"] <= at["api"]["started"]
    assert at["api"]["ready"] <= at["web"]["started"]
    assert system.pods("debugger") == []
    for service in ("web", "api"):  # a replaced pod waits again, for what is long done
        system.replace(service)
