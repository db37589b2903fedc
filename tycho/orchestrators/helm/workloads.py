"""What the cluster's objects mean for a system: which services are ready, which never will be, and where they answer.

Pure functions over what the API server returned. Readiness follows kstatus (sigs.k8s.io/cli-utils); the reasons are
read off the pods.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tycho.orchestrators.helm.api import Object
from tycho.release import Endpoint, ServiceStatus

COMPONENT = "app.kubernetes.io/component"
SERVICE = "tycho.dev/service"
ORDER = "tycho.dev/order"
PUBLISHED = "tycho.dev/published"
PATIENCE = 20.0  # seconds before an image that cannot be pulled, or a pod that fits nowhere, counts as final

FATAL_WAITING = {
    "ImagePullBackOff": "the image cannot be pulled",
    "ErrImagePull": "the image cannot be pulled",
    "ErrImageNeverPull": "the image is not on the node",
    "InvalidImageName": "the image's name is not valid",
    "CreateContainerConfigError": "the container's configuration is not complete",
    "CreateContainerError": "the container cannot be made",
    "RunContainerError": "the container cannot be run",
}


@dataclass(frozen=True)
class Seen:
    """One look at a cluster, or at a part of it: the objects of Tycho's systems."""

    workloads: tuple[Object, ...] = ()  # Deployments, StatefulSets, DaemonSets, Jobs, CronJobs; `kind` filled in
    pods: tuple[Object, ...] = ()
    services: tuple[Object, ...] = ()
    nodes: tuple[Object, ...] = ()
    claims: tuple[Object, ...] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def simulated(self) -> bool:
        """Whether the nodes only pretend to run containers."""
        marks = [notes(node).get("kwok.x-k8s.io/node") for node in self.nodes]
        return bool(marks) and all(marks)


def statuses(seen: Seen, release: str, namespace: str) -> tuple[ServiceStatus, ...]:
    """The services of one release, in compose order."""

    def ours(objects: Iterable[Object]) -> list[Object]:
        return [
            one
            for one in objects
            if labels(one).get("app.kubernetes.io/instance") == release and one["metadata"]["namespace"] == namespace
        ]

    pods = defaultdict(list)
    for pod in ours(seen.pods):
        pods[labels(pod).get(COMPONENT, "")].append(pod)
    published = defaultdict(list)
    for service in ours(seen.services):
        if labels(service).get(PUBLISHED) == "true":
            published[name(service)].append(service)
    found: dict[str, tuple[int, ServiceStatus]] = {}
    for workload in sorted(ours(seen.workloads), key=lambda one: one["metadata"]["creationTimestamp"]):
        mine = pods[labels(workload).get(COMPONENT, "")]
        status = _status(workload, mine, seen)
        endpoints = tuple(
            one for service in published[status.name] for one in _endpoints(service, status.name, seen.nodes)
        )
        order = notes(workload).get(ORDER, "")
        found[status.name] = (
            int(order) if order.isdigit() else len(found),
            status.model_copy(update={"endpoints": endpoints}),
        )
    return tuple(status for _, status in sorted(found.values(), key=lambda pair: pair[0]))


def name(item: Object) -> str:
    """The compose service that an object belongs to."""
    return notes(item).get(SERVICE) or labels(item).get(COMPONENT, "")


def labels(item: Object) -> Mapping[str, str]:
    """An object's labels."""
    found: Mapping[str, str] = item["metadata"].get("labels") or {}
    return found


def notes(item: Object) -> Mapping[str, str]:
    """An object's annotations."""
    found: Mapping[str, str] = item["metadata"].get("annotations") or {}
    return found


def _status(workload: Object, pods: list[Object], seen: Seen) -> ServiceStatus:
    kind = workload["kind"]
    spec, status = workload.get("spec", {}), workload.get("status", {})
    ready, wanted, done, why, fatal = COUNTS[kind](spec, status, workload["metadata"].get("generation", 0))
    live = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    if not done and not fatal:
        for pod in sorted(live, key=lambda one: one["metadata"]["creationTimestamp"], reverse=True):
            said, final = _trouble(pod, seen.now)
            if said:
                why, fatal = said, final
                break
        else:
            why = why or _waits(live)
    return ServiceStatus(
        name=name(workload),
        kind=kind,
        ready=ready,
        wanted=wanted,
        restarts=sum(one.get("restartCount", 0) for pod in live for one in _containers(pod)),
        why="" if done else why,
        fatal=fatal and not done,
        done=done,
        requests=_requests(spec),
    )


Counts = tuple[int, int, bool, str, bool]


def _replicas(spec: Object, status: Object, generation: int) -> Counts:
    wanted = int(spec.get("replicas", 1))
    ready, updated = int(status.get("readyReplicas", 0)), int(status.get("updatedReplicas", 0))
    current = status.get("observedGeneration", 0) >= generation
    settled = updated == wanted and int(status.get("replicas", 0)) == wanted and ready == wanted
    return (
        min(ready, wanted),
        wanted,
        current and settled,
        "" if current else "not seen by its controller yet",
        False,
    )


