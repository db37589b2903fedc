"""What is said of a system that is not ready in time, of jobs that run on, and of programs that just end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.orchestrators.test_workloads import DEPLOYMENT, NEW, NOW, OLD, made, pod, running, waiting
from tycho.errors import WaitTimeout
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm.waiting import Deadline, wait_until_ready
from tycho.orchestrators.helm.workloads import READY_WHEN, ClusterSnapshot, statuses
from tycho.release import Identity, Release, ServiceStatus

IDENTITY = Identity(guid="0" * 32, name="shop", release="shop-00000000", namespace="shop")


def delay(*services: tuple[str, str, str]) -> WaitTimeout:
    """The error for services of these names, kinds and reasons, when no time is left."""
    late = tuple(ServiceStatus(name=name, kind=kind, ready=0, wanted=1, why=why) for name, kind, why in services)

    async def look() -> Release:
        return Release(identity=IDENTITY, services=late)

    async def wait() -> None:
        await wait_until_ready(look, Deadline(WaitOptions(timeout=0)))

    with pytest.raises(WaitTimeout) as caught:
        asyncio.run(wait())
    return caught.value


@pytest.mark.parametrize(
    ("services", "advised"),
    [
        ([("a", "Deployment", "not ready yet"), ("b", "Deployment", "not ready yet")], "others reach a, b only once"),
        ([("a", "Deployment", "not ready yet"), ("b", "Deployment", "waiting for a")], "others reach a only once"),
        ([("a", "Deployment", "not ready yet"), ("b", "Deployment", "starting")], ""),
        ([("work", "Job", "not ready yet")], "`up` waits until work ends"),
        ([("work", "Job", "starting")], ""),
    ],
)
def test_the_remedy_is_named(services: list[tuple[str, str, str]], advised: str) -> None:
    first, *others = delay(*services).hint.splitlines()
    assert first.startswith("still starting")
    assert [line.startswith(advised) for line in others] == [True] * bool(advised)


def job(**notes: str) -> dict[str, Any]:
    return made("Job", notes={**notes}, spec={"completions": 1}, status={"active": 1})


@pytest.mark.parametrize(("notes", "done"), [({READY_WHEN: "running"}, True), ({}, False)])
def test_a_job_that_may_run_on_is_ready_while_it_runs(notes: dict[str, str], done: bool) -> None:
    seen = ClusterSnapshot(workloads=(job(**notes),), pods=(running(owner="Job/r-web"),), now=NOW)
    (status,) = statuses(seen, "r", "n")
    assert status.done == done


@pytest.mark.parametrize(("code", "advice"), [(0, True), (1, False)])
def test_a_program_that_does_its_work_and_ends(code: int, advice: bool) -> None:
    deployment = made("Deployment", spec={"replicas": 1}, status={"observedGeneration": 1})
    owner = made("ReplicaSet", "new", owner="Deployment/r-web")
    ended = waiting("CrashLoopBackOff", 3, terminated={"exitCode": code})
    seen = ClusterSnapshot(
        workloads=(deployment,), replicasets=(owner,), pods=(pod(containerStatuses=[ended]),), now=NOW
    )
    (status,) = statuses(seen, "r", "n")
    assert ('restart: "no" makes it a job' in status.why) == advice
    assert status.fatal


def test_a_job_that_is_tried_again_for_ever_is_no_lost_cause() -> None:
    crashed = pod(owner="Job/r-web", containerStatuses=[waiting("CrashLoopBackOff", 9, terminated={"exitCode": 1})])
    crashed["spec"] = {"restartPolicy": "OnFailure"}
    seen = ClusterSnapshot(workloads=(job(**{READY_WHEN: "running"}),), pods=(crashed,), now=NOW)
    (status,) = statuses(seen, "r", "n")
    assert (status.fatal, status.done) == (False, False)
    assert "back-off restarting" in status.why


def crashed(message: str, code: int = 1, *, read_only: bool = False) -> dict[str, Any]:
    """A pod whose container keeps ending, and mounts a claim at /data."""
    mount = {"name": "data", "mountPath": "/data", "readOnly": read_only}
    end = {"terminated": {"exitCode": code, "message": message, "reason": "Error"}}
    return {
        **pod(containerStatuses=[waiting("CrashLoopBackOff", restarts=1, **end)]),
        "spec": {
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}],
            "containers": [{"name": "web", "volumeMounts": [mount]}],
        },
    }


@pytest.mark.parametrize(
    ("crash", "advised"),
    [
        (crashed("mkdir: cannot create directory '/data/x': Permission denied"), 'user: "UID:GID" gives it a new one'),
        (crashed("open /data: EACCES\nbye"), 'user: "UID:GID" gives it a new one'),
        (crashed("/data/lock: Read-only file system", read_only=True), "/data is mounted to be read alone"),
        (crashed("/database/x: Permission denied"), ""),
        (crashed("cannot reach db at /data"), ""),
        (crashed("Permission denied: /data", code=0), 'restart: "no" makes it a job'),
    ],
)
def test_a_volume_that_the_user_may_not_write_to_is_named(crash: dict[str, Any], advised: str) -> None:
    (status,) = statuses(
        ClusterSnapshot(workloads=(DEPLOYMENT,), replicasets=(OLD, NEW), pods=(crash,), now=NOW), "r", "n"
    )
    assert (advised in status.why) if advised else ("; " not in status.why)
