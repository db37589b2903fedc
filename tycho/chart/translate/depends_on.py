"""`depends_on`: what a service starts after."""

from __future__ import annotations

from collections.abc import Iterator

from tycho.chart.artifact import Target
from tycho.chart.kinds import JOBS
from tycho.chart.translate.health import translate_probes
from tycho.chart.translate.key import Key, Rows, Table, approximated, ignored, rejected, translated, whole
from tycho.chart.translate.targets import Case, Found, pod
from tycho.chart.wiring import everything, is_implied

TOGETHER = "both start at the same time; what ends because the other is not there yet is started again"
WAIT = "condition: service_healthy waits, for a service with a healthcheck"
UNKNOWN = "it has no healthcheck in the file, and Kubernetes does not know that of its image"
CHECK = "give it a healthcheck"
ONE = "one healthy pod of several is enough"
WAITS = "init containers that wait"


def judge_depends_on(case: Case) -> Rows:
    """Judge waiting, as far as it can be seen from outside."""
    if all(is_implied(case.layout.system, case.name, name) for name in case.value):
        yield "", translated("nothing of its own: it follows from another key")
    for name, dependency in case.value.items():
        if dependency.restart and case.written(f"depends_on.{name}.restart"):
            yield f".{name}.restart", ignored(f"pods are not restarted with those of {name}", "have it reconnect")
        if is_implied(case.layout.system, case.name, name):
            continue
        if name not in case.layout.homes:  # not required, and in no profile that is on
            yield f".{name}", translated("nothing: it is not there, and not required")
        elif case.layout.homes[name] is case.pod:
            yield f".{name}", _judge_within(case, name, dependency.condition)
        else:
            yield f".{name}", _judge_between(case, name, dependency.condition)


def _judge_between(case: Case, name: str, condition: str) -> Key:
    """Judge the order of two pods."""
    other, place = case.layout.homes[name], Found(lambda _: find_waits(case, name))
    if condition == "service_completed_successfully" and other.kind != "Job":
        return rejected(f"{name} is a {other.kind}, and never completes", 'make it a job: restart: "no"')
    if condition == "service_healthy" and other.kind in JOBS:
        remedy = "condition: service_completed_successfully waits for its end"
        return rejected(f"{name} is a {other.kind}, and never becomes healthy", remedy)
    if condition != "service_started" and case.service.network_mode == "none":
        return rejected("a pod without a network cannot see whether others are ready", "remove network_mode")
    if condition == "service_healthy" and not _is_probed(case, name):
        return approximated(f"init containers that wait until {name} has been started", UNKNOWN, CHECK, place)
    if condition == "service_started" and not any(find_waits(case, name)):
        return approximated("", TOGETHER, WAIT)
    return translated(WAITS, place, but=ONE if condition == "service_healthy" and other.several else "")


def find_waits(case: Case, name: str) -> Iterator[Target]:
    """Find the init containers that wait for a service."""
    for wait in case.pod.waits:
        for container in wait.containers if wait.slug == case.layout.homes[name].slug else ():
            yield from pod(f"initContainers[{container}]").find(case)


def find_all_waits(case: Case) -> Iterator[Target]:
    """Find the init containers that wait."""
    for name in case.value:
        if name in case.layout.homes:
            yield from find_waits(case, name)


def _judge_within(case: Case, name: str, condition: str) -> Key:
    """Judge the order among the containers of one pod."""
    place = pod(f"initContainers[{case.pod.find_container(name).name}]")
    if condition == "service_completed_successfully":
        return translated("an init container", place)
    if condition == "service_healthy" and not _is_probed(case, name):
        return approximated(f"a sidecar: it starts once {name} has been started", UNKNOWN, CHECK, place)
    return translated("a sidecar, which is started first", place)


def _is_probed(case: Case, name: str) -> bool:
    """Tell whether Kubernetes knows how to ask for a service's health."""
    return any(translate_probes(everything(case.layout.system)[name], stage="", gates=False))


KEYS: Table = {"depends_on": whole(translated(WAITS, Found(find_all_waits), judge=judge_depends_on))}
