"""How soon a user sees a change, beside thousands of other systems: from the patch of a pod's status to the line.

The cluster has its API server alone while this runs: what controllers would make is made here, and nothing but the
patches that are timed changes anything.
"""

from __future__ import annotations

import asyncio
import os
import queue
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench._releases import COUNT, NAMESPACES, SERVICES, fill, for_each, make_guid, name_namespace, name_release
from bench.timing import judged
from bench.traffic import Replica
from tycho import localcluster
from tycho.client import TychoClient
from tycho.kinds import DEPLOYMENT, POD, REPLICA_SET, SERVICE_ACCOUNT
from tycho.kube.client import KubeClient

TYCHO = str(Path(sys.executable).with_name("tycho"))
MOST = 1.0  # seconds from the change to the line
SAMPLES = 12
PATIENCE = 30.0  # seconds for a line that does not come
FIRST = 120.0  # seconds for the first line: all systems are listed before it
CONTROLLERS = ("kube-controller-manager", "kube-scheduler", "kwok-controller")
NUMBER = COUNT // 2  # of the system that is followed; its last service is never ready
MERGE = {"Content-Type": "application/merge-patch+json"}
PROBE = {"tcpSocket": {"port": 8080}}  # who has one counts at once, without having run for a while
LONG_AGO = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z")
Body = dict[str, Any]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "clusters")
        cluster = localcluster.create("bench", provider="native", home=home, progress=lambda line: None)
        try:
            for name in CONTROLLERS:
                os.kill(cluster.processes[name], signal.SIGKILL)
            begun = time.monotonic()
            fill(cluster.kubeconfig, folder)
            asyncio.run(_run_pods(cluster.kubeconfig))
            print(f"     {COUNT} systems of {SERVICES} services with pods: {time.monotonic() - begun:.0f} s")
            os.environ["KUBECONFIG"] = str(cluster.kubeconfig)
            with closing(KubeClient(str(cluster.kubeconfig))) as api:
                return _measure(api, cluster.kubeconfig, folder)
        finally:
            localcluster.delete("bench", home=home)


def _measure(api: KubeClient, kubeconfig: Path, folder: str) -> int:
    followed = Followed(api, name_namespace(NUMBER), f"{name_release(NUMBER)}-s0")
    guid = make_guid(NUMBER)
    late = 0
    with _command("status", "--watch") as process:
        late += _report("tycho status --watch", followed, Heard(process.stdout), guid)
    with _command("status", "--watch", guid) as process:
        late += _report("tycho status --watch ID", followed, Heard(process.stdout), guid)
    with _command("wait", guid, "--timeout", "600") as process:
        late += _report("tycho wait ID", followed, Heard(process.stderr), "s0: ")
    late += _measure_up(api, folder)
    replica = Replica(kubeconfig)
    try:
        events = (f"{event.service}: {event}" for event in TychoClient(replica.url).watch(guid))
        late += _report("GET /system/{id}/events", followed, Heard(events), "s0: ")
        with _command("status", "--watch", "--service", replica.url) as process:
            late += _report("tycho status --watch --service", followed, Heard(process.stdout), guid)
    finally:
        asyncio.run(replica.end(signal.SIGTERM))
    return late


def _measure_up(api: KubeClient, folder: str) -> int:
    """Follow a start: helm makes its Deployments, and here they get their pods."""
    file = Path(folder, "compose.yaml")
    file.write_text("name: followed\nservices: {s0: {image: 'nginx:1'}, s1: {image: 'nginx:1'}}\n")
    with _command("up", "-f", str(file), "--timeout", "600") as process:
        heard = Heard(process.stderr)
        heard.wait_for("s0: ", FIRST)
        selector = {"labelSelector": "app.kubernetes.io/component=s0,executor=tycho"}
        items = api.request("GET", DEPLOYMENT.path(), query=selector)["items"]
        (made,) = [each for each in items if not _name(each).startswith("bench-")]
        asyncio.run(_start_pod(api, made))
        followed = Followed(api, made["metadata"]["namespace"], made["metadata"]["name"])
        return _report("tycho up", followed, heard, "s0: ")


async def _start_pod(api: KubeClient, deployment: Body) -> None:
    await api.create(SERVICE_ACCOUNT.path(deployment["metadata"]["namespace"]), {"metadata": {"name": "default"}})
    await _run_pod(api, deployment, ready=True)


