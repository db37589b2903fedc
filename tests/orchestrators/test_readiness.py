"""When a service is ready: pods and EndpointSlices as the API server shows them, and looks that follow each other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.orchestrators.test_workloads import DEPLOYMENT, NEW, NOW, OLD, Json, ago, counts, made, running
from tycho.errors import UsageError
from tycho.kube.clock import Clock
from tycho.kube.endpoint_slices import ABSENT, REPLACED
from tycho.kube.readiness import LAG, measure_lag
from tycho.orchestrators.helm.observer import FOLLOWING, FOLLOWS, Observer
from tycho.orchestrators.helm.workloads import ClusterSnapshot, statuses
from tycho.release import Identity, Release, ServiceStatus
from tycho.settings import settings

ROLLED_OUT = {**DEPLOYMENT, "status": counts(1, 1, 1, 1)}
ENDED = {"exitCode": 3, "message": "no db\nlast words", "finishedAt": ago(30)}
IDENTITY = Identity(guid="0" * 32, name="r", release="r", namespace="n")


def started(age: float, *, restarts: int = 0, probed: bool = False, shown: float | None = None, **more: Any) -> Json:
    """A pod that Kubernetes calls ready, with a container that started so many seconds ago."""
    pod = running()
    (web,) = pod["status"]["containerStatuses"]
    web |= {"restartCount": restarts, "state": {"running": {"startedAt": ago(age)}}, **more}
    if shown is not None:
        pod["metadata"]["managedFields"] = [{"subresource": "status", "time": ago(shown)}, {"time": ago(0)}]
    pod["spec"] = {"containers": [{"name": "web", **({"readinessProbe": {}} if probed else {})}]}
    return pod


def look(*pods: Json, quiet: float = 2.0, **parts: Any) -> ClusterSnapshot:
    return ClusterSnapshot(workloads=(ROLLED_OUT,), replicasets=(OLD, NEW), pods=pods, now=NOW, quiet=quiet, **parts)


def status_of(seen: ClusterSnapshot) -> ServiceStatus:
    (judged,) = statuses(seen, "r", "n")
    return judged


@pytest.mark.parametrize(
    ("pod", "quiet", "ready"),
    [
        pytest.param(started(10), 2.0, True, id="has run for a while"),
        pytest.param(started(1), 2.0, False, id="has just started"),
        # It may have started at the end of that second, and have ended in this one: nobody would know yet.
        pytest.param(started(3.9), 2.0, False, id="times leave out a fraction, and kubelets are late"),
        pytest.param(started(4), 2.0, True, id="surely long enough"),
        pytest.param(started(9, shown=2), 2.0, False, id="its kubelet is slow, and would tell of its end as late"),
        pytest.param(started(9, shown=3), 2.0, True, id="surely long enough, its kubelet being slow"),
        pytest.param(started(70, shown=3), 2.0, True, id="that its status was written says nothing of its start"),
        pytest.param(started(1, probed=True), 2.0, True, id="a probe speaks for it"),
        pytest.param(started(0), 0.0, True, id="switched off"),
        pytest.param(started(4, restarts=3), 2.0, True, id="runs again for a while"),
        pytest.param(started(1, restarts=3), 2.0, False, id="was started again"),
        pytest.param(started(10, state={"waiting": {"reason": "CrashLoopBackOff"}}), 2.0, False, id="between two"),
        pytest.param(started(10, state={"terminated": ENDED}), 0.0, False, id="has just ended"),
        # The clock of its node is behind: a container cannot be older than its pod.
        pytest.param(started(70) | {"metadata": {**started(1)["metadata"], "creationTimestamp": ago(1)}}, 2.0, False,
                     id="older than its pod"),
        pytest.param(started(-5), 2.0, False, id="of a node whose clock is ahead"),
        pytest.param(started(-5, shown=4), 2.0, True, id="its clock is ahead, and it told of it a while ago"),
        pytest.param(started(-5, shown=3), 2.0, False, id="its clock is ahead, and it told of it just now"),
    ],
)  # fmt: skip
def test_pod_is_ready(pod: Json, quiet: float, ready: bool) -> None:
    status = status_of(look(pod, quiet=quiet))
    assert (status.done, status.ready) == (ready, int(ready))


def test_a_deployment_lags_behind_its_pods() -> None:
    """Its status counts a pod that has ended since, and one that is not there any more."""
    assert not status_of(look(started(10, state={"terminated": ENDED}))).done
    assert not status_of(look()).done
    of_before = started(10) | {
        "metadata": {**started(10)["metadata"], "ownerReferences": [{"uid": OLD["metadata"]["uid"]}]}
    }
    assert not status_of(look(of_before)).done


def test_one_container_of_two() -> None:
    pod = started(10)
    pod["status"]["containerStatuses"].append({"name": "other", "state": {"running": {"startedAt": ago(1)}}})
    status = status_of(look(pod))
    assert (status.done, status.why) == (False, "started; ready once it has run for 2 s")


def test_a_slow_kubelet_is_slow_for_all() -> None:
    """What one pod shows of the lag holds for its neighbours."""
    slow = started(20, shown=15)
    slow["metadata"]["uid"] = "Pod/slow"
    slow["metadata"]["ownerReferences"] = []
    assert status_of(look(started(6))).done
    assert not status_of(look(started(6), slow)).done
    assert status_of(look(started(7), slow)).done


def test_restarts_stay_in_sight() -> None:
    status = status_of(look(started(10, restarts=3, lastState={"terminated": ENDED})))
    assert (status.done, status.restarts) == (True, 3)
    assert status.why == 'restarted 3 times: exit 3 "last words"'
    again = status_of(look(started(1, restarts=1, lastState={"terminated": {"exitCode": 0}})))
    assert (again.done, again.why) == (False, "restarted once: exit 0")
    assert status_of(look(started(10))).why == ""


def test_containers_that_wait_for_others_do_not_count() -> None:
    pod = started(10)
    waited = {"name": "await-db", "ready": True, "restartCount": 2, "state": {"terminated": {"exitCode": 0}}}
    pod["status"]["initContainerStatuses"] = [waited | {"lastState": {"terminated": ENDED}}]
    status = status_of(look(pod))
    assert (status.done, status.restarts, status.why) == (True, 0, "")


def test_what_never_runs_is_known_at_once() -> None:
    last = {"exitCode": 128, "reason": "StartError", "message": 'exec: "x": executable file not found in $PATH'}
    back_off = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    status = status_of(look(started(1, restarts=1, state=back_off, lastState={"terminated": last})))
    assert (status.why, status.fatal, status.log) == ('cannot run "x": not found in the image', True, ())


def called(*uids: str, service: str = "web", **conditions: bool) -> Json:
    """An EndpointSlice."""
    endpoints = [
        {"conditions": {"ready": True, **conditions}, "targetRef": {"kind": "Pod", "uid": uid}} for uid in uids
    ]
    return made("EndpointSlice", f"{service}-1", labels={"kubernetes.io/service-name": service}, endpoints=endpoints)


SERVICE = made("Service", "web", spec={"selector": {"app.kubernetes.io/component": "web"}})


@pytest.mark.parametrize(
    ("slices", "why"),
    [
        pytest.param((called("Pod/p"),), "", id="the pod"),
        pytest.param((called("Pod/p"), called("Pod/old")), REPLACED, id="a replaced pod, too"),
        pytest.param((called("Pod/p"), called("Pod/old", ready=False)), "", id="a replaced pod that is not called"),
        pytest.param((called("Pod/p"), called("Pod/old", terminating=True)), "", id="one that is called until it ends"),
        pytest.param((called(),), ABSENT, id="nobody yet"),
        pytest.param((), "", id="slices that nobody may read"),
        pytest.param((called("Pod/old", service="other"),), "", id="somebody else's"),
    ],
)
def test_endpoints(slices: tuple[Json, ...], why: str) -> None:
    status = status_of(look(started(10), services=(SERVICE,), slices=slices))
    assert (status.done, status.why) == (not why, why)


def judge(observer: Observer, seen: ClusterSnapshot, began: float = 0.0) -> ServiceStatus:
    """A look that took a tenth of a second."""
    (service,) = observer.judge(Release(identity=IDENTITY), replace(seen, began=began, ended=began + 0.1)).services
    return service


def test_looks_need_no_clock() -> None:
    """What was seen running by a look so long ago has run for so long, whatever times the node writes."""
    ahead = look(started(-3600))
    observer = Observer()
    assert not judge(observer, ahead, 100).done
    assert not judge(observer, ahead, 104).done
    assert judge(observer, ahead, 104.2).done
    again = look(started(-3601, restarts=1))
    assert not judge(observer, again, 105).done


@given(st.integers(0, 12), st.integers(0, 12), st.floats(0, 8), st.floats(0, 1, exclude_max=True))
def test_who_looks_next_sees_no_less(shown: int, more: int, sighted: float, later: float) -> None:
    """What a verb that waits has called ready is ready for one that has not looked before."""
    pod = started(shown + more, shown=shown)
    seen, observer = look(pod), Observer()
    judge(observer, seen, 100)
    # It cannot have been seen before it was shown.
    if judge(observer, seen, 100 + min(sighted, float(shown))).done:
        assert status_of(replace(seen, now=NOW + timedelta(seconds=later))).done


def became_ready(pod: Json, age: float) -> Json:
    """Give a pod the moment since which Kubernetes calls it ready."""
    pod["status"]["conditions"][0]["lastTransitionTime"] = ago(age)
    return pod


@pytest.mark.parametrize(
    ("pod", "ready"),
    [
        pytest.param(became_ready(started(20, shown=1), 20), True, id="it was ready long before that"),
        pytest.param(became_ready(started(9, shown=1), 9), True, id="as long as a slow kubelet may take"),
        pytest.param(became_ready(started(8, shown=1), 8), False, id="it may have been shown just now"),
        pytest.param(became_ready(started(5, shown=1), 60), False, id="that was before its present start"),
        pytest.param(became_ready(started(3600, shown=1), 3600), False, id="the node's clock is behind"),
    ],
)
def test_a_status_that_is_written_again(pod: Json, ready: bool) -> None:
    """What was ready is not called unready because its kubelet wrote of something else."""
    pod["metadata"]["creationTimestamp"] = ago(60)
    assert status_of(look(pod)).done is ready


def test_a_late_write_says_nothing_of_other_pods() -> None:
    other = started(20, shown=3)
    other["metadata"]["name"] = other["metadata"]["uid"] = "Pod/other"
    assert measure_lag([other], NOW) == LAG
    assert measure_lag([started(9, shown=3)], NOW) == 5


def test_nodes_get_a_moment_when_pods_were_replaced() -> None:
    seen = look(started(10), services=(SERVICE,), slices=(called("Pod/p"),))
    assert judge(Observer(), seen).done
    assert judge(Observer({"Pod/p": "web"}), seen).done
    assert judge(Observer({"Pod/of-another": "removed"}), seen).done
    observer = Observer({"Pod/old": "web"})
    status = judge(observer, seen, 100)
    assert (status.done, status.why) == (False, FOLLOWING)
    assert judge(observer, seen, 100.2 + FOLLOWS).done
    simulated = made("Node", notes={"kwok.x-k8s.io/node": "fake"})
    assert judge(Observer({"Pod/old": "web"}), replace(seen, nodes=(simulated,))).done


def test_the_clusters_clock() -> None:
    """Answers have no fraction of a second; the best of them is never ahead of the cluster's time."""
    clock = Clock(lambda: 0.0)  # this machine's time is far from it
    clock.learn("Thu, 01 Jan 2026 00:00:10 GMT", 100.9)  # truly 10.9
    assert clock.tell(100.9).timestamp() == pytest.approx(NOW.timestamp() + 10)
    clock.learn("Thu, 01 Jan 2026 00:00:11 GMT", 101.1)  # truly 11.1
    assert clock.tell(101.1).timestamp() == pytest.approx(NOW.timestamp() + 11)
    clock.learn("Thu, 01 Jan 2026 00:00:11 GMT", 101.8)
    clock.learn("", 102.0)
    clock.learn("nonsense", 102.0)
    assert clock.tell(102.1).timestamp() == pytest.approx(NOW.timestamp() + 12)
    clock.learn("Thu, 01 Jan 2026 00:00:30 GMT", 140.0)  # it was set back
    assert clock.tell(140.0).timestamp() == pytest.approx(NOW.timestamp() + 30)


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        pytest.param(0.0, 10.9, id="the same"),
        pytest.param(0.15, 11.05, id="within the second that the answer leaves open"),
        pytest.param(0.3, 10.0, id="ahead"),
        pytest.param(-0.95, 10.0, id="behind"),
    ],
)
def test_this_machines_time_is_the_clusters(ahead: float, expected: float) -> None:
    """One answer says which second it is; this machine's time says the rest where it agrees."""
    offset = NOW.timestamp() - 90.0 + ahead
    clock = Clock(lambda: offset)
    assert clock.tell(100.9).timestamp() == pytest.approx(NOW.timestamp() + 10.9 + ahead)
    clock.learn("Thu, 01 Jan 2026 00:00:10 GMT", 100.9)  # truly 10.9
    assert clock.tell(100.9).timestamp() == pytest.approx(NOW.timestamp() + expected)


@pytest.mark.parametrize(("text", "seconds"), [("", 2.0), ("0", 0.0), ("1.5", 1.5)])
def test_the_quiet_time_of_the_environment(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    monkeypatch.setenv("TYCHO_QUIET_TIME", text)
    assert settings().quiet_time == seconds


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_a_quiet_time_that_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TYCHO_QUIET_TIME", text)
    with pytest.raises(UsageError, match="TYCHO_QUIET_TIME is not a number of seconds"):
        settings()
