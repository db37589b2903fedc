"""`deploy.mode`, `deploy.replicas`, `scale`, `deploy.update_config`: how many pods, and how they are replaced."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tycho.chart.chart import ReportTarget
from tycho.chart.container import Text
from tycho.chart.expressions import to_number
from tycho.chart.manifests import has_service
from tycho.chart.translate.key_rule import (
    MANY_NODES,
    Rows,
    Table,
    approximated,
    ignored,
    per_pod,
    rejected,
    translated,
    whole,
)
from tycho.chart.translate.key_use import KeyUse, container, peers, workload
from tycho.chart.workload import Strategy
from tycho.chart.workload_kind import JOBS, MODES
from tycho.model import Service


def translate_replicas(service: Service) -> int | Text:
    """Translate how many pods there are."""
    replicas = service.deploy.replicas if service.deploy.replicas is not None else service.scale
    return 1 if replicas is None else to_number(replicas)


def translate_strategy(service: Service, kind: str, *, single_node: bool) -> Strategy:
    """Translate how pods are replaced."""
    update = service.deploy.update_config
    step = max(1, update.parallelism or 1)
    first = kind == "DaemonSet" or update.order == "stop-first"  # two pods of a node want the same ports
    surge, unavailable = (0, step) if first and update.order != "start-first" else (step, 0)
    return Strategy(single_node, surge, unavailable, math.ceil(update.delay or 0))


BESIDE = "all pods run on the node of their volume; scaling from one pod to more replaces every pod once"


def assess_mode(use: KeyUse) -> Rows:
    """Assess Swarm's modes."""
    if use.value not in MODES:
        yield "", rejected(f'"{use.value}" is not a mode', f"write one of {', '.join(MODES)}")
    elif use.value == "global-job":
        why = "Kubernetes has no job for every node"
        yield "", approximated("Job", why, "set deploy.replicas", workload(""))


def assess_endpoint(use: KeyUse) -> Rows:
    """Assess addresses: those of the pods, or one of the Service."""
    if use.value not in ("vip", "dnsrr"):
        yield "", rejected(f'"{use.value}" is not a mode', "write vip or dnsrr")
    elif not has_service(use.pod):
        yield "", translated("nothing: a job without a known port has no Service")


def assess_replicas(use: KeyUse) -> Rows:
    """Assess a number of pods: a DaemonSet has as many as there are nodes."""
    if use.kind in ("DaemonSet", "CronJob"):
        yield "", ignored(f"a {use.kind} has no number of replicas", "remove it, or the mode")
    elif use.kind == "Job":
        if use.pod.completions:
            yield "", translated("completions, parallelism (live)", workload("spec.completions"))
        else:
            yield "", translated("nothing: a job runs once")
    elif use.pod.single_node and use.kind == "Deployment":
        yield "", translated("replicas (live)", REPLICAS, but=BESIDE)


def find_rollout(use: KeyUse) -> Iterator[ReportTarget]:
    """Find how the pods of a workload are replaced."""
    if use.kind == "Deployment":
        yield from workload("spec.strategy")(use)
    elif use.kind in ("DaemonSet", "StatefulSet"):
        yield from workload("spec.updateStrategy")(use)


def find_order(use: KeyUse) -> Iterator[ReportTarget]:
    """Find how the pods are replaced, and the time in which the callers of one turn to others."""
    yield from find_rollout(use)
    if "sleep" in use.container.lifecycle.get("preStop", {}):
        yield from container("lifecycle.preStop")(use)


def assess_rollout(use: KeyUse) -> Rows:
    """Assess an update: what holds a volume, or has a name of its own, is not replaced beside itself."""
    if use.kind in JOBS:
        yield "", translated("nothing: an update creates the job again")
    elif use.kind == "StatefulSet" and use.value not in (1, "stop-first"):
        why = "a StatefulSet replaces its pods by name"
        yield "", approximated("one pod after the other", why, "write parallelism: 1", find_rollout)
    elif use.kind == "Deployment" and use.pod.single_node and use.value not in (1, "stop-first"):
        why = "a volume that only one node can mount must be released before the next pod starts"
        yield "", approximated("strategy: Recreate", why, MANY_NODES, find_rollout)


def assess_delay(use: KeyUse) -> Rows:
    """Assess a pause between pods."""
    if use.kind in JOBS:
        yield "", translated("nothing: an update creates the job again")


def assess_failure(use: KeyUse) -> Rows:
    """Assess `failure_action`: a rollout that does not become ready stops, unless the whole system goes back."""
    if use.value == "rollback":
        words = "`tycho up` goes back to the last good revision of the system"
        why = "a release goes back with all its services, and only where somebody waits for it"
        remedy = "run helm upgrade --rollback-on-failure where there is Helm alone"
        yield "", approximated(words, why, remedy)
    elif use.value == "pause":
        yield "", translated("a failed rollout stops where it is")


REPLICAS = workload("spec.replicas")
KEYS: Table = {
    "scale": per_pod(translated("replicas (live)", REPLICAS, assess=assess_replicas)),
    "deploy.mode": per_pod(translated("kind of workload", workload(""), assess=assess_mode)),
    "deploy.endpoint_mode": per_pod(
        translated("Service with or without an address", peers("spec"), assess=assess_endpoint)
    ),
    "deploy.replicas": per_pod(translated("replicas (live)", REPLICAS, assess=assess_replicas)),
    "deploy.update_config.parallelism": per_pod(
        translated("maxSurge, maxUnavailable", find_rollout, assess=assess_rollout)
    ),
    "deploy.update_config.order": per_pod(
        translated("maxSurge, maxUnavailable, lifecycle.preStop", find_order, assess=assess_rollout)
    ),
    "deploy.update_config.delay": per_pod(
        translated("minReadySeconds", workload("spec.minReadySeconds"), assess=assess_delay)
    ),
    "deploy.update_config.failure_action": approximated(
        "a failed rollout stops where it is",
        "Kubernetes knows rollouts that stop, and no others",
        "write rollback, and `tycho up` goes back",
        assess=assess_failure,
    ),
    "deploy.update_config.monitor": ignored(
        "a rollout waits for readiness without a time limit",
        "give the service a healthcheck, and update_config a delay",
    ),
    "deploy.update_config.max_failure_ratio": ignored(
        "a rollout continues only while new pods become ready", "nothing: none may fail"
    ),
    "deploy.rollback_config": whole(
        approximated(
            "the update's strategy",
            "a rollback uses the strategy of an update",
            "set update_config instead",
        )
    ),
}
