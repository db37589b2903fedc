"""A system under proof: started, changed, asked and removed as its user would."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from tests.e2e.node import Node
from tests.e2e.room import ROOM

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]


def eventually(ask: Callable[[], T], seconds: float = 60, interval: float = 0.3) -> T:
    """Ask until the answer is true, and give it; an answer that never comes fails with the last one."""
    end = time.monotonic() + seconds
    while True:
        try:
            if answer := ask():
                return answer
            last: object = answer
        except (AssertionError, OSError, http.client.HTTPException) as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"not so in {seconds:g} s; the last answer was: {last}")
        time.sleep(interval)


@dataclass(slots=True)
class System:
    """One system of a scenario.

    Args:
        node: Where it runs.
        folder: The scenario's files; its own copy, to be changed at will.
        name: The project's name.
        namespace: To share; "" gives it its own.
        code: Where the program is that runs it.
        release: What the last `up` said of it.
        others: Further systems that the scenario made.
    """

    node: Node
    folder: Path
    name: str
    namespace: str = ""
    code: Path = ROOT
    release: Json = field(default_factory=dict)
    others: list[System] = field(default_factory=list)

    def beside(self, name: str, namespace: str = "") -> System:
        """Another system of the same files."""
        folder = self.folder.with_name(f"{self.folder.name}-{name}")
        shutil.copytree(self.folder, folder)
        other = System(self.node, folder, f"{self.name}-{name}", namespace, self.code)
        self.others.append(other)
        return other

    def tycho(self, *words: str, env: Mapping[str, str] | None = None, ok: bool = True) -> str:
        """What a command of the real program says: stdout when it must succeed, stderr when it must not."""
        done = self.run(*words, env=env)
        assert (done.returncode == 0) == ok, f"tycho {' '.join(words)} ends with {done.returncode}:\n{done.stderr}"
        return done.stdout if ok else done.stderr

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the real program, however it ends."""
        paths = f"{ROOM / 'bin'}:/usr/bin:/bin"
        own = {"PATH": paths, "HOME": os.environ["HOME"], "KUBECONFIG": str(self.node.kubeconfig), **(env or {})}
        own |= {"TYCHO_NAMESPACE": self.namespace, "PYTHONPATH": str(self.code)}
        argv = [sys.executable, "-m", "tycho", *words]
        return subprocess.run(argv, cwd=self.folder, env=own, check=False, capture_output=True, text=True, timeout=400)

    def exec(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """`tycho exec` in this system, with input; however it ends."""
        own = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "KUBECONFIG": str(self.node.kubeconfig)}
        argv = [sys.executable, "-m", "tycho", "exec", "--id", self.guid, *words]
        return subprocess.run(
            argv, cwd=self.folder, env={**own, "PYTHONPATH": str(self.code)}, check=False, capture_output=True,
            text=True, input=stdin, timeout=120,
        )  # fmt: skip

    def up(self, *words: str, env: Mapping[str, str] | None = None) -> Json:
        """`tycho up`, which must succeed."""
        try:
            stdout = self.tycho("up", "--name", self.name, "-q", "-o", "json", "--timeout", "180", *words, env=env)
        except AssertionError:
            self.find()
            raise
        self.release = json.loads(stdout)[0]
        return self.release

    def fails(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        """`tycho up`, which must fail; what it says."""
        stderr = self.tycho("up", "--name", self.name, "-q", "--timeout", "120", *words, env=env, ok=False)
        self.find()
        return stderr

    def find(self) -> None:
        """Know the system that was started in another way, or came to nothing."""
        known = json.loads(self.tycho("status", "-o", "json"))
        self.release = next((release for release in known if release["name"] == self.name), self.release)

    def down(self, *words: str) -> None:
        """`tycho down`; nothing of the system may be left."""
        space, guid = self.space, self.guid
        self.tycho("down", guid, *words)
        self.release = {}
        kinds = "deployments,statefulsets,daemonsets,jobs,cronjobs,pods,services,secrets,configmaps,roles,rolebindings"
        kinds += ",serviceaccounts,networkpolicies" + ("" if "--keep-volumes" in words else ",persistentvolumeclaims")
        left = self.node.kubectl("-n", space, "get", kinds, "-o", "name", "-l", f"tycho-guid={guid}")
        assert left == "", f"left behind: {left}"
        if not self.namespace and not words:
            assert not self.node.kubectl("get", "namespace", space, "--ignore-not-found", "-o", "name")

    @property
    def guid(self) -> str:
        """Its GUID."""
        return str(self.release["sid"])

    @property
    def space(self) -> str:
        """Its namespace."""
        return self.release["namespace"]

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Ask kubectl about its namespace."""
        return self.node.kubectl("-n", self.space, *words, stdin=stdin)

    def helm(self, *words: str) -> str:
        """What Helm itself says; it must succeed."""
        argv = [self.node.programs["helm"], f"--kubeconfig={self.node.kubeconfig}", *words]
        done = subprocess.run(argv, cwd=self.folder, check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"helm {' '.join(words)}: {done.stderr}"
        return done.stdout

    def get(self, kind: str, service: str = "") -> list[Json]:
        """Its objects of a kind; those of one service, when it is said."""
        labels = f"app.kubernetes.io/instance={self.release['release']}"
        labels += f",app.kubernetes.io/component={service}" if service else ""
        return json.loads(self.kubectl("get", kind, "-l", labels, "-o", "json"))["items"]

    def pods(self, service: str) -> list[Json]:
        """The pods of a service that nobody is removing, the oldest first."""
        living = [pod for pod in self.get("pods", service) if "deletionTimestamp" not in pod["metadata"]]
        return sorted(living, key=lambda pod: pod["metadata"]["creationTimestamp"])

    def names(self, service: str) -> list[str]:
        """The names of its pods."""
        return sorted(pod["metadata"]["name"] for pod in self.pods(service))

    def sh(self, service: str, script: str, pod: str = "", container: str = "") -> str:
        """What a shell in a service's container says, without the last newline."""
        pod = pod or self.names(service)[0]
        chosen = ["-c", container] if container else []
        return self.kubectl("exec", pod, *chosen, "--", "sh", "-c", script).rstrip("\n")

    def logs(self, service: str) -> str:
        """What all pods of a service wrote."""
        return "".join(self.kubectl("logs", name, "--all-containers") for name in self.names(service))

    def address(self, service: str, target: int | None = None) -> tuple[str, int]:
        """Where a service answers outside."""
        for service_status in json.loads(self.tycho("status", self.guid, "-o", "json"))[0]["services"]:
            for end in service_status["endpoints"]:
                if service_status["name"] == service and target in (None, end["target"]):
                    return end["ip_address"], end["port"]
        raise AssertionError(f"{service} publishes nothing")

    def http(self, service: str, path: str = "/", method: str = "GET", body: str | None = None) -> tuple[int, str]:
        """An answer of its published port: status and text."""
        return fetch(self.address(service), path, method, body)

    def page(self, service: str, path: str = "/") -> str:
        """The text behind its published port."""
        status, text = self.http(service, path)
        assert status == http.client.OK, f"{status}: {text}"
        return text

    def replace(self, service: str) -> None:
        """Delete its pods, and wait for others."""
        old = self.names(service)
        self.kubectl("delete", "pod", "--wait=false", *old)
        eventually(lambda: self.ready(service) and not set(self.names(service)) & set(old))

    def ready(self, service: str) -> bool:
        """Whether all of its pods are ready, and there is one."""
        states = [
            condition["status"]
            for pod in self.pods(service)
            for condition in pod["status"].get("conditions", ())
            if condition["type"] == "Ready"
        ]
        return bool(states) and set(states) == {"True"}


def fetch(address: tuple[str, int], path: str = "/", method: str = "GET", body: str | None = None) -> tuple[int, str]:
    """One HTTP request over a connection of its own."""
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@dataclass(slots=True)
class Load:
    """Requests without a pause, in the background.

    Args:
        address: Who is asked.
        path: Of what.
        answers: What was said, in order; an error's text when nothing was.
    """

    address: tuple[str, int]
    path: str = "/"
    answers: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._run) for _ in range(3)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                status, text = fetch(self.address, self.path)
                self.answers.append(text if status == http.client.OK else f"failed: {status} {text}")
            except (OSError, http.client.HTTPException) as error:
                self.answers.append(f"failed: {error!r}")
            time.sleep(0.005)

    @property
    def failed(self) -> list[str]:
        """What went wrong."""
        return [answer for answer in self.answers if answer.startswith("failed")]
