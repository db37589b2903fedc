"""What objects mean: readiness, reasons, addresses, and fields that never change."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tycho.orchestrators.helm.lease import void
from tycho.orchestrators.helm.leavings import immutable
from tycho.orchestrators.helm.workloads import Seen, statuses

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = {"app.kubernetes.io/instance": "r", "app.kubernetes.io/component": "web"}


def made(kind: str, seconds: float = 60, **parts: Any) -> dict[str, Any]:
    stamp = (NOW - timedelta(seconds=seconds)).isoformat()
    metadata = {
        "name": "r-web", "namespace": "n", "labels": dict(LABELS), "annotations": {}, "generation": 1,
        "creationTimestamp": stamp,
    }  # fmt: skip
    return {"kind": kind, "metadata": metadata, "spec": {}, "status": {}, **parts}


def pod(seconds: float = 60, **status: Any) -> dict[str, Any]:
    return made("Pod", seconds, status=status)


def waiting(reason: str, restarts: int = 0, **last: Any) -> dict[str, Any]:
    return {
        "name": "web", "image": "i", "restartCount": restarts, "lastState": last,
        "state": {"waiting": {"reason": reason, "message": "m"}},
    }  # fmt: skip


def counts(generation: int, replicas: int, updated: int, ready: int) -> dict[str, int]:
    return {
        "observedGeneration": generation, "replicas": replicas, "updatedReplicas": updated, "readyReplicas": ready,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "spec", "status", "done"),
    [
        ("Deployment", {"replicas": 2}, counts(1, 2, 2, 2),
         True),
        ("Deployment", {"replicas": 2}, counts(1, 3, 2, 2),
         False),
        ("Deployment", {"replicas": 1}, counts(0, 1, 1, 1),
         False),
        ("Deployment", {"replicas": 0}, {"observedGeneration": 1}, True),
        ("DaemonSet", {}, {"observedGeneration": 1, "desiredNumberScheduled": 1, "numberReady": 1,
                           "updatedNumberScheduled": 1}, True),
        ("Job", {}, {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}, True),
        ("Job", {}, {"active": 1}, False),
    ],
)  # fmt: skip
def test_ready(kind: str, spec: dict[str, Any], status: dict[str, Any], done: bool) -> None:
    (found,) = statuses(Seen(workloads=(made(kind, spec=spec, status=status),), now=NOW), "r", "n")
    assert found.done is done


@pytest.mark.parametrize(
    ("trouble", "why", "fatal"),
    [
        (pod(containerStatuses=[waiting("ImagePullBackOff")]), "the image cannot be pulled (i): m", True),
        (pod(5, containerStatuses=[waiting("ErrImagePull")]), "the image cannot be pulled (i): m", False),
        (pod(5, containerStatuses=[waiting("CreateContainerConfigError")]), "not complete", True),
        (pod(containerStatuses=[waiting("CrashLoopBackOff", 3, terminated={"exitCode": 1, "message": "a\nno db"})]),
         'exit 1 "no db"', True),
        (pod(containerStatuses=[waiting("CrashLoopBackOff", 1, terminated={"exitCode": 137, "reason": "OOMKilled"})]),
         "out of memory", False),
        (pod(conditions=[{"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes"}]),
         "no node takes it: 0/1 nodes", True),
        (pod(phase="Pending", initContainerStatuses=[{"name": "await-db", "ready": False}]), "waiting for db", False),
    ],
)  # fmt: skip
def test_why_not(trouble: dict[str, Any], why: str, fatal: bool) -> None:
    workload = made("Deployment", spec={"replicas": 1}, status={"observedGeneration": 1})
    (found,) = statuses(Seen(workloads=(workload,), pods=(trouble,), now=NOW), "r", "n")
    assert why in found.why
    assert found.fatal is fatal


@pytest.mark.parametrize(
    ("ingress", "address", "port"), [([{"ip": "10.0.0.9"}], "10.0.0.9", 8080), ([], "10.0.0.1", 31000)]
)
def test_an_address_and_a_port_that_answer_together(ingress: list[Any], address: str, port: int) -> None:
    service = made("Service", spec={
        "type": "LoadBalancer", "ports": [{"port": 8080, "targetPort": 80, "nodePort": 31000}],
    }, status={"loadBalancer": {"ingress": ingress}})  # fmt: skip
    service["metadata"]["labels"]["tycho.dev/published"] = "true"
    node = {"metadata": {}, "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]}}
    workload = made("Deployment", spec={"replicas": 0}, status={"observedGeneration": 1})
    (found,) = statuses(Seen(workloads=(workload,), services=(service,), nodes=(node,), now=NOW), "r", "n")
    assert [(one.ip_address, one.port, one.target) for one in found.endpoints] == [(address, port, 80)]


@pytest.mark.parametrize(
    ("kind", "old", "new", "what"),
    [
        ("Service", {"clusterIP": "None"}, {}, "spec.clusterIP"),
        ("Service", {"clusterIP": "10.0.0.1"}, {}, ""),
        ("Deployment", {"selector": {"a": "1"}}, {"selector": {"a": "2"}}, "spec.selector"),
        ("PersistentVolumeClaim", {"resources": {"requests": {"storage": "2Gi"}}},
         {"resources": {"requests": {"storage": "1Gi"}}}, "size to a smaller one"),
        ("PersistentVolumeClaim", {"resources": {"requests": {"storage": "1Gi"}}},
         {"resources": {"requests": {"storage": "2048Mi"}}}, ""),
    ],
)  # fmt: skip
def test_what_cannot_change(kind: str, old: dict[str, Any], new: dict[str, Any], what: str) -> None:
    assert immutable({"kind": kind, "spec": old}, {"kind": kind, "spec": new}) == what


@pytest.mark.parametrize(
    ("holder", "age", "is_void"),
    [
        (f"{platform.node()}/{os.getpid()}/0", 0, True),  # that number is another process by now
        ("elsewhere/1/1", 5, False),
        ("elsewhere/1/1", 31, True),
    ],
    ids=["gone", "renewed", "expired"],
)
def test_who_stands_behind_a_lease(holder: str, age: float, is_void: bool) -> None:
    renewed = (NOW - timedelta(seconds=age)).isoformat()
    lease = {"spec": {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": 30}}
    assert void(lease, NOW) is is_void
