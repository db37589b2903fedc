"""What keeps pods from being ready: read off their status, and off the warnings that the cluster gave about them.

Pure functions over what the API server returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from tycho.orchestrators.helm.api import Object

REVISION = "deployment.kubernetes.io/revision"
GENERATION = "deprecated.daemonset.template.generation"
PULL_GRACE = 12.0  # seconds in which a registry may come to itself: a second try comes after ten
PULL_NEVER = re.compile(r"(?i)not ?found|manifest unknown|denied|unauthorized|no basic auth|invalid reference")
SCHEDULE_GRACE = 60.0  # seconds in which a volume may be made, or a cluster may grow a node
WORDS = 10  # lines of a log that an error has room for
CRASHES = 3  # restarts after which a container counts as one that will never live

IMAGE = "the image cannot be pulled"
WAITING: Mapping[str, tuple[str, bool]] = {  # what it means, and whether it can be known at once
    "ImagePullBackOff": (IMAGE, False),
    "ErrImagePull": (IMAGE, False),
    "ErrImageNeverPull": ("the image is not on the node", True),
    "InvalidImageName": ("the image's name is not valid", True),
    "CreateContainerConfigError": ("the container's configuration is not complete", True),
    "CreateContainerError": ("the container cannot be made", False),
    "RunContainerError": ("the container cannot be run", False),
}


def current(workload: Object, pods: Iterable[Object], replicasets: Iterable[Object]) -> list[Object]:
    """The pods of a workload's present template, newest first: those that it replaces have nothing to say any more."""
    meta, status = workload["metadata"], workload.get("status", {})
    notes = meta.get("annotations") or {}
    owner, mark = meta.get("uid"), ("", "")
    owners = {owner}
    if workload["kind"] == "Deployment":
        owners = {
            one["metadata"].get("uid")
            for one in replicasets
            if owner in _owners(one) and (one["metadata"].get("annotations") or {}).get(REVISION) == notes.get(REVISION)
        }
    elif workload["kind"] == "StatefulSet":
        mark = ("controller-revision-hash", status.get("updateRevision", ""))
    elif workload["kind"] == "DaemonSet":
        mark = ("pod-template-generation", notes.get(GENERATION, ""))
    found = [
        pod
        for pod in pods
        if owners & _owners(pod)
        and not pod["metadata"].get("deletionTimestamp")
        and (not mark[1] or pod["metadata"].get("labels", {}).get(mark[0]) == mark[1])
    ]
    return sorted(found, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)


def trouble(pods: Sequence[Object], warnings: Mapping[str, Object], now: datetime) -> tuple[str, bool]:
    """Why the first pod that has trouble is not ready, and whether waiting cannot help; ("", False) when none has."""
    for pod in pods:
        said, fatal = _trouble(pod, now)
        if said:
            return said, fatal
    for pod in pods:
        if warned := warnings.get(pod["metadata"]["name"]):
            return short(warned.get("message") or warned.get("reason", "")), False
    return "", False


def waits(pods: Sequence[Object]) -> str:
    """What pods without trouble are waiting for."""
    for pod in pods:
        for container in pod.get("status", {}).get("initContainerStatuses") or ():
            if not container.get("ready") and "running" in container.get("state", {}):
                waited = re.match(r"(?:find|await)-(.+)", container["name"])
                return f"waiting for {waited[1]}" if waited else f"running {container['name']}"
        if pod.get("status", {}).get("phase") == "Pending":
            return "starting"
    return "not ready yet" if pods else "starting"


def exited(pods: Sequence[Object]) -> str:
    """How the newest container that ended with an error did so: `exit 1 "its last words"`."""
    if not (ended := _failure(pods)):
        return ""
    said = last_words(pods)
    last = f' "{said[-1]}"' if said else ""
    memory = ", out of memory" if ended.get("reason") == "OOMKilled" else ""
    return f"exit {ended['exitCode']}{memory}{last}"


def last_words(pods: Sequence[Object]) -> tuple[str, ...]:
    """The last lines that the newest container wrote which ended with an error: the kubelet keeps them with its end."""
    lines = str(_failure(pods).get("message") or "").strip().splitlines()
    return tuple(short(line) for line in lines[-WORDS:])


def _failure(pods: Sequence[Object]) -> Object:
    return next((end for pod in pods for one in containers(pod) if (end := _ended(one)).get("exitCode")), {})


def containers(pod: Object) -> list[Object]:
    """The statuses of a pod's containers, those of its start first."""
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def owned(item: Object, owner: Object) -> bool:
    """Whether an object belongs to another."""
    return owner["metadata"].get("uid") in _owners(item)


def short(text: str) -> str:
    """One line of at most 160 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 160 else line[:157] + "..."


def _trouble(pod: Object, now: datetime) -> tuple[str, bool]:
    status = pod.get("status", {})
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    placed = conditions.get("PodScheduled", {})
    if placed.get("reason") == "Unschedulable":
        late = _since(pod, placed, now) > SCHEDULE_GRACE
        return f"no node takes it: {short(placed.get('message', ''))}", late
    begun = conditions.get("Initialized", {})
    late = _since(pod, begun if begun.get("status") == "True" else placed, now) > PULL_GRACE
    for container in containers(pod):
        waiting = container.get("state", {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        if reason in WAITING:
            meaning, certain = WAITING[reason]
            image = f" ({container.get('image', '')})" if "mage" in reason else ""
            said = short(waiting.get("message", reason))
            certain = certain or (meaning == IMAGE and bool(PULL_NEVER.search(said)))
            return f"{meaning}{image}: {said}", certain or late
        if reason == "CrashLoopBackOff":
            how = exited([pod]) or "it ends at once"
            return f"back-off restarting: {how}", container.get("restartCount", 0) >= CRASHES
        if _ended(container).get("exitCode") and not container.get("ready"):
            return f"ended with {exited([pod])}", False
    if status.get("phase") == "Failed":
        return f"failed: {status.get('message') or status.get('reason', '')}", False
    return "", False


def _ended(container: Object) -> Object:
    """How a container ended last; {} while it runs well."""
    state = container.get("state", {})
    if "running" in state and container.get("ready"):
        return {}
    found: Object = state.get("terminated") or container.get("lastState", {}).get("terminated") or {}
    return found


def _since(pod: Object, condition: Object, now: datetime) -> float:
    begun = condition.get("lastTransitionTime") or pod["metadata"]["creationTimestamp"]
    return (now - datetime.fromisoformat(begun)).total_seconds()


def _owners(item: Object) -> set[str | None]:
    return {one.get("uid") for one in item["metadata"].get("ownerReferences") or ()}
