"""What keeps pods from being ready: read off their status, and off the warnings that the cluster gave about them.

Pure functions over what the API server returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from tycho.kube.causes import (
    cannot_run,
    explain_placement,
    explain_pull,
    explain_start,
    explain_warning,
    join_lines,
    unwrap,
)
from tycho.kube.objects import KubeObject

REVISION = "deployment.kubernetes.io/revision"
GENERATION = "deprecated.daemonset.template.generation"
PULL_GRACE = 12.0  # seconds in which a registry may come to itself: a second try comes after ten
PULL_NEVER = re.compile(r"(?i)not ?found|manifest unknown|denied|unauthorized|no basic auth|invalid reference")
UNTOLD = ("ContainerCreating", "PodInitializing")  # reasons that say nothing of a container's image
PULL_SHOWN = 5.0  # seconds from its placement on after which it matters that a pod's image is still being pulled
SCHEDULE_GRACE = 60.0  # seconds in which a volume may be made, or a cluster may grow a node
WORDS = 10  # lines of a log that an error has room for
UNREADY = "not ready yet"  # of a pod that runs, and is not healthy or not at its end
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
NOT_STARTED = ("StartError", "ContainerCannotRun")  # ends of a container that never ran
DENIED = re.compile(r"(?i)permission denied|\bEACCES\b|operation not permitted|read-only file system|not write?able")
HELD_BACK = re.compile(r"(?:find|await)-(.+)")  # init containers of the chart that wait for other services


def current(workload: KubeObject, pods: Iterable[KubeObject], replicasets: Iterable[KubeObject]) -> list[KubeObject]:
    """The pods of a workload's present template, newest first: those that it replaces have nothing to say any more."""
    meta, status = workload["metadata"], workload.get("status", {})
    notes = meta.get("annotations") or {}
    owner, mark = meta.get("uid"), ("", "")
    owners = {owner}
    if workload["kind"] == "Deployment":
        owners = {
            replicaset["metadata"].get("uid")
            for replicaset in replicasets
            if owner in _owners(replicaset)
            and (replicaset["metadata"].get("annotations") or {}).get(REVISION) == notes.get(REVISION)
        }
    elif workload["kind"] == "StatefulSet":
        mark = ("controller-revision-hash", status.get("updateRevision", ""))
    elif workload["kind"] == "DaemonSet":
        mark = ("pod-template-generation", notes.get(GENERATION, ""))
    matching = [
        pod
        for pod in pods
        if owners & _owners(pod)
        and not pod["metadata"].get("deletionTimestamp")
        and (not mark[1] or pod["metadata"].get("labels", {}).get(mark[0]) == mark[1])
    ]
    return sorted(matching, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)


def trouble(pods: Sequence[KubeObject], warnings: Mapping[str, KubeObject], now: datetime) -> tuple[str, bool]:
    """Why the first pod that has trouble is not ready, and whether waiting cannot help; ("", False) when none has."""
    for pod in pods:
        reason, fatal = _trouble(pod, now)
        if reason:
            return reason, fatal
    for pod in pods:
        if warned := warnings.get(pod["metadata"]["name"]):
            return explain_warning(warned.get("message") or warned.get("reason", "")), False
    return "", False


def waits(pods: Sequence[KubeObject], pulls: Iterable[KubeObject]) -> str:
    """What pods without trouble are waiting for.

    Args:
        pods: Some that do not run.
        pulls: Events of pulls that were begun, as far as they are known.
    """
    begun = {(event["involvedObject"].get("uid"), event["involvedObject"].get("fieldPath")) for event in pulls}
    for pod in pods:
        for container in pod.get("status", {}).get("initContainerStatuses") or ():
            if not container.get("ready") and "running" in container.get("state", {}):
                waited = HELD_BACK.match(container["name"])
                return f"waiting for {waited[1]}" if waited else f"running {container['name']}"
        if pod.get("status", {}).get("phase") == "Pending":
            uid = pod["metadata"].get("uid")
            images = [image for place, image in _list_absent(pod) if (uid, place) in begun]
            return f"pulling image {images[0]}" if images else "starting"
    return UNREADY if pods else "starting"


