"""When a pod counts as ready: one definition for every verb; docs/ready.md tells it to users.

A pod is ready when Kubernetes says so, all its containers run, and each of them that no readiness probe speaks for has
run for a quiet time since its present start. Pure functions over what the API server returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from tycho.kube.objects import KubeObject

TRUNCATED = 1.0  # seconds: the API's times leave out the fraction
LAG = 1.0  # seconds until a kubelet notices that a container has ended: it looks once a second
MOST = 6.0  # seconds of lag that are believed
RECENT = 60.0  # seconds in which a start tells something of the lag
Age = Callable[[KubeObject, KubeObject], float]
"""For how many seconds a pod's container has surely been running, as far as one may say by now."""


def pod_condition(pod: KubeObject, name: str) -> KubeObject:
    """Return a condition of a pod, {} when it has none of that name."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == name), {})


def is_ready(pod: KubeObject, quiet: float, age: Age) -> bool:
    """Tell whether a pod is ready.

    Args:
        pod: A pod.
        quiet: Seconds that a container without a readiness probe must have run since its present start; 0: none.
        age: Tells how long a container has run.
    """
    return is_running(pod) and not is_watched(pod, quiet, age)


def list_lasting(pod: KubeObject) -> list[KubeObject]:
    """List the statuses of the containers that run as long as a pod does: its own, and its sidecars."""
    spec, status = pod.get("spec", {}), pod.get("status", {})
    sidecars = {each["name"] for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"}
    started = [each for each in status.get("initContainerStatuses") or () if each["name"] in sidecars]
    return [*started, *(status.get("containerStatuses") or ())]


def is_running(pod: KubeObject) -> bool:
    """Tell whether Kubernetes calls a pod ready, and all its containers run."""
    running = all("running" in status.get("state", {}) for status in list_lasting(pod))
    return pod_condition(pod, "Ready").get("status") == "True" and running


def is_watched(pod: KubeObject, quiet: float, age: Age) -> bool:
    """Tell whether a container of a pod has not run for the quiet time yet, and no probe speaks for it."""
    if quiet <= 0:
        return False
    probed = _find_probed(pod)
    return any(age(pod, status) < quiet for status in list_lasting(pod) if status["name"] not in probed)


def identify(pod: KubeObject, status: KubeObject) -> str:
    """Name a container's present run: another one after each restart."""
    started = status.get("state", {}).get("running", {}).get("startedAt", "")
    return f"{pod['metadata'].get('uid')}/{status['name']}/{status.get('restartCount', 0)}/{started}"


def measure_age(
    pod: KubeObject, status: KubeObject, now: datetime, sighted: Mapping[str, float], lag: float = LAG
) -> float:
    """Return for how many seconds a container has surely been running.

    What is shown is older than what is: so that its end would be known, a container must have been started for longer
    by the lag, and have been shown for as long.

    Args:
        pod: Its pod.
        status: The container's status.
        now: The cluster's clock when the look began.
        sighted: Seconds since the first look that saw a container's present run. It needs no clock but our own, and
            holds where those of machines differ. It is no quicker than the times are: who looks next knows them alone.
        lag: Seconds until the end of a container is shown.
    """
    sure = sighted.get(identify(pod, status), 0.0) - TRUNCATED
    started, written = status.get("state", {}).get("running", {}).get("startedAt"), _find_written(pod)
    if not started:
        return sure - lag
    # A node's clock that is behind shows a start before there was a pod to start; one that is ahead, after it was told.
    created = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    behind = datetime.fromisoformat(started) < created
    begun = max(datetime.fromisoformat(started), created)
    begun = min(begun, written or begun)
    since_begun, since_written = (
        max(sure, (now - moment).total_seconds() - TRUNCATED) for moment in (begun, written or begun)
    )
    since_ready = 0.0 if behind else _measure_ready(pod, begun, now)
    return min(since_begun - lag, max(since_written, since_ready))


def measure_lag(pods: Iterable[KubeObject], now: datetime) -> float:
    """Return after how many seconds the end of a container may be shown: as late as starts were a moment ago.

    On a node that has much to do, a kubelet writes what it has noticed some seconds later.
    """
    lags = [LAG]
    for pod in pods:
        statuses, written = list_lasting(pod), _find_written(pod)
        started = [status.get("state", {}).get("running", {}).get("startedAt") for status in statuses]
        # With a health check or a second container, the last that was written may be about something else.
        if written and len(started) == 1 and started[0] and not _find_probed(pod):
            begun = datetime.fromisoformat(started[0])
            if (now - begun).total_seconds() < RECENT:
                lag = (written - begun).total_seconds() - TRUNCATED
                lags.append(lag if lag <= MOST else LAG)  # what was written so late is about something else
    return max(lags)


def _measure_ready(pod: KubeObject, begun: datetime, now: datetime) -> float:
    """Return for how many seconds a run has surely been shown as ready, whenever its pod's status was written last.

    A kubelet may write a status again much later, about something else. When the pod became ready is a time of the
    node's, so that it says nothing where the node's clock is behind.
    """
    since = pod_condition(pod, "Ready").get("lastTransitionTime")
    if not since:
        return 0.0
    return (now - max(datetime.fromisoformat(since), begun)).total_seconds() - TRUNCATED - MOST


def _find_written(pod: KubeObject) -> datetime | None:
    """Find when a pod's status was written last, by the API server's clock."""
    times = [
        datetime.fromisoformat(entry["time"])
        for entry in pod["metadata"].get("managedFields") or ()
        if entry.get("subresource") == "status" and "time" in entry
    ]
    return max(times, default=None)


def _find_probed(pod: KubeObject) -> set[str]:
    """Find the containers that a readiness probe speaks for."""
    spec = pod.get("spec", {})
    containers = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    return {container["name"] for container in containers if "readinessProbe" in container}
