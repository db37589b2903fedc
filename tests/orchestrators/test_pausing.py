"""What pausing leaves of a system in a cluster, and what comes back: the very manifests."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.orchestrators.conftest import QUICK, Kubectl, compiled
from tycho.chart import Chart
from tycho.errors import Conflict, UsageError
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.release import Identity

pytestmark = pytest.mark.xdist_group("cluster")
NO_WAIT = WaitOptions(wait=False, timeout=90)
ALL_KINDS: dict[str, Any] = {
    "web": {"image": "nginx:1", "ports": ["80"], "deploy": {"replicas": 2}},
    "db": {"image": "postgres:16", "volumes": ["data:/data"], "x-tycho": {"kind": "StatefulSet"}},
    "agent": {"image": "busybox", "command": "sleep 1d", "deploy": {"mode": "global"}},
    "once": {"image": "busybox", "annotations": {"tycho.dev/simulate": "NotReady"},
             "deploy": {"mode": "replicated-job"}},
    "night": {"image": "busybox", "command": "true", "x-tycho": {"schedule": "0 3 * * *"}},
}  # fmt: skip


def read_manifest(helm: Path, kubeconfig: Path, identity: Identity, revision: int) -> str:
    argv = [helm, "get", "manifest", identity.release, "--revision", str(revision), "--namespace", identity.namespace]
    done = subprocess.run([*argv, "--kubeconfig", kubeconfig], capture_output=True, text=True, check=True)
    return done.stdout


def read_objects(kubectl: Kubectl, identity: Identity, kinds: str) -> dict[str, Any]:
    listed = json.loads(kubectl("get", kinds, "-n", identity.namespace, "-o", "json"))["items"]
    return {obj["metadata"]["labels"]["app.kubernetes.io/component"]: obj for obj in listed}


def test_ten_revisions_there_and_back_are_the_very_manifests(tell: Any, helm: Path, kubeconfig: Path) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        def made(tag: int) -> Any:
            return compiled(lifecycle, {**ALL_KINDS, "web": {**ALL_KINDS["web"], "image": f"nginx:{tag}"}}, "trip",
                            volumes={"data": {}})  # fmt: skip

        identity = (await lifecycle.up(made(1), wait_options=NO_WAIT)).identity
        await lifecycle.pause("trip", wait_options=NO_WAIT)
        await lifecycle.resume("trip", wait_options=NO_WAIT)
        await lifecycle.up(made(2), wait_options=NO_WAIT)
        await lifecycle.stop("trip", ["db", "agent"], wait_options=NO_WAIT)
        await lifecycle.start("trip", ["agent", "db"], wait_options=NO_WAIT)

        def read(revision: int) -> str:
            return read_manifest(helm, kubeconfig, identity, revision)

        texts = {number: read(number) for number in range(1, 7)}
        assert (texts[3], texts[6]) == (texts[1], texts[4])
        assert len(set(texts.values())) == 4
        for target in (2, 1, 5, 4):
            release = await lifecycle.rollback("trip", target, wait_options=NO_WAIT)
            assert read(release.revision) == texts[target]
        assert release.revision == 10

    tell(story)


def test_each_kind_stands_still_in_its_way(tell: Any, kubectl: Kubectl) -> None:
    kinds = "deployments,statefulsets,daemonsets,cronjobs,jobs"

    async def story(lifecycle: Lifecycle) -> None:
        system = compiled(lifecycle, ALL_KINDS, "still", volumes={"data": {}})
        identity = (await lifecycle.up(system, wait_options=NO_WAIT)).identity
        before = read_objects(kubectl, identity, kinds)
        others = "services,persistentvolumeclaims,poddisruptionbudgets,networkpolicies"
        kept = kubectl("get", others, "-n", identity.namespace, "-o", "name")
        paused = await lifecycle.pause("still", wait_options=QUICK)
        assert {service.name: service.why for service in paused.services} == dict.fromkeys(ALL_KINDS, "paused")
        assert kubectl("get", "pods", "-n", identity.namespace, "-o", "name") == ""
        assert kubectl("get", others, "-n", identity.namespace, "-o", "name") == kept
        after = read_objects(kubectl, identity, kinds)
        assert [after[name]["spec"]["replicas"] for name in ("web", "db")] == [0, 0]
        assert [after[name]["spec"]["suspend"] for name in ("once", "night")] == [True, True]
        assert after["agent"]["status"]["desiredNumberScheduled"] == 0
        assert after["once"]["metadata"]["name"] == before["once"]["metadata"]["name"]
        assert after["once"]["metadata"]["uid"] != before["once"]["metadata"]["uid"]  # what ran is gone
        await lifecycle.resume("still", wait_options=NO_WAIT)
        again = read_objects(kubectl, identity, kinds)
        assert {name: dict(obj["spec"]) for name, obj in again.items() if name != "once"} == {
            name: dict(obj["spec"]) for name, obj in before.items() if name != "once"
        }
        assert not again["once"]["spec"].get("suspend")

    tell(story)


def test_a_finished_job_stays_finished(tell: Any, shared: str, kubectl: Kubectl) -> None:
    services = {"once": {"image": "busybox", "command": "true", "deploy": {"mode": "replicated-job"}}}

    async def story(lifecycle: Lifecycle) -> None:
        release = await lifecycle.up(compiled(lifecycle, services, "done"), wait_options=QUICK)
        before = read_objects(kubectl, release.identity, "jobs")["once"]
        paused = await lifecycle.pause("done", wait_options=QUICK)
        assert [(service.done, service.why) for service in paused.services] == [(True, "")]
        await lifecycle.resume("done", wait_options=QUICK)
        after = read_objects(kubectl, release.identity, "jobs")["once"]
        assert (after["metadata"]["uid"], after["status"]["succeeded"]) == (before["metadata"]["uid"], 1)

    tell(story, shared)


def test_a_chart_of_before_says_what_to_do(tell: Any, shared: str) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        system = compiled(lifecycle, {"web": {"image": "nginx:1"}}, "older")
        chart = system.artifact
        assert isinstance(chart, Chart)
        files = {**chart.files, "values.yaml": str(chart.files["values.yaml"]).replace("\npaused: false\n", "\n")}
        await lifecycle.up(replace(system, artifact=replace(chart, files=files)), wait_options=QUICK)
        for verb in (
            lifecycle.pause("older", wait_options=QUICK),
            lifecycle.stop("older", ["web"], wait_options=QUICK),
        ):
            with pytest.raises(Conflict, match="older was started by a Tycho whose charts cannot stand still") as error:
                await verb
            assert "run `tycho up` of older first" in error.value.hint
        await lifecycle.up(system, wait_options=QUICK)
        assert (await lifecycle.pause("older", wait_options=QUICK)).state == "paused"

    tell(story, shared)


def test_a_service_in_the_pod_of_another_goes_with_it(tell: Any, shared: str) -> None:
    services = {"web": {"image": "nginx:1"}, "side": {"image": "busybox", "network_mode": "service:web"}}

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, services, "pair"), wait_options=QUICK)
        with pytest.raises(UsageError, match="side runs in the pod of another service"):
            await lifecycle.stop("pair", ["side"], wait_options=QUICK)
        with pytest.raises(UsageError) as error:
            await lifecycle.scale("pair", {"side": 2}, wait_options=QUICK)
        assert [problem.path for problem in error.value.problems] == ["services.side.replicas"]
        stopped = await lifecycle.stop("pair", ["web"], wait_options=QUICK)
        assert [service.why for service in stopped.services] == ["stopped"]

    tell(story, shared)