def _daemon(spec: Object, status: Object, generation: int) -> Counts:
    wanted = int(status.get("desiredNumberScheduled", 0))
    ready = int(status.get("numberReady", 0))
    current = status.get("observedGeneration", 0) >= generation
    return (
        ready,
        wanted,
        current and ready == wanted == int(status.get("updatedNumberScheduled", 0)),
        "",
        False,
    )


def _job(spec: Object, status: Object, generation: int) -> Counts:
    wanted, ready = int(spec.get("completions") or 1), int(status.get("succeeded", 0))
    for condition in status.get("conditions") or ():
        if condition["type"] == "Complete" and condition["status"] == "True":
            return wanted, wanted, True, "", False
        if condition["type"] == "Failed" and condition["status"] == "True":
            return (
                ready,
                wanted,
                False,
                f"failed: {condition.get('message') or condition.get('reason', '')}",
                True,
            )
    return ready, wanted, False, "running" if status.get("active") else "", False


def _cron(spec: Object, status: Object, generation: int) -> Counts:
    return 1, 1, True, "", False


COUNTS = {
    "Deployment": _replicas,
    "StatefulSet": _replicas,
    "DaemonSet": _daemon,
    "Job": _job,
    "CronJob": _cron,
}


def _trouble(pod: Object, now: datetime) -> tuple[str, bool]:
    """What is wrong with a pod, and whether waiting cannot help."""
    status = pod.get("status", {})
    age = (now - datetime.fromisoformat(pod["metadata"]["creationTimestamp"])).total_seconds()
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            return f"no node takes it: {condition.get('message', '')}".strip(), age > PATIENCE
    for container in _containers(pod):
        waiting = container.get("state", {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        if reason in FATAL_WAITING:
            final = age > PATIENCE or reason in (
                "InvalidImageName",
                "ErrImageNeverPull",
                "CreateContainerConfigError",
            )
            image = f" ({container.get('image', '')})" if "mage" in reason else ""
            return f"{FATAL_WAITING[reason]}{image}: {_short(waiting.get('message', reason))}", final
        if reason == "CrashLoopBackOff":
            return _crash(container), container.get("restartCount", 0) >= 2
        ended = container.get("state", {}).get("terminated") or {}
        if ended and ended.get("exitCode"):
            return _crash(container), False
    if status.get("phase") == "Failed":
        return f"failed: {status.get('message') or status.get('reason', '')}", False
    return "", False


def _crash(container: Object) -> str:
    ended = container.get("lastState", {}).get("terminated") or container.get("state", {}).get("terminated") or {}
    said = (ended.get("message") or "").strip().splitlines()
    last = f' "{_short(said[-1])}"' if said else ""
    reason = ended.get("reason", "")
    out_of_memory = ": out of memory" if reason == "OOMKilled" else ""
    return f"back-off restarting: exit {ended.get('exitCode', '?')}{last}{out_of_memory}"


def _waits(pods: list[Object]) -> str:
    """What a pod without trouble is waiting for."""
    for pod in pods:
        for container in pod.get("status", {}).get("initContainerStatuses") or ():
            if not container.get("ready") and container.get("started", True):
                waited = re.match(r"(?:find|await)-(.+)", container["name"])
                return f"waiting for {waited[1]}" if waited else f"running {container['name']}"
        if pod.get("status", {}).get("phase") == "Pending":
            return "starting"
    return "starting" if not pods else "not ready yet"


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _endpoints(service: Object, name: str, nodes: Iterable[Object]) -> Iterable[Endpoint]:
    """Pairs of address and port that answer: the load balancer's and the Service's, or a node's and the nodePort."""
    spec = service["spec"]
    if spec.get("type") not in ("LoadBalancer", "NodePort"):
        return
    balancers = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    balancer = next((one.get("ip") or one.get("hostname") for one in balancers), None)
    address = balancer or node_address(nodes)
    for port in spec.get("ports") or ():
        number = port["port"] if balancer else port.get("nodePort")
        target = port.get("targetPort", port["port"])
        if address and number:
            yield Endpoint(
                service=name,
                ip_address=address,
                port=number,
                target=target if isinstance(target, int) else port["port"],
            )


def node_address(nodes: Iterable[Object]) -> str | None:
    """An address of a node: an outer one rather than an inner one."""
    known: dict[str, str] = {}
    for node in nodes:
        for address in node.get("status", {}).get("addresses") or ():
            known.setdefault(address["type"], address["address"])
    return known.get("ExternalIP") or known.get("InternalIP")


def _requests(spec: Object) -> Mapping[str, str]:
    pod = spec.get("template", {}).get("spec", {})
    for container in pod.get("containers") or ():
        found: Mapping[str, str] = container.get("resources", {}).get("requests") or {}
        return found
    return {}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else line[:157] + "..."
