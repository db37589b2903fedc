"""What the controllers say of workloads: how many replicas are wanted, and whether a rollout has ended.

Pure functions over what the API server returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from tycho.kinds import WORKLOADS, Readiness
from tycho.kube.objects import KubeObject


class Count(Struct, frozen=True):
    """What a workload's controller says of it.

    Args:
        ready: Replicas that are ready; what a Job has completed.
        desired: Of how many.
        done: Whether that is all that was asked for.
        why: Why it is not, as far as the controller knows.
        fatal: Whether waiting cannot help.
    """

    ready: int
    desired: int
    done: bool = False
    why: str = ""
    fatal: bool = False


def _replicas(workload: KubeObject) -> Count:
    spec, status = workload.get("spec", {}), workload.get("status", {})
    desired = int(spec.get("replicas", 1))
    ready, there = int(status.get("readyReplicas", 0)), int(status.get("replicas", 0))
    updated, available = int(status.get("updatedReplicas", 0)), int(status.get("availableReplicas", 0))
    if not _observed(workload):
        return Count(min(ready, desired), desired, why=UNSEEN)
    if spec.get("minReadySeconds") and available < updated == there == ready == desired:
        return Count(ready, desired, why="ready, and waiting for update_config.delay")
    return Count(min(ready, desired), desired, done=updated == there == ready == available == desired)


def _daemon(workload: KubeObject) -> Count:
    status = workload.get("status", {})
    desired, ready = int(status.get("desiredNumberScheduled", 0)), int(status.get("numberReady", 0))
    if not _observed(workload):
        return Count(ready, desired, why=UNSEEN)
    updated, available = int(status.get("updatedNumberScheduled", 0)), int(status.get("numberAvailable", 0))
    return Count(ready, desired, done=ready == updated == available == desired)


def _job(workload: KubeObject) -> Count:
    spec, status = workload.get("spec", {}), workload.get("status", {})
    desired, ready = int(spec.get("completions") or 1), int(status.get("succeeded", 0))
    conditions = {
        condition["type"]: condition for condition in status.get("conditions") or () if condition["status"] == "True"
    }
    if "Complete" in conditions:
        return Count(desired, desired, done=True)
    if failed := conditions.get("Failed") or conditions.get("FailureTarget"):
        return Count(ready, desired, why=failed.get("message") or failed.get("reason", ""), fatal=True)
    return Count(ready, desired)


def _cron(workload: KubeObject) -> Count:
    return Count(1, 1, done=True)


UNSEEN = "waiting for Kubernetes to pick it up"
COUNTS: Mapping[Readiness | None, Callable[[KubeObject], Count]] = {
    Readiness.REPLICAS: _replicas,
    Readiness.NODES: _daemon,
    Readiness.COMPLETIONS: _job,
    Readiness.SCHEDULE: _cron,
}


def count_replicas(workload: KubeObject) -> Count:
    """Read what the controller of a workload says of it."""
    return COUNTS[WORKLOADS[workload["kind"]].readiness](workload)


def _observed(workload: KubeObject) -> bool:
    seen: int = workload.get("status", {}).get("observedGeneration", 0)
    return seen >= int(workload["metadata"].get("generation", 0))
