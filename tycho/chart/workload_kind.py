"""Decide the kind of workload of a service."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import TopologicalSorter

from tycho.kinds import WORKLOADS, Readiness
from tycho.model import Json, Live, Project, Service
from tycho.model.numbers import is_digits

KINDS = tuple(WORKLOADS)
MODES = {
    "replicated": "Deployment",
    "global": "DaemonSet",
    "replicated-job": "Job",
    "global-job": "Job",
}
DRAIN_SECONDS = 5  # until every node has removed a pod from its Services
JOBS = frozenset(name for name, kind in WORKLOADS.items() if not kind.keeps_running)
COUNTED = frozenset(name for name, kind in WORKLOADS.items() if kind.readiness is Readiness.REPLICAS)
"""Kinds that run as many pods as values say."""
RETRYING = frozenset({"on-failure", "always", "unless-stopped"})
"""Restart policies by which a job that fails is tried again for ever."""
NON_RESTARTING = frozenset({"no", "none", "on-failure"})


def tycho_extension(part: object) -> Mapping[str, Json]:
    """Return the `x-tycho` of a part of the file: settings that Compose has no key for."""
    extension = getattr(part, "x", {}).get("x-tycho")
    return extension if isinstance(extension, Mapping) else {}


def extension_mapping(part: object, key: str) -> Mapping[str, Json]:
    """Return the mapping that a key of `x-tycho` holds; an empty one where it holds none."""
    value = tycho_extension(part).get(key)
    return value if isinstance(value, Mapping) else {}


def drain_seconds(service: Service, *, single_node: bool) -> int:
    """Return the seconds that a pod still serves before SIGTERM, where the next pod starts first."""
    first = service.deploy.update_config.order == "start-first" and not single_node
    return DRAIN_SECONDS if first and not service.pre_stop else 0


def may_scale(service: Service) -> bool:
    """Tell whether a service has more than one pod, or may after a change of values."""
    replicas = service.deploy.replicas if service.deploy.replicas is not None else service.scale
    return replicas is not None and (isinstance(replicas, Live) or replicas > 1)


def decide_kinds(system: Project, called: Collection[str]) -> dict[str, str]:
    """Decide the kind of every service and job that has a pod of its own.

    Args:
        system: The system.
        called: The services that others name in what they say: those serve.
    """
    awaited: dict[str, set[str]] = {}
    for service in [*system.services.values(), *system.jobs.values()]:
        for name, dependency in service.depends_on.items():
            awaited.setdefault(name, set()).add(dependency.condition)
    service_kinds = {
        name: _decide_service_kind(service, awaited.get(name, set()), called=name in called)
        for name, service in system.services.items()
    }
    return service_kinds | {name: _decide_job_kind(service) for name, service in system.jobs.items()}


def sort_by_dependence(services: Mapping[str, Service]) -> tuple[str, ...]:
    """Sort services so that each comes after those of them that it depends on, else in the file's order."""
    order = TopologicalSorter(
        {name: [other for other in service.depends_on if other in services] for name, service in services.items()}
    )
    return tuple(order.static_order())


def restart_policy(service: Service) -> str:
    """Return when a stopped container is restarted: no, on-failure, always, unless-stopped, or "" if not set."""
    condition = service.deploy.restart_policy.condition or ""
    policy = {"none": "no", "any": "always"}.get(condition, condition)
    return policy or (service.restart or "").partition(":")[0]


def retry_limit(service: Service) -> int | None:
    """Return how often a failed container is restarted; None if not set, or without limit."""
    count = (service.restart or "").partition(":")[2]
    if service.deploy.restart_policy.max_attempts is not None:
        return service.deploy.restart_policy.max_attempts or None
    return int(count) or None if is_digits(count) else None


def _decide_service_kind(service: Service, awaited: set[str], *, called: bool) -> str:
    if (kind := tycho_extension(service).get("kind")) in KINDS:
        return str(kind)
    if tycho_extension(service).get("schedule") or service.triggers:
        return "CronJob"
    mode = MODES.get(service.deploy.mode or "", "Deployment")
    if mode != "Deployment":
        return mode
    if "service_completed_successfully" in awaited:
        return "Job"
    policy = restart_policy(service)
    # A service that is restarted only after a failure does its work and ends, unless others call it; that others wait
    # for its start only sets an order. One that is never restarted may still be a server, in an older file.
    asked_for = called if policy == "on-failure" else bool(awaited)
    serves = service.ports or service.expose or service.healthcheck or asked_for or "service_healthy" in awaited
    return "Job" if policy in NON_RESTARTING and not serves else "Deployment"


def _decide_job_kind(service: Service) -> str:
    return "CronJob" if (service.triggers or {}) or tycho_extension(service).get("schedule") else "Job"
