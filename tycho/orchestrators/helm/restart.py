"""Restarting services: new pods of the same template, as `kubectl rollout restart` makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from tycho.errors import UsageError
from tycho.kinds import WORKLOADS
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject, get_annotations
from tycho.orchestrators.helm.services import check_services
from tycho.orchestrators.helm.workloads import INSTANCE, ORDER, name
from tycho.release import Identity

RESTARTED = "kubectl.kubernetes.io/restartedAt"
ONCE = {"Job": "is a job, which runs once", "CronJob": "is a job, which runs when its schedule says"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}


async def restart_workloads(api: KubeClient, identity: Identity, services: Sequence[str]) -> tuple[str, ...]:
    """Have the pods of services replaced; what was left alone is returned.

    Args:
        api: The cluster.
        identity: Which system.
        services: These alone; all that keep running when empty.

    Raises:
        NotFound: No such service.
        UsageError: One of these services is a job.
    """
    workloads = await list_workloads(api, identity)
    check_services(identity, workloads, services)
    chosen = [workload for workload in workloads if not services or name(workload) in services]
    jobs = {name(workload): workload["kind"] for workload in chosen if workload["kind"] in ONCE}
    running = [workload for workload in chosen if workload["kind"] not in ONCE]
    if jobs and (services or not running):
        service, kind = next(iter(jobs.items()))
        raise UsageError(f"{service} {ONCE[kind]}: there is nothing to restart", hint=f"`tycho logs {identity.name} "
                         f"{service}` shows what it wrote; a changed job runs again with `tycho up`")  # fmt: skip
    # A service in another one's pod has no workload of its own.
    alone = [service for service in services if service not in {name(workload) for workload in chosen}]
    if alone:
        raise UsageError(f"{alone[0]} runs in the pod of another service", hint="restart that one")
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    await asyncio.gather(*(_annotate(api, workload, moment) for workload in running))
    return tuple(f"{service} {ONCE[kind]}: it was left alone" for service, kind in jobs.items())


async def list_workloads(api: KubeClient, identity: Identity) -> list[KubeObject]:
    """List a system's workloads, each with its kind."""
    selector = f"{INSTANCE}={identity.release}"
    lists = await asyncio.gather(
        *(api.list(kind.path(identity.namespace), labelSelector=selector) for kind in WORKLOADS.values())
    )
    workloads = [{**obj, "kind": kind} for kind, items in zip(WORKLOADS, lists, strict=True) for obj in items]
    return sorted(workloads, key=lambda workload: int(get_annotations(workload).get(ORDER) or 0))


async def _annotate(api: KubeClient, workload: KubeObject, moment: str) -> None:
    """Change a pod template's annotation, which rolls its pods; Helm leaves it alone, for no chart of ours has it."""
    meta = workload["metadata"]
    path = WORKLOADS[workload["kind"]].path(meta["namespace"], meta["name"])
    body = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: moment}}}}}
    await api.call("PATCH", path, body, query={"fieldManager": "tycho"}, headers=STRATEGIC)
