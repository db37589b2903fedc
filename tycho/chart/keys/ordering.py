"""What becomes of keys that say when a service starts, again or after others; each judge yields rows."""

from __future__ import annotations

from tycho.chart.keys.key import Case, Rows, approximated, ignored, rejected, translated
from tycho.chart.keys.wording import restart_word
from tycho.chart.kinds import JOBS, restarts
from tycho.chart.translate.health import probes
from tycho.chart.wiring import everything, is_implied

TOGETHER = "both start at the same time; what ends because the other is not there yet is started again"
WAIT = "condition: service_healthy waits, for a service with a healthcheck"
UNKNOWN = "it has no healthcheck in the file, and Kubernetes does not know that of its image"
CHECK = "give it a healthcheck"


def restart(case: Case) -> Rows:
    """Pods are always started again; jobs are not."""
    policy = restarts(case.service)
    if wrong := list(restart_word(case)):
        yield from wrong
    elif case.kind in ("Job", "CronJob"):
        if policy in ("always", "unless-stopped"):
            yield "", approximated(case.kind, "others wait for its end: it is run until it succeeds", 'restart: "no"')
        elif case.kind == "Job":
            ended = "tycho up waits for its end, and fails where it fails; docker compose up -d does not look at it"
            yield "", translated("Job, backoffLimit", but=ended)
    elif policy in ("no", "on-failure"):
        yield (
            "",
            approximated(
                case.kind,
                "what serves others is always started again",
                "x-tycho: {kind: Job} makes it run once",
            ),
        )


def max_attempts(case: Case) -> Rows:
    """Only jobs give up."""
    if case.kind not in ("Job", "CronJob"):
        yield "", ignored("what serves others is started again for ever", "x-tycho: {kind: Job} makes it give up")


def depends_on(case: Case) -> Rows:
    """Waiting, as far as it can be seen from outside."""
    if all(is_implied(case.layout.system, case.name, name) for name in case.value):
        yield "", translated("nothing of its own: it follows from another key")
    waited = {wait.name for wait in case.pod.waits}
    kinds = {name: case.layout.homes[name].kind for name in case.value if name in case.layout.homes}
    for name, dependency in case.value.items():
        if dependency.restart and case.written(f"depends_on.{name}.restart"):
            yield (
                f".{name}.restart",
                ignored(f"pods are not restarted with those of {name}", "have it reconnect"),
            )
        if is_implied(case.layout.system, case.name, name):
            continue
        if name not in case.layout.homes:  # not required, and in no profile that is on
            yield f".{name}", translated("nothing: it is not there, and not required")
        elif case.layout.homes[name] is case.pod:
            yield from _within(case, name, dependency.condition)
        elif dependency.condition == "service_completed_successfully" and kinds[name] != "Job":
            yield (
                f".{name}",
                rejected(f"{name} is a {kinds[name]}, and never completes", 'make it a job: restart: "no"'),
            )
        elif dependency.condition == "service_healthy" and kinds[name] in JOBS:
            yield f".{name}", rejected(f"{name} is a {kinds[name]}, and never becomes healthy", "condition:"
                                       " service_completed_successfully waits for its end")  # fmt: skip
        elif dependency.condition != "service_started" and case.service.network_mode == "none":
            yield (
                f".{name}",
                rejected("a pod without a network cannot see whether others are ready", "remove network_mode"),
            )
        elif dependency.condition == "service_healthy" and not _is_probed(case, name):
            yield f".{name}", approximated(f"init containers that wait until {name} has been started", UNKNOWN, CHECK)
        elif dependency.condition == "service_started" and not (name in waited and case.kind in JOBS):
            yield f".{name}", approximated("", TOGETHER, WAIT)
        else:
            yield f".{name}", translated("init containers that wait")


def _within(case: Case, name: str, condition: str) -> Rows:
    """Order among the containers of one pod."""
    if condition == "service_completed_successfully":
        yield f".{name}", translated("an init container")
    elif condition == "service_healthy" and not _is_probed(case, name):
        yield f".{name}", approximated(f"a sidecar: it starts once {name} has been started", UNKNOWN, CHECK)
    else:
        yield f".{name}", translated("a sidecar, which is started first")


def _is_probed(case: Case, name: str) -> bool:
    """Tell whether Kubernetes knows how to ask for a service's health."""
    service = everything(case.layout.system)[name]
    return any(probes(service, stage="", gates=False))
