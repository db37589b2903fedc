"""Runs of jobs that are to stand still.

Kubernetes counts what it stops of a suspended Job as failed, and where a pod failure policy says so, the Job with it:
it would never run again. So a Job that runs is deleted, and made anew by Helm, suspended; one that has ended stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tycho.kinds import CRON_JOB, JOB
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject, get_annotations, get_labels
from tycho.orchestrators.helm.workloads import COMPONENT, INSTANCE, RUNNING, STATE
from tycho.release import Identity

ENDED = ("Complete", "Failed")


async def end_runs(api: KubeClient, identity: Identity, desired: Iterable[KubeObject]) -> None:
    """Delete the runs of jobs that stand still in a manifest, as far as they have not ended.

    Args:
        api: The cluster.
        identity: Which system.
        desired: What it will be.
    """
    still = {
        get_labels(obj).get(COMPONENT)
        for obj in desired
        if obj["kind"] in (JOB.name, CRON_JOB.name) and get_annotations(obj).get(STATE, RUNNING) != RUNNING
    }
    if not still:
        return
    runs = await api.list(JOB.path(identity.namespace), labelSelector=f"{INSTANCE}={identity.release}")
    running = [run for run in runs if get_labels(run).get(COMPONENT) in still and _is_running(run)]
    paths = [JOB.path(identity.namespace, run["metadata"]["name"]) for run in running]
    await asyncio.gather(*(api.delete(path, propagation="Background") for path in paths))


def _is_running(run: KubeObject) -> bool:
    conditions = run.get("status", {}).get("conditions") or ()
    ended = any(condition["type"] in ENDED and condition["status"] == "True" for condition in conditions)
    return not ended and not run.get("spec", {}).get("suspend")
