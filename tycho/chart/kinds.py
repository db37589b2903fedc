"""Which kind of workload a service is."""

from __future__ import annotations

from collections.abc import Mapping

from tycho.model import Json, Live, Service, System, template
from tycho.model.numbers import is_digits

KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
MODES = {
    "replicated": "Deployment",
    "global": "DaemonSet",
    "replicated-job": "Job",
    "global-job": "Job",
}
DRAIN = 5  # seconds in which every node learns that a pod takes no more calls
ONCE = frozenset({"no", "none", "on-failure"})


def said(part: object) -> Mapping[str, Json]:
    """What `x-tycho` says of a part of the file: what belongs to the chart, and Compose has no word for."""
    found = getattr(part, "x", {}).get("x-tycho")
    return found if isinstance(found, Mapping) else {}


def written(value: str | float | None) -> str:
    """A value in Compose's syntax, "" where there is none; one that is empty today may read a variable."""
    return "" if value is None else template(value)


def drain(service: Service, *, held: bool) -> int:
    """Seconds before SIGTERM in which a service still answers: where the new must be there before the old goes."""
    first = service.deploy.update_config.order == "start-first" and not held
    return DRAIN if first and not service.pre_stop else 0


def several(service: Service) -> bool:
    """Whether a service has, or may come to have, more than one pod."""
    replicas = service.deploy.replicas if service.deploy.replicas is not None else service.scale
    return replicas is not None and (isinstance(replicas, Live) or replicas > 1)


def kinds(system: System) -> dict[str, str]:
    """The kind of every service and job that has a pod of its own."""
    awaited: dict[str, set[str]] = {}
    for service in [*system.services.values(), *system.jobs.values()]:
        for name, dependency in service.depends_on.items():
            awaited.setdefault(name, set()).add(dependency.condition)
    found = {name: _kind(service, awaited.get(name, set())) for name, service in system.services.items()}
    return found | {name: _job(service) for name, service in system.jobs.items()}


def restarts(service: Service) -> str:
    """When a stopped container is started again: no, on-failure, always, unless-stopped, or "" for not said."""
    condition = service.deploy.restart_policy.condition or ""
    policy = {"none": "no", "any": "always"}.get(condition, condition)
    return policy or (service.restart or "").partition(":")[0]


def attempts(service: Service) -> int | None:
    """How often a failed container is tried again, where that is said."""
    count = (service.restart or "").partition(":")[2]
    if service.deploy.restart_policy.max_attempts is not None:
        return service.deploy.restart_policy.max_attempts
    return int(count) if is_digits(count) else None


def _kind(service: Service, awaited: set[str]) -> str:
    if (kind := said(service).get("kind")) in KINDS:
        return str(kind)
    if said(service).get("schedule") or service.triggers:
        return "CronJob"
    mode = MODES.get(service.deploy.mode or "", "Deployment")
    if mode != "Deployment":
        return mode
    if "service_completed_successfully" in awaited:
        return "Job"
    serves = service.ports or service.expose or service.healthcheck or awaited
    return "Job" if restarts(service) in ONCE and not serves else "Deployment"


def _job(service: Service) -> str:
    return "CronJob" if (service.triggers or {}) or said(service).get("schedule") else "Job"
