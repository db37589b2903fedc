"""What the cluster's objects mean for a system: which services are ready, which never will be, and where they answer.

Pure functions over what the API server returned. Readiness follows kstatus (sigs.k8s.io/cli-utils); the reasons are
read off the pods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tycho.orchestrators.helm import pods
from tycho.orchestrators.helm.api import Object
from tycho.release import Endpoint, ServiceStatus

COMPONENT = "app.kubernetes.io/component"
INSTANCE = "app.kubernetes.io/instance"
SERVICE = "tycho.dev/service"
ORDER = "tycho.dev/order"
PUBLISHED = "tycho.dev/published"
CREATE_GRACE = 20.0  # seconds in which a quota or an admission webhook may change its mind


@dataclass(frozen=True)
class Seen:
    """One look at a cluster, or at a part of it: the objects of Tycho's systems."""

    workloads: tuple[Object, ...] = ()  # Deployments, StatefulSets, DaemonSets, Jobs, CronJobs; `kind` filled in
    replicasets: tuple[Object, ...] = ()  # their metadata alone
    pods: tuple[Object, ...] = ()
    services: tuple[Object, ...] = ()
    nodes: tuple[Object, ...] = ()
    warnings: tuple[Object, ...] = ()  # Events
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def simulated(self) -> bool:
        """Whether the nodes only pretend to run containers."""
        marks = [notes(node).get("kwok.x-k8s.io/node") for node in self.nodes]
        return bool(marks) and all(marks)


@dataclass(frozen=True, slots=True)
class Count:
    """What a workload's controller says of it.

    Args:
        ready: Replicas that are ready; what a Job has completed.
        wanted: Of how many.
        done: Whether that is all that was asked for.
        why: Why it is not, as far as the controller knows.
        fatal: Whether waiting cannot help.
    """

    ready: int
    wanted: int
    done: bool = False
    why: str = ""
    fatal: bool = False


def statuses(seen: Seen, release: str, namespace: str) -> tuple[ServiceStatus, ...]:
    """The services of one release, in compose order."""

    def ours(objects: Iterable[Object]) -> list[Object]:
        return [
            one for one in objects if labels(one).get(INSTANCE) == release and one["metadata"]["namespace"] == namespace
        ]

    alive, sets = ours(seen.pods), ours(seen.replicasets)
    warnings = {str(one["involvedObject"].get("name")): one for one in sorted(seen.warnings, key=_last_seen)}
    published = defaultdict(list)
    for service in ours(seen.services):
        if labels(service).get(PUBLISHED) == "true":
            published[name(service)].append(service)
    found: dict[str, tuple[int, ServiceStatus]] = {}
    for workload in sorted(ours(seen.workloads), key=lambda one: one["metadata"]["creationTimestamp"]):
        status = _status(workload, alive, sets, warnings, seen.now)
        endpoints = tuple(
            one for service in published[status.name] for one in _endpoints(service, status.name, seen.nodes)
        )
        order = notes(workload).get(ORDER, "")
        place = int(order) if order.isdigit() else len(found)
        found[status.name] = place, status.model_copy(update={"endpoints": endpoints})
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


def node_address(nodes: Iterable[Object]) -> str | None:
    """An address of a node: an outer one rather than an inner one."""
    known: dict[str, str] = {}
    for node in nodes:
        for address in node.get("status", {}).get("addresses") or ():
            known.setdefault(address["type"], address["address"])
    return known.get("ExternalIP") or known.get("InternalIP")


