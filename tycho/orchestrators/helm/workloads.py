"""What the cluster's objects mean for a system: which services are ready, which never will be, and where they answer.

Pure functions over what the API server returned. That a rollout has ended is the controller's to say, as kstatus
(sigs.k8s.io/cli-utils) has it; whether its pods are ready is read off the pods, for a controller lags behind them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from msgspec import Struct, field
from msgspec.structs import replace

from tycho.kinds import WORKLOADS
from tycho.kube.causes import explain_start, join_lines
from tycho.kube.endpoint_slices import find_unsettled
from tycho.kube.objects import KubeObject, get_annotations, get_labels, node_address
from tycho.kube.readiness import LAG, is_ready, is_running, measure_age, measure_lag
from tycho.kube.rollout import Count, count_replicas
from tycho.orchestrators.helm import pods
from tycho.release import Endpoint, ServiceStatus
from tycho.urls import ANNOTATION

COMPONENT = "app.kubernetes.io/component"
INSTANCE = "app.kubernetes.io/instance"
SERVICE = "tycho.dev/service"
ORDER = "tycho.dev/order"
PUBLISHED = "tycho.dev/published"
STATE = "tycho.dev/state"  # of a workload: "running", or, where it stands still, "paused" or "stopped"
RUNNING = "running"
READY_WHEN = "tycho.dev/ready-when"  # of a job that may run for ever: "running"
SIMULATED = "kwok.x-k8s.io/node"  # annotation of nodes that only pretend to run containers
ENDED = ("Succeeded", "Failed")  # phases of pods
CREATE_GRACE = 20.0  # seconds in which a quota or an admission webhook may change its mind


class ClusterSnapshot(Struct, frozen=True):
    """One look at a cluster, or at a part of it: the objects of Tycho's systems.

    Args:
        now: The cluster's clock when the look began.
        began: Our own, in monotonic seconds.
        ended: The same when it had ended.
        quiet: Seconds that a container without a readiness probe must run before it counts.
        sighted: Seconds since the first look that saw a container's present run; see `readiness`.
        lag: Seconds until the end of a container is shown.
    """

    workloads: tuple[KubeObject, ...] = ()  # Deployments, StatefulSets, DaemonSets, Jobs, CronJobs; `kind` filled in
    replicasets: tuple[KubeObject, ...] = ()  # their metadata alone
    pods: tuple[KubeObject, ...] = ()
    services: tuple[KubeObject, ...] = ()
    slices: tuple[KubeObject, ...] = ()  # EndpointSlices
    nodes: tuple[KubeObject, ...] = ()
    warnings: tuple[KubeObject, ...] = ()  # Events
    pulls: tuple[KubeObject, ...] = ()  # Events of images that nodes began to pull, where a pod waits for long
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: float = 0.0
    ended: float = 0.0
    quiet: float = 0.0
    sighted: Mapping[str, float] = field(default_factory=dict)
    lag: float = LAG

    @property
    def simulated(self) -> bool:
        """Whether the nodes only pretend to run containers."""
        marks = [get_annotations(node).get(SIMULATED) for node in self.nodes]
        return bool(marks) and all(marks)

    def is_ready(self, pod: KubeObject) -> bool:
        """Tell whether a pod is ready."""
        return is_ready(pod, self.quiet, lambda of, status: measure_age(of, status, self.now, self.sighted, self.lag))

    def select(self, release: str, namespace: str) -> ClusterSnapshot:
        """Return what belongs to one release."""

        def ours(objects: Iterable[KubeObject]) -> tuple[KubeObject, ...]:
            return tuple(
                obj
                for obj in objects
                if get_labels(obj).get(INSTANCE) == release and obj["metadata"]["namespace"] == namespace
            )

        return replace(
            self,
            workloads=ours(self.workloads),
            replicasets=ours(self.replicasets),
            pods=ours(self.pods),
            services=ours(self.services),
            slices=ours(self.slices),
            lag=measure_lag(ours(self.pods), self.now),
        )

    def divide(self) -> Mapping[tuple[str, str], ClusterSnapshot]:
        """Divide what was seen by release and namespace, each object looked at once."""
        workloads, replicasets, pods, services, slices = map(
            _group, (self.workloads, self.replicasets, self.pods, self.services, self.slices)
        )
        keys = {*workloads, *replicasets, *pods, *services, *slices}
        return {
            key: replace(
                self,
                workloads=tuple(workloads.get(key, ())),
                replicasets=tuple(replicasets.get(key, ())),
                pods=tuple(pods.get(key, ())),
                services=tuple(services.get(key, ())),
                slices=tuple(slices.get(key, ())),
            )
            for key in keys
        }

    def find_current(self) -> dict[str, list[KubeObject]]:
        """Find the pods of each workload's present template, by the workload's uid."""
        return {
            workload["metadata"]["uid"]: pods.current(workload, self.pods, self.replicasets)
            for workload in self.workloads
        }


def _group(items: Iterable[KubeObject]) -> Mapping[tuple[str, str], list[KubeObject]]:
    groups: dict[tuple[str, str], list[KubeObject]] = defaultdict(list)
    for obj in items:
        groups[get_labels(obj).get(INSTANCE, ""), obj["metadata"]["namespace"]].append(obj)
    return groups


def statuses(seen: ClusterSnapshot, release: str, namespace: str) -> tuple[ServiceStatus, ...]:
    """The services of one release, in compose order."""
    ours = seen.select(release, namespace)
    warnings = {str(event["involvedObject"].get("name")): event for event in sorted(seen.warnings, key=_last_seen)}
    published = defaultdict(list)
    for service in ours.services:
        if get_labels(service).get(PUBLISHED) == "true":
            published[name(service)].append(service)
    current = ours.find_current()
    by_uid = {pod["metadata"]["uid"]: pod for mine in current.values() for pod in mine}
    unsettled = {name(service): why for service, why in find_unsettled(ours.services, ours.slices, by_uid)}
    placed: dict[str, tuple[int, ServiceStatus]] = {}
    for workload in sorted(ours.workloads, key=lambda workload: workload["metadata"]["creationTimestamp"]):
        status = _status(workload, current[workload["metadata"]["uid"]], ours, warnings)
        endpoints = tuple(
            endpoint for service in published[status.name] for endpoint in _endpoints(service, status.name, seen.nodes)
        )
        order = get_annotations(workload).get(ORDER, "")
        place = int(order) if order.isdigit() else len(placed)
        if status.done and status.name in unsettled:
            status = status.model_copy(update={"done": False, "why": unsettled[status.name]})
        placed[status.name] = place, status.model_copy(update={"endpoints": endpoints})
    return tuple(status for _, status in sorted(placed.values(), key=lambda pair: pair[0]))


def name(obj: KubeObject) -> str:
    """The compose service that an object belongs to."""
    return get_annotations(obj).get(SERVICE) or get_labels(obj).get(COMPONENT, "")


def _status(
    workload: KubeObject, mine: list[KubeObject], seen: ClusterSnapshot, warnings: Mapping[str, KubeObject]
) -> ServiceStatus:
    if (state := get_annotations(workload).get(STATE, RUNNING)) != RUNNING:
        return _describe_still(workload, state, seen)
    count = count_replicas(workload)
    ready, done, why, fatal = count.ready, count.done, count.why, count.fatal
    if WORKLOADS[workload["kind"]].keeps_running:
        ready = sum(map(seen.is_ready, mine))
        done = done and ready >= count.desired
    elif get_annotations(workload).get(READY_WHEN) == "running" and not (done or fatal):
        done = any(map(seen.is_ready, mine))
    if fatal:
        why = f"failed: {pods.exited(mine) or why}"
    elif not done and not why:
        why, fatal = pods.trouble(mine, warnings, seen.now)
        if not why and not mine:
            why, fatal = _uncreated(workload, seen.replicasets, warnings, seen.now)
        why = why or pods.describe_restarts(mine) or _waits(count, mine, seen)
    fatal = fatal and not done
    return ServiceStatus(
        name=name(workload),
        kind=workload["kind"],
        ready=min(ready, count.desired),
        wanted=count.desired,
        restarts=pods.count_restarts(mine),
        why=pods.describe_restarts(mine) if done else why,
        fatal=fatal,
        log=pods.last_words(mine) if fatal else (),
        done=done,
        url=get_annotations(workload).get(ANNOTATION, ""),
        requests=_amounts(workload.get("spec", {}), "requests"),
        limits=_amounts(workload.get("spec", {}), "limits"),
        image=_image(workload.get("spec", {})),
        digests=pods.list_digests(mine, name(workload)),
        nodes=tuple(sorted({node for pod in mine if (node := pod.get("spec", {}).get("nodeName"))})),
    )


def _describe_still(workload: KubeObject, state: str, seen: ClusterSnapshot) -> ServiceStatus:
    """Describe a service that stands still: done as soon as it has no pod any more."""
    service = name(workload)
    left = [pod for pod in seen.pods if name(pod) == service and pod.get("status", {}).get("phase") not in ENDED]
    count = count_replicas(workload)
    completed = workload["kind"] == "Job" and count.done
    return ServiceStatus(
        name=service,
        kind=workload["kind"],
        ready=count.ready if completed else 0,
        wanted=count.desired if completed else 0,
        why="" if completed else f"{state}; {len(left)} pod{'s' * (len(left) > 1)} to end" if left else state,
        done=not left,
        stopped=state == "stopped" and not completed,
        url=get_annotations(workload).get(ANNOTATION, ""),
        requests=_amounts(workload.get("spec", {}), "requests"),
        limits=_amounts(workload.get("spec", {}), "limits"),
        image=_image(workload.get("spec", {})),
    )


def _waits(count: Count, mine: list[KubeObject], seen: ClusterSnapshot) -> str:
    """What a workload without trouble is waiting for."""
    unready = [pod for pod in mine if not seen.is_ready(pod)]
    if not unready and mine:
        former = [pod for pod in seen.pods if name(pod) == name(mine[0]) and pod not in mine]
        return "replacing pods" if former or len(mine) > count.desired else "starting"
    if unready and all(map(is_running, unready)):
        return f"started; ready once it has run for {seen.quiet:g} s"
    return pods.waits([pod for pod in unready if not is_running(pod)], seen.pulls)


def _uncreated(
    workload: KubeObject, sets: Iterable[KubeObject], warnings: Mapping[str, KubeObject], now: datetime
) -> tuple[str, bool]:
    """Why a workload has no pod at all: a quota, an admission rule; its controller says so, or warns of it."""
    for condition in workload.get("status", {}).get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            since = datetime.fromisoformat(condition["lastTransitionTime"])
            return join_lines(condition.get("message", "")), (now - since).total_seconds() > CREATE_GRACE
    makers = (
        workload["metadata"]["name"],
        *(replicaset["metadata"]["name"] for replicaset in sets if pods.owned(replicaset, workload)),
    )
    for maker in makers:
        if warned := warnings.get(maker):
            begun = datetime.fromisoformat(warned.get("firstTimestamp") or warned["metadata"]["creationTimestamp"])
            return explain_start(warned.get("message", "")), (now - begun).total_seconds() > CREATE_GRACE
    return "", False


def _endpoints(service: KubeObject, name: str, nodes: Iterable[KubeObject]) -> Iterable[Endpoint]:
    """Pairs of address and port that answer: the load balancer's and the Service's, or a node's and the nodePort."""
    spec = service["spec"]
    if spec.get("type") not in ("LoadBalancer", "NodePort"):
        return
    balancers = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    balancer = next((ingress.get("ip") or ingress.get("hostname") for ingress in balancers), None)
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
                published=port["port"],
            )


def _amounts(spec: KubeObject, side: str) -> Mapping[str, str]:
    """Read what the first container of a workload's pods asks for, or may have at most."""
    pod = spec.get("template", {}).get("spec", {})
    for container in pod.get("containers") or ():
        amounts: Mapping[str, str] = container.get("resources", {}).get(side) or {}
        return amounts
    return {}


def _image(spec: KubeObject) -> str:
    """Read the image of the first container of a workload's pods."""
    for container in spec.get("template", {}).get("spec", {}).get("containers") or ():
        return str(container.get("image", ""))
    return ""


def has_labels(seen: ClusterSnapshot, labels: Mapping[str, str]) -> bool:
    """Tell whether a workload, or its pods, have labels; those of a compose file are annotations."""
    for workload in seen.workloads:
        template = {"metadata": {}, **workload.get("spec", {}).get("template", {})}
        written = {**get_annotations(workload), **get_annotations(template), **get_labels(template)}
        if labels.items() <= written.items():
            return True
    return False


def _last_seen(event: KubeObject) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
