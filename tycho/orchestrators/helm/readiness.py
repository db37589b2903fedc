"""When a pod counts as ready: one definition for every verb; docs/ready.md tells it to users.

A pod is ready when Kubernetes says so, all its containers run, and each of them that no readiness probe speaks for has
run for a quiet time since its present start. Pure functions over what the API server returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from tycho.orchestrators.helm.api import Object

TRUNCATED = 1.0  # seconds: the API's times leave out the fraction
LAG = 1.0  # seconds until a kubelet notices that a container has ended: it looks once a second
Age = Callable[[Object, Object], float]
"""For how many seconds a pod's container has surely been running, as far as one may say by now."""


def pod_condition(pod: Object, name: str) -> Object:
    """Return a condition of a pod, {} when it has none of that name."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == name), {})


def is_ready(pod: Object, quiet: float, age: Age) -> bool:
    """Tell whether a pod is ready.

    Args:
        pod: A pod.
        quiet: Seconds that a container without a readiness probe must have run since its present start; 0: none.
        age: Tells how long a container has run.
    """
    return is_running(pod) and not is_watched(pod, quiet, age)


def is_running(pod: Object) -> bool:
    """Tell whether Kubernetes calls a pod ready, and all its containers run."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    running = all("running" in status.get("state", {}) for status in statuses)
    return pod_condition(pod, "Ready").get("status") == "True" and running


def is_watched(pod: Object, quiet: float, age: Age) -> bool:
    """Tell whether a container of a pod has not run for the quiet time yet, and no probe speaks for it."""
    if quiet <= 0:
        return False
    probed = {
        container["name"] for container in pod.get("spec", {}).get("containers") or () if "readinessProbe" in container
    }
    return any(
        age(pod, status) < quiet
        for status in pod.get("status", {}).get("containerStatuses") or ()
        if status["name"] not in probed
    )


def identify(pod: Object, status: Object) -> str:
    """Name a container's present run: another one after each restart."""
    started = status.get("state", {}).get("running", {}).get("startedAt", "")
    return f"{pod['metadata'].get('uid')}/{status['name']}/{status.get('restartCount', 0)}/{started}"


def measure_age(pod: Object, status: Object, now: datetime, sighted: Mapping[str, float]) -> float:
    """Return for how many seconds a container has surely been running.

    What the API shows is what a kubelet has noticed: the end of a container is told late, by a second and, on a node
    that has much to do, by about as much as its start was. So the time counts from when its start was noticed, and not
    before that second has passed.

    Args:
        pod: Its pod.
        status: The container's status.
        now: The cluster's clock when the look began.
        sighted: Seconds since the first look that saw a container's present run. It needs no clock but our own, and
            holds where those of machines differ.
    """
    sure = sighted.get(identify(pod, status), 0.0)
    started = status.get("state", {}).get("running", {}).get("startedAt")
    if not started:
        return sure - LAG
    # A node's clock that is behind shows a start before there was a pod to start.
    begun = max(datetime.fromisoformat(started), datetime.fromisoformat(pod["metadata"]["creationTimestamp"]))
    noticed = pod_condition(pod, "Ready").get("lastTransitionTime")
    since_begun, since_noticed = (
        max(sure, (now - moment).total_seconds() - TRUNCATED)
        for moment in (begun, max(begun, datetime.fromisoformat(noticed)) if noticed else begun)
    )
    return min(since_begun - LAG, since_noticed)