def is_late(pod: KubeObject, now: datetime) -> bool:
    """Tell whether a pod that was placed takes so long to start that an image may be what it waits for."""
    conditions = pod.get("status", {}).get("conditions") or ()
    placed = [each for each in conditions if each["type"] == "PodScheduled" and each["status"] == "True"]
    return any(_since(pod, each, now) > PULL_SHOWN for each in placed) and bool(list(_list_absent(pod)))


def _list_absent(pod: KubeObject) -> Iterator[tuple[str, str]]:
    """List the containers of a pod that wait without a reason and have no image yet: their place in Events, and it."""
    for group in ("initContainer", "container"):
        for status in pod.get("status", {}).get(f"{group}Statuses") or ():
            waiting = status.get("state", {}).get("waiting") or {}
            if waiting.get("reason") in UNTOLD and not status.get("imageID"):
                yield f"spec.{group}s{{{status['name']}}}", status.get("image", "")


def count_restarts(pods: Sequence[KubeObject]) -> int:
    """Count how often containers of pods were started again; those that wait for other services may try again."""
    return sum(status.get("restartCount", 0) for pod in pods for status in _own(pod))


def describe_restarts(pods: Sequence[KubeObject]) -> str:
    """Say how often containers were started again and how the last of them ended; "" when none was."""
    if not (count := count_restarts(pods)):
        return ""
    times = "once" if count == 1 else f"{count} times"
    how = exited(pods)
    return f"restarted {times}: {how}" if how else f"restarted {times}"


def exited(pods: Sequence[KubeObject]) -> str:
    """How the container that ended last did so: `exit 1 "its last words"`, or what it could not be started for."""
    ended = _last_end(pods)
    message = str(ended.get("message") or "")
    if ended.get("reason") in NOT_STARTED:
        return explain_start(message)
    if not ended:
        return ""
    lines = last_words(pods)
    if lines and (cause := cannot_run(lines[-1])):
        return cause
    last = f' "{lines[-1]}"' if lines else ""
    memory = ", out of memory" if ended.get("reason") == "OOMKilled" else ""
    return f"exit {ended.get('exitCode', 0)}{memory}{last}"


def last_words(pods: Sequence[KubeObject]) -> tuple[str, ...]:
    """The last lines that the container wrote which ended last: the kubelet keeps them with its end."""
    ended = _last_end(pods)
    if ended.get("reason") in NOT_STARTED:
        return ()
    return tuple(join_lines(line) for line in str(ended.get("message") or "").strip().splitlines()[-WORDS:])


def _last_end(pods: Sequence[KubeObject]) -> KubeObject:
    """Return the last end of a container: one with an error before one without."""
    ends = [end for pod in pods for status in _own(pod) for end in _ends(status)]
    return max(ends, key=lambda end: (bool(end.get("exitCode")), end.get("finishedAt") or ""), default={})


def _ends(status: KubeObject) -> list[KubeObject]:
    """Return how a container ended, now and before; one that did its work has not ended in that sense."""
    now, before = status.get("state", {}).get("terminated"), status.get("lastState", {}).get("terminated")
    if now and status.get("ready"):  # an init container that is done
        now = None
    return [end for end in (now, before) if end]


def _is_kept_up(pod: KubeObject) -> bool:
    """Tell whether the containers of a pod are started again however they end; a job's are not."""
    return bool(pod.get("spec", {}).get("restartPolicy", "Always") == "Always")


def _advise(pod: KubeObject, status: KubeObject, ended: KubeObject) -> str:
    """Say what to write where a program ends for a reason that the compile cannot know; "" where nothing is known."""
    if _is_kept_up(pod) and ended.get("exitCode") == 0:
        return '; it does its work and ends: restart: "no" makes it a job'
    text = str(ended.get("message") or "")
    if not ended.get("exitCode") or not DENIED.search(text):
        return ""
    for path, read_only in _list_claims(pod, status["name"]):
        if re.search(rf"{re.escape(path)}(?![\w.-])", text):
            if read_only:
                return f"; {path} is mounted to be read alone: remove :ro, or have it write elsewhere"
            return (
                f'; its user may not write to the volume at {path}: user: "UID:GID" gives it a new one, and'
                " podSecurityContext.fsGroup in the service's values one that has been used"
            )
    return ""