class Heard:
    """Lines as they come, with the moment of each.

    Args:
        lines: What is read, in a thread of its own.
    """

    def __init__(self, lines: Iterable[str] | None) -> None:
        assert lines is not None
        self._lines: queue.Queue[tuple[float, str]] = queue.Queue()
        self._last = ""
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def _read(self, lines: Iterable[str]) -> None:
        try:
            for line in lines:
                self._lines.put((time.monotonic(), line))
        except (OSError, ValueError):  # whoever wrote them was ended
            pass

    def wait_for(self, part: str, seconds: float) -> float:
        """Wait for a line with a text in it; return its moment."""
        end = time.monotonic() + seconds
        while True:
            try:
                moment, self._last = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise SystemExit(f"no line with {part!r} came in {seconds:g} s; the last was {self._last!r}") from None
            if part in self._last:
                return moment

    def forget(self) -> None:
        """Let go of what was heard by now."""
        while not self._lines.empty():
            self._lines.get()


class Followed:
    """The pod that changes, between ready and not.

    Args:
        api: The cluster.
        namespace: The pod's.
        name: The pod's.
    """

    def __init__(self, api: KubeClient, namespace: str, name: str) -> None:
        self._api, self._path, self._name = api, POD.path(namespace, name), name
        self._ready = True

    def change(self) -> float:
        """Change it; return when that was asked for."""
        self._ready = not self._ready
        began = time.monotonic()
        self._api.request("PATCH", f"{self._path}/status", _pod_status(self._name, ready=self._ready), headers=MERGE)
        return began


def _report(name: str, followed: Followed, heard: Heard, part: str) -> int:
    """Change a pod again and again, wait for the line each time, and judge median and worst."""
    times = []
    heard.wait_for(part, FIRST)
    for _ in range(SAMPLES):
        time.sleep(random.uniform(1, 2))  # the phase of whatever looks now and then is any
        heard.forget()
        began = followed.change()
        times.append(heard.wait_for(part, PATIENCE) - began)
    print(f"     {name}, {SAMPLES} changes: {' '.join(f'{each:.2f}' for each in sorted(times))} s")
    return judged(f"{name}: median", statistics.median(times), MOST) + judged("its worst", max(times), MOST)


@contextmanager
def _command(*words: str) -> Iterator[subprocess.Popen[str]]:
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [TYCHO, *words], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def _run_pods(kubeconfig: Path) -> None:
    """Give every Deployment its pod, as controllers would, and let all run but the last of the followed system."""
    waiting = f"{name_release(NUMBER)}-s{SERVICES - 1}"
    api = KubeClient(str(kubeconfig))
    try:
        for number in range(NAMESPACES):
            await api.create(SERVICE_ACCOUNT.path(name_namespace(number)), {"metadata": {"name": "default"}})
        made = await api.list(DEPLOYMENT.path(), labelSelector="executor=tycho")
        await for_each(made, lambda deployment: _run_pod(api, deployment, ready=_name(deployment) != waiting))
    finally:
        api.close()


async def _run_pod(api: KubeClient, deployment: Body, *, ready: bool) -> None:
    """Make a Deployment's ReplicaSet and its pod, which have its name, and their statuses."""
    metadata, template = deployment["metadata"], deployment["spec"]["template"]
    name, namespace, labels = metadata["name"], metadata["namespace"], template["metadata"]["labels"]
    same = {"name": name, "namespace": namespace, "labels": labels}
    replicas = await api.create(REPLICA_SET.path(namespace), {
        "metadata": {**same, "ownerReferences": [_own("Deployment", metadata)]},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    })  # fmt: skip
    await api.create(POD.path(namespace), {
        "metadata": {**same, "ownerReferences": [_own("ReplicaSet", replicas["metadata"])]},
        "spec": {**template["spec"], "nodeName": "simulated", "containers": [
            {**each, "readinessProbe": PROBE} for each in template["spec"]["containers"]]},
    })  # fmt: skip
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    status = {"status": {"observedGeneration": metadata["generation"], **counts}}
    await api.call("PATCH", f"{DEPLOYMENT.path(namespace, name)}/status", status, headers=MERGE)
    if ready:
        await api.call("PATCH", f"{POD.path(namespace, name)}/status", _pod_status(name, ready=True), headers=MERGE)


def _own(kind: str, owner: Body) -> Body:
    return {"apiVersion": "apps/v1", "kind": kind, "name": owner["name"], "uid": owner["uid"], "controller": True}


def _name(obj: Body) -> str:
    return str(obj["metadata"]["name"])


def _pod_status(name: str, *, ready: bool) -> Body:
    container = name.rpartition("-")[2]
    return {
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": LONG_AGO}],
            "containerStatuses": [{
                "name": container, "ready": ready, "restartCount": 0, "image": "registry.example/app:1", "imageID": "",
                "state": {"running": {"startedAt": LONG_AGO}}}],
        }
    }  # fmt: skip
