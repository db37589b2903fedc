"""A container is asked to end by SIGTERM and has its `stop_grace_period`, no less and no more; its hooks run."""

from tests.e2e.system import System, eventually

SHOWS = ("post_start", "pre_stop", "stop_grace_period", "stop_signal")


def ends(system: System) -> list[str]:
    return system.sh("reader", "cat /log/ends").splitlines()


def verify(system: System) -> None:
    system.up()
    grace = {name: system.pods(name)[0]["spec"]["terminationGracePeriodSeconds"] for name in ("polite", "deaf")}
    assert grace == {"polite": 30, "deaf": 1}
    eventually(lambda: ends(system) == ["hooked started"])
    for service in ("polite", "deaf", "hooked"):
        old = system.names(service)
        system.kubectl("delete", "pod", "--wait=false", *old)
        label = "app.kubernetes.io/component=" + service
        eventually(lambda old=old, label=label: old[0] not in system.kubectl("get", "pods", "-l", label, "-o", "name"))
    eventually(lambda: ends(system).count("hooked started") == 2)
    assert [line for line in ends(system) if "started" not in line] == ["polite asked", "polite done", "hooked stops"]