def _list_claims(pod: KubeObject, name: str) -> list[tuple[str, bool]]:
    """List where a container mounts claims, and whether to be read alone; the innermost folders first."""
    spec = pod.get("spec", {})
    claims = {volume["name"] for volume in spec.get("volumes") or () if "persistentVolumeClaim" in volume}
    mounts = [
        mount
        for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
        for mount in container.get("volumeMounts") or ()
        if container["name"] == name and mount["name"] in claims
    ]
    paths = [(mount["mountPath"].rstrip("/"), bool(mount.get("readOnly"))) for mount in mounts]
    return sorted(paths, key=lambda entry: -len(entry[0]))


def _own(pod: KubeObject) -> list[KubeObject]:
    """The statuses of a pod's containers without those that the chart lets wait for other services."""
    return [status for status in containers(pod) if not HELD_BACK.match(status["name"])]


def containers(pod: KubeObject) -> list[KubeObject]:
    """The statuses of a pod's containers, those of its start first."""
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def list_digests(pods: Iterable[KubeObject], container: str) -> tuple[str, ...]:
    """List the digests of the images that a container of pods runs, `sha256:…`; none of a simulated one."""
    images = [
        str(status.get("imageID", ""))
        for pod in pods
        for status in pod.get("status", {}).get("containerStatuses") or ()
        if status["name"] == container and "running" in status.get("state", {})
    ]
    return tuple(sorted({f"sha256:{image.rpartition('sha256:')[2]}" for image in images if "sha256:" in image}))


def owned(obj: KubeObject, owner: KubeObject) -> bool:
    """Whether an object belongs to another."""
    return owner["metadata"].get("uid") in _owners(obj)


def _trouble(pod: KubeObject, now: datetime) -> tuple[str, bool]:
    status = pod.get("status", {})
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    placed = conditions.get("PodScheduled", {})
    if placed.get("reason") == "Unschedulable":
        late = _since(pod, placed, now) > SCHEDULE_GRACE
        return f"no node takes it: {explain_placement(placed.get('message', ''))}", late
    begun = conditions.get("Initialized", {})
    late = _since(pod, begun if begun.get("status") == "True" else placed, now) > PULL_GRACE
    for container in containers(pod):
        waiting = container.get("state", {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        if reason in WAITING:
            cause, certain = _explain_waiting(container, reason, str(waiting.get("message") or ""))
            return cause, certain or late
        ended = container.get("state", {}).get("terminated") or {}
        before = container.get("lastState", {}).get("terminated") or {}
        # An image does not change while it is tried again and again.
        last = ended or before
        never = cannot_run(last.get("message") or "") if last.get("reason") in NOT_STARTED else ""
        if reason == "CrashLoopBackOff":
            how = exited([pod]) or "it ends at once"
            unstarted = last.get("reason") in NOT_STARTED
            why = how if unstarted else f"back-off restarting: {how}{_advise(pod, container, last)}"
            crashed = _is_kept_up(pod) and container.get("restartCount", 0) >= CRASHES
            return why, bool(never) or crashed
        if ended and not container.get("ready") and (ended.get("exitCode") or _is_kept_up(pod)):
            how = exited([pod])
            why = how if ended.get("reason") in NOT_STARTED else f"ended with {how}{_advise(pod, container, ended)}"
            return why, bool(never)
    if status.get("phase") == "Failed":
        return f"failed: {status.get('message') or status.get('reason', '')}", False
    return "", False


def _explain_waiting(container: KubeObject, reason: str, message: str) -> tuple[str, bool]:
    """Say why a container is not there yet, and whether that is known for good."""
    meaning, certain = WAITING[reason]
    image = container.get("image", "")
    if "mage" not in reason:
        cause = explain_start(message)
        known = cause != unwrap(message)
        return cause if known else f"{meaning}: {cause or reason}", certain or bool(cannot_run(message))
    certain = certain or (meaning == IMAGE and bool(PULL_NEVER.search(message)))
    cause = explain_pull(message) if meaning == IMAGE else ""
    return f"image {image}: {cause}" if cause else f"{meaning} ({image}): {unwrap(message) or reason}", certain


def _since(pod: KubeObject, condition: KubeObject, now: datetime) -> float:
    begun = condition.get("lastTransitionTime") or pod["metadata"]["creationTimestamp"]
    return (now - datetime.fromisoformat(begun)).total_seconds()


def _owners(obj: KubeObject) -> set[str | None]:
    return {reference.get("uid") for reference in obj["metadata"].get("ownerReferences") or ()}
