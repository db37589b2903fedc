"""What the cluster's objects mean: readiness, reasons, addresses, and fields that never change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tycho.orchestrators.helm.prune import immutable
from tycho.orchestrators.helm.workloads import ClusterSnapshot, statuses
from tycho.release import ServiceStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = {"app.kubernetes.io/instance": "r", "app.kubernetes.io/component": "web"}
REVISION = "deployment.kubernetes.io/revision"
Json = dict[str, Any]


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def made(kind: str, name: str = "r-web", *, age: float = 60, owner: str = "", notes: Json | None = None,
         labels: Json | None = None, **parts: Any) -> Json:  # fmt: skip
    metadata = {
        "name": name, "namespace": "n", "uid": f"{kind}/{name}", "labels": {**LABELS, **(labels or {})},
        "annotations": notes or {}, "generation": 1, "creationTimestamp": ago(age),
        "ownerReferences": [{"uid": owner}] if owner else [],
    }  # fmt: skip
    return {"kind": kind, "metadata": metadata, "spec": {}, "status": {}, **parts}


DEPLOYMENT = made("Deployment", notes={REVISION: "2"}, spec={"replicas": 1}, status={"observedGeneration": 1})
OLD = made("ReplicaSet", "old", owner="Deployment/r-web", notes={REVISION: "1"})
NEW = made("ReplicaSet", "new", owner="Deployment/r-web", notes={REVISION: "2"})


def pod(age: float = 60, *, owner: str = "ReplicaSet/new", labels: Json | None = None, **status: Any) -> Json:
    return made("Pod", "p", age=age, owner=owner, labels=labels, status=status)


def running(name: str = "p", *, owner: str = "ReplicaSet/new") -> Json:
    """A pod that Kubernetes calls ready."""
    ready = [{"type": "Ready", "status": "True"}]
    state = {"running": {"startedAt": ago(60)}}
    web = {"name": "web", "ready": True, "restartCount": 0, "state": state}
    return made("Pod", name, owner=owner, status={"conditions": ready, "containerStatuses": [web]})


def waiting(reason: str, restarts: int = 0, message: str = "m", **last: Any) -> Json:
    return {
        "name": "web", "image": "i", "restartCount": restarts, "lastState": last,
        "state": {"waiting": {"reason": reason, "message": message}},
    }  # fmt: skip


def counts(there: int, updated: int, ready: int, available: int, generation: int = 1) -> Json:
    return {
        "observedGeneration": generation, "replicas": there, "updatedReplicas": updated, "readyReplicas": ready,
        "availableReplicas": available,
    }  # fmt: skip


def daemons(desired: int, ready: int, updated: int) -> Json:
    return {
        "observedGeneration": 1, "desiredNumberScheduled": desired, "numberReady": ready, "numberAvailable": ready,
        "updatedNumberScheduled": updated,
    }  # fmt: skip


def status_of(workload: Json, *pods: Json, **events: tuple[Json, ...]) -> ServiceStatus:
    seen = ClusterSnapshot(workloads=(workload,), replicasets=(OLD, NEW), pods=pods, now=NOW, **events)
    (judged,) = statuses(seen, "r", "n")
    return judged


@pytest.mark.parametrize(
    ("kind", "spec", "status", "done"),
    [
        ("Deployment", {"replicas": 2}, counts(2, 2, 2, 2), True),
        ("Deployment", {"replicas": 2}, counts(3, 2, 2, 2), False),  # an old pod is still there
        ("Deployment", {"replicas": 2}, counts(2, 1, 2, 2), False),  # a pod is of the old template
        ("Deployment", {"replicas": 2}, counts(2, 2, 2, 1), False),  # ready, but not for minReadySeconds
        ("Deployment", {"replicas": 1}, counts(1, 1, 1, 1, generation=0), False),
        ("Deployment", {"replicas": 0}, {"observedGeneration": 1}, True),
        ("StatefulSet", {"replicas": 1}, counts(1, 1, 1, 1), True),
        ("DaemonSet", {}, daemons(2, 2, 2), True),
        ("DaemonSet", {}, daemons(2, 2, 1), False),
        ("DaemonSet", {}, {"observedGeneration": 0}, False),
        ("Job", {}, {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}, True),
        ("Job", {}, {"active": 1}, False),
        ("CronJob", {}, {}, True),
    ],
)  # fmt: skip
def test_rolled_out(kind: str, spec: Json, status: Json, done: bool) -> None:
    """Of pods that are ready, as far as the controller is asked."""
    owned = [running(name, owner="ReplicaSet/new" if kind == "Deployment" else f"{kind}/r-web") for name in "ab"]
    workload = made(kind, notes={REVISION: "2"}, spec=spec, status=status)
    assert status_of(workload, *owned[: spec.get("replicas", 2)]).done is done


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ((), "starting"),
        ((running("old", owner="ReplicaSet/old"),), "replacing pods"),
        ((running("more"),), "replacing pods"),
    ],
    ids=["first", "former", "surplus"],
)
def test_a_controller_lags_behind_its_pods(others: tuple[Json, ...], why: str) -> None:
    """Where there was nothing before, nothing is replaced."""
    lagging = {**DEPLOYMENT, "status": counts(1 + len(others), 1, 0, 0)}
    assert status_of(lagging, running(), *others).why == why


@pytest.mark.parametrize(
    ("trouble", "why", "fatal"),
    [
        (pod(containerStatuses=[waiting("ImagePullBackOff")]), "the image cannot be pulled (i): m", True),
        (pod(5, containerStatuses=[waiting("ErrImagePull")]), "the image cannot be pulled (i): m", False),
        (
            pod(5, containerStatuses=[waiting("ErrImagePull", message="i:9: not found")]),
            "image i: not found in its registry",
            True,
        ),
        # It was held back by others for a minute, and has tried for five seconds.
        (pod(conditions=[{"type": "Initialized", "status": "True", "lastTransitionTime": ago(5)}],
             containerStatuses=[waiting("ErrImagePull")]), "cannot be pulled", False),
        (pod(5, containerStatuses=[waiting("CreateContainerConfigError")]), "not complete", True),
        (pod(5, containerStatuses=[waiting("InvalidImageName")]), "name is not valid", True),
        (pod(containerStatuses=[waiting("CrashLoopBackOff", 3, terminated={"exitCode": 1, "message": "a\nno db"})]),
         'back-off restarting: exit 1 "no db"', True),
        (pod(containerStatuses=[waiting("CrashLoopBackOff", 1, terminated={"exitCode": 137, "reason": "OOMKilled"})]),
         "exit 137, out of memory", False),
        (pod(containerStatuses=[{"name": "web", "state": {"terminated": {"exitCode": 2}}}]),
         "ended with exit 2", False),
        (pod(90, conditions=[{"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes"}]),
         "no node takes it: 0/1 nodes", True),
        (pod(30, conditions=[{"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes"}]),
         "no node takes it: 0/1 nodes", False),
        (pod(phase="Pending", initContainerStatuses=[{"name": "await-db", "ready": False, "state": {"running": {}}}]),
         "waiting for db", False),
        (pod(phase="Running", containerStatuses=[{"name": "web", "state": {"running": {}}}]), "not ready yet", False),
    ],
)  # fmt: skip
def test_why_not(trouble: Json, why: str, fatal: bool) -> None:
    judged = status_of(DEPLOYMENT, trouble)
    assert why in judged.why
    assert judged.fatal is fatal


@pytest.mark.parametrize(
    ("workload", "labels", "owner"),
    [
        (DEPLOYMENT, {}, "ReplicaSet/old"),
        (made("StatefulSet", spec={"replicas": 1}, status={"observedGeneration": 1, "updateRevision": "b"}),
         {"controller-revision-hash": "a"}, "StatefulSet/r-web"),
        (made("DaemonSet", notes={"deprecated.daemonset.template.generation": "2"}, status=daemons(1, 0, 1)),
         {"pod-template-generation": "1"}, "DaemonSet/r-web"),
        (made("Job"), {}, "Job/another"),
    ],
)  # fmt: skip
def test_pods_of_what_was_replaced_say_nothing(workload: Json, labels: Json, owner: str) -> None:
    judged = status_of(workload, pod(containerStatuses=[waiting("ImagePullBackOff")], owner=owner, labels=labels))
    assert (judged.why, judged.fatal) == ("starting", False)


def test_a_failed_job_tells_its_last_words() -> None:
    ended = {"name": "web", "state": {"terminated": {"exitCode": 3, "message": "migrating\nno such table"}}}
    job = made("Job", status={"conditions": [{"type": "Failed", "status": "True", "message": "limit"}]})
    judged = status_of(job, pod(owner="Job/r-web", phase="Failed", containerStatuses=[ended]))
    assert (judged.why, judged.fatal) == ('failed: exit 3 "no such table"', True)
    assert judged.log == ("migrating", "no such table")
    assert (status_of(job).why, status_of(job).log) == ("failed: limit", ())


def test_what_the_cluster_warns_of() -> None:
    def warning(name: str, message: str, age: float) -> Json:
        times = {"metadata": {"creationTimestamp": ago(age)}, "firstTimestamp": ago(age), "lastTimestamp": ago(age)}
        return {**times, "involvedObject": {"name": name}, "message": message}

    mount = warning("p", 'MountVolume.SetUp failed for volume "x": secret "y" not found', 5)
    before = warning("p", "something before", 30)
    assert status_of(DEPLOYMENT, pod(phase="Pending"), warnings=(mount, before)).why == "Secret y does not exist"
    quota = warning("new", 'pods "p" is forbidden: exceeded quota', 30)
    judged = status_of(DEPLOYMENT, warnings=(quota,))
    assert (judged.why, judged.fatal) == (quota["message"], True)
    assert not status_of(DEPLOYMENT, warnings=(warning("new", "a moment ago", 2),)).fatal
    failing = {"type": "ReplicaFailure", "status": "True", "message": "quota", "lastTransitionTime": ago(30)}
    judged = status_of({**DEPLOYMENT, "status": {"observedGeneration": 1, "conditions": [failing]}})
    assert (judged.why, judged.fatal) == ("quota", True)


@pytest.mark.parametrize(
    ("group", "begun", "state", "why"),
    [
        ("container", ("Pod/p", "spec.containers{web}"), {}, "pulling image i"),
        ("initContainer", ("Pod/p", "spec.initContainers{web}"), {}, "pulling image i"),
        ("container", ("Pod/p", "spec.containers{web}"), {"imageID": "sha256:0"}, "starting"),
        ("container", ("Pod/p", "spec.containers{other}"), {}, "starting"),
        ("container", ("Pod/former", "spec.containers{web}"), {}, "starting"),
    ],
)
def test_an_image_that_is_being_pulled(group: str, begun: tuple[str, str], state: Json, why: str) -> None:
    status = {f"{group}Statuses": [{**waiting("ContainerCreating"), **state}]}
    pull = {"involvedObject": dict(zip(("uid", "fieldPath"), begun, strict=True))}
    judged = status_of(DEPLOYMENT, pod(phase="Pending", **status), pulls=(pull,))
    assert (judged.why, judged.fatal) == (why, False)


@pytest.mark.parametrize(
    ("ingress", "address", "port"), [([{"ip": "10.0.0.9"}], "10.0.0.9", 8080), ([], "10.0.0.1", 31000)]
)
def test_an_address_and_a_port_that_answer_together(ingress: list[Any], address: str, port: int) -> None:
    service = made("Service", labels={"tycho.dev/published": "true"}, spec={
        "type": "LoadBalancer", "ports": [{"port": 8080, "targetPort": 80, "nodePort": 31000}],
    }, status={"loadBalancer": {"ingress": ingress}})  # fmt: skip
    node = {"metadata": {}, "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]}}
    seen = ClusterSnapshot(workloads=(DEPLOYMENT,), services=(service,), nodes=(node,), now=NOW)
    (judged,) = statuses(seen, "r", "n")
    assert [(endpoint.ip_address, endpoint.port, endpoint.target) for endpoint in judged.endpoints] == [
        (address, port, 80)
    ]
    assert not seen.simulated


@pytest.mark.parametrize(
    ("kind", "old", "new", "what"),
    [
        ("Service", {"clusterIP": "None"}, {}, "spec.clusterIP"),
        ("Service", {"clusterIP": "10.0.0.1"}, {}, ""),
        ("Deployment", {"selector": {"a": "1"}}, {"selector": {"a": "2"}}, "spec.selector"),
        ("StatefulSet", {"serviceName": "a"}, {"serviceName": "b"}, "spec.serviceName"),
        ("PersistentVolumeClaim", {"resources": {"requests": {"storage": "2Gi"}}},
         {"resources": {"requests": {"storage": "1Gi"}}}, "size to a smaller one"),
        ("PersistentVolumeClaim", {"resources": {"requests": {"storage": "1Gi"}}},
         {"resources": {"requests": {"storage": "2048Mi"}}}, ""),
        ("PersistentVolumeClaim", {}, {"volumeMode": "Filesystem"}, ""),
        ("PersistentVolumeClaim", {}, {"volumeMode": "Block"}, "spec.volumeMode"),
        ("StatefulSet", {}, {"podManagementPolicy": "Parallel"}, "spec.podManagementPolicy"),
        ("Job", {"podFailurePolicy": {"rules": []}}, {}, "spec.podFailurePolicy"),
        ("ConfigMap", {"a": 1}, {"a": 2}, ""),
        ("Widget", {"a": 1}, {"a": 2}, ""),
    ],
)  # fmt: skip
def test_what_cannot_change(kind: str, old: Json, new: Json, what: str) -> None:
    assert immutable({"kind": kind, "spec": old}, {"kind": kind, "spec": new}) == what