def _status(
    workload: Object,
    alive: Iterable[Object],
    sets: Iterable[Object],
    warnings: Mapping[str, Object],
    now: datetime,
) -> ServiceStatus:
    count = COUNTS[workload["kind"]](workload)
    mine = pods.current(workload, alive, sets)
    why, fatal = count.why, count.fatal
    if fatal:
        why = f"failed: {pods.exited(mine) or why}"
    elif not count.done and not why:
        why, fatal = pods.trouble(mine, warnings, now)
        if not why and not mine:
            why, fatal = _uncreated(workload, sets, warnings, now)
        why = why or pods.waits(mine)
    return ServiceStatus(
        name=name(workload),
        kind=workload["kind"],
        ready=min(count.ready, count.wanted),
        wanted=count.wanted,
        restarts=sum(one.get("restartCount", 0) for pod in mine for one in pods.containers(pod)),
        why="" if count.done else why,
        fatal=fatal and not count.done,
        log=pods.last_words(mine) if fatal and not count.done else (),
        done=count.done,
        requests=_requests(workload.get("spec", {})),
    )


def _uncreated(
    workload: Object, sets: Iterable[Object], warnings: Mapping[str, Object], now: datetime
) -> tuple[str, bool]:
    """Why a workload has no pod at all: a quota, an admission rule; its controller says so, or warns of it."""
    for condition in workload.get("status", {}).get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            since = datetime.fromisoformat(condition["lastTransitionTime"])
            return pods.short(condition.get("message", "")), (now - since).total_seconds() > CREATE_GRACE
    makers = (workload["metadata"]["name"], *(one["metadata"]["name"] for one in sets if pods.owned(one, workload)))
    for maker in makers:
        if warned := warnings.get(maker):
            begun = datetime.fromisoformat(warned.get("firstTimestamp") or warned["metadata"]["creationTimestamp"])
            return pods.short(warned.get("message", "")), (now - begun).total_seconds() > CREATE_GRACE
    return "", False


def _replicas(workload: Object) -> Count:
    spec, status = workload.get("spec", {}), workload.get("status", {})
    wanted = int(spec.get("replicas", 1))
    ready, there = int(status.get("readyReplicas", 0)), int(status.get("replicas", 0))
    updated, available = int(status.get("updatedReplicas", 0)), int(status.get("availableReplicas", 0))
    if not _observed(workload):
        return Count(min(ready, wanted), wanted, why=UNSEEN)
    return Count(min(ready, wanted), wanted, done=updated == there == ready == available == wanted)


def _daemon(workload: Object) -> Count:
    status = workload.get("status", {})
    wanted, ready = int(status.get("desiredNumberScheduled", 0)), int(status.get("numberReady", 0))
    if not _observed(workload):
        return Count(ready, wanted, why=UNSEEN)
    updated, available = int(status.get("updatedNumberScheduled", 0)), int(status.get("numberAvailable", 0))
    return Count(ready, wanted, done=ready == updated == available == wanted)


def _job(workload: Object) -> Count:
    spec, status = workload.get("spec", {}), workload.get("status", {})
    wanted, ready = int(spec.get("completions") or 1), int(status.get("succeeded", 0))
    said = {one["type"]: one for one in status.get("conditions") or () if one["status"] == "True"}
    if "Complete" in said:
        return Count(wanted, wanted, done=True)
    if failed := said.get("Failed") or said.get("FailureTarget"):
        return Count(ready, wanted, why=failed.get("message") or failed.get("reason", ""), fatal=True)
    return Count(ready, wanted)


def _cron(workload: Object) -> Count:
    return Count(1, 1, done=True)


UNSEEN = "not seen by its controller yet"
COUNTS = {
    "Deployment": _replicas,
    "StatefulSet": _replicas,
    "DaemonSet": _daemon,
    "Job": _job,
    "CronJob": _cron,
}


def _observed(workload: Object) -> bool:
    seen: int = workload.get("status", {}).get("observedGeneration", 0)
    return seen >= int(workload["metadata"].get("generation", 0))


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


def _requests(spec: Object) -> Mapping[str, str]:
    pod = spec.get("template", {}).get("spec", {})
    for container in pod.get("containers") or ():
        found: Mapping[str, str] = container.get("resources", {}).get("requests") or {}
        return found
    return {}


def _last_seen(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
