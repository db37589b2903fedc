"""`depends_on`: what a service starts after."""

from __future__ import annotations

from collections.abc import Iterator

from tycho.chart.chart import ReportTarget
from tycho.chart.services import find_service, is_implied
from tycho.chart.translate.health import translate_probes
from tycho.chart.translate.key_rule import KeyRule, Rows, Table, approximated, ignored, rejected, translated, whole
from tycho.chart.translate.key_use import KeyUse, pod
from tycho.chart.workload_kind import JOBS

TOGETHER = "both start at the same time; a container that exits because the other is not ready is restarted"
WAIT = "use condition: service_healthy, and give the service a healthcheck"
UNKNOWN = "the file has no healthcheck for it, and Kubernetes ignores the one of its image"
CHECK = "give it a healthcheck"
ENOUGH = "it waits for one healthy pod, not for all"
WAITS = "init containers that wait"


def assess_depends_on(use: KeyUse) -> Rows:
    """Assess waiting, as far as it can be seen from outside."""
    if all(is_implied(use.layout.system, use.name, name) for name in use.value):
        yield "", translated("nothing of its own: another key implies it")
    for name, dependency in use.value.items():
        if dependency.restart and use.written(f"depends_on.{name}.restart"):
            yield f".{name}.restart", ignored(f"pods are not restarted with those of {name}", "have it reconnect")
        if is_implied(use.layout.system, use.name, name):
            continue
        if name not in use.layout.pod_by_service:  # not required, and in no profile that is on
            yield f".{name}", translated("nothing: the service is disabled, and not required")
        elif use.layout.pod_by_service[name] is use.pod:
            yield f".{name}", _assess_within(use, name, dependency.condition)
        else:
            yield f".{name}", _assess_between(use, name, dependency.condition)


def _assess_between(use: KeyUse, name: str, condition: str) -> KeyRule:
    """Assess the order of two pods."""
    other, place = use.layout.pod_by_service[name], lambda _: find_waits(use, name)
    if condition == "service_completed_successfully" and other.kind != "Job":
        return rejected(f"{name} is a {other.kind}, and never completes", 'make it a job: restart: "no"')
    if condition == "service_healthy" and other.kind in JOBS:
        remedy = "use condition: service_completed_successfully"
        return rejected(f"{name} is a {other.kind}, and never becomes healthy", remedy)
    if condition != "service_started" and use.service.network_mode == "none":
        return rejected("a pod without a network cannot wait for others", "remove network_mode")
    if condition == "service_healthy" and not _is_probed(use, name):
        return approximated(f"init containers that wait until {name} has been started", UNKNOWN, CHECK, place)
    if condition == "service_started" and not any(find_waits(use, name)):
        return approximated("", TOGETHER, WAIT)
    return translated(WAITS, place, but=ENOUGH if condition == "service_healthy" and other.may_scale else "")


def find_waits(use: KeyUse, name: str) -> Iterator[ReportTarget]:
    """Find the init containers that wait for a service."""
    for wait in use.pod.waits:
        for container in wait.containers if wait.slug == use.layout.pod_by_service[name].slug else ():
            yield from pod(f"initContainers[{container}]")(use)


def find_all_waits(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the init containers that wait."""
    for name in use.value:
        if name in use.layout.pod_by_service:
            yield from find_waits(use, name)


def _assess_within(use: KeyUse, name: str, condition: str) -> KeyRule:
    """Assess the order among the containers of one pod."""
    place = pod(f"initContainers[{use.pod.find_container(name).name}]")
    if condition == "service_completed_successfully":
        return translated("an init container", place)
    if condition == "service_healthy" and not _is_probed(use, name):
        return approximated(f"a sidecar: it starts once {name} has been started", UNKNOWN, CHECK, place)
    return translated("a sidecar, which is started first", place)


def _is_probed(use: KeyUse, name: str) -> bool:
    """Tell whether Kubernetes knows how to ask for a service's health."""
    return any(translate_probes(find_service(use.layout.system, name), stage="", gates=False))


KEYS: Table = {"depends_on": whole(translated(WAITS, find_all_waits, assess=assess_depends_on))}
