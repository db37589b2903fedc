"""A healthcheck gates what waits for it and takes an unhealthy service out of its name, and restarts nothing."""

from tests.e2e.system import System, eventually

SHOWS = ("depends_on", "healthcheck.disable", "healthcheck.interval", "healthcheck.retries", "healthcheck.test")


def running(system: System, service: str) -> bool:
    """Whether the container itself runs, not only what waits before it."""
    states = [state for pod in system.pods(service) for state in pod["status"].get("containerStatuses", ())]
    return bool(states) and all("running" in state["state"] for state in states)


def addresses(system: System, service: str) -> int:
    label = f"kubernetes.io/service-name={service}"
    slices = system.kubectl("get", "endpointslices", "-l", label, "-o", "jsonpath={..conditions.ready}")
    return slices.split().count("true")


def verify(system: System) -> None:
    system.up("--no-wait")
    eventually(lambda: running(system, "slow") and running(system, "none") and running(system, "disabled"))
    eventually(lambda: system.ready("argv"))
    eventually(lambda: waits(system))
    assert not system.ready("slow")
    assert not running(system, "after")
    assert addresses(system, "slow") == 0
    system.sh("slow", "touch /tmp/well")
    eventually(lambda: system.ready("slow") and running(system, "after"))
    assert addresses(system, "slow") == 1
    for service in ("none", "disabled"):
        assert all(
            "readinessProbe" not in container for pod in system.pods(service) for container in pod["spec"]["containers"]
        )

    system.sh("slow", "touch /tmp/ill")
    eventually(lambda: not system.ready("slow") and addresses(system, "slow") == 0)
    system.sh("slow", "rm /tmp/ill")
    eventually(lambda: system.ready("slow"))
    assert {state["restartCount"] for pod in system.pods("slow") for state in pod["status"]["containerStatuses"]} == {0}
    assert running(system, "after")


def waits(system: System) -> bool:
    """Whether the pod of `after` is in its waiting container."""
    return any(
        "running" in state["state"] for pod in system.pods("after") for state in pod["status"]["initContainerStatuses"]
    )
