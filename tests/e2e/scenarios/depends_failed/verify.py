"""Where a service waits for a job that fails, `up` ends at once and says which and with what exit code."""

from tests.e2e.system import System

SHOWS = ("depends_on",)


def verify(system: System) -> None:
    message = system.fails("--timeout", "100")
    assert "migrate" in message
    assert "exit 3" in message
    assert "100 s" not in message
    containers = [state for pod in system.pods("api") for state in pod["status"].get("containerStatuses", ())]
    assert all("waiting" in state["state"] for state in containers)
    assert len(system.names("migrate")) == 1
