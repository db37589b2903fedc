"""Tycho on the real node, as the other side."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.behaviour.project import Json, Project
from tests.behaviour.sides import Container, Published, restarting
from tests.e2e.node import Node
from tests.e2e.system import System
from tycho.chart.names import label
from tycho.errors import OrchestratorError

POLICIES = "policies"  # the folder of a system's own policies, where it has any
COMPLETED = ("Completed", "Error", "OOMKilled", "ContainerCannotRun", "StartError")


def policies(folder: Path) -> list[str]:
    """Name the policies of a system that needs rights which are granted by the operator alone."""
    return ["--policies", POLICIES] if (folder / POLICIES).is_dir() else []


def _services(pod: Json) -> list[Json]:
    """The containers of a pod that are services: one that others of the pod start after is a sidecar."""
    init = pod["spec"].get("initContainers", ())
    return [*(spec for spec in init if spec.get("restartPolicy") == "Always"), *pod["spec"]["containers"]]


@dataclass(slots=True)
class KubernetesSide:
    """A system on the node.

    Args:
        system: It, as the node's tests know one.
        names: The service of each container: a container's name is a DNS label.
    """

    system: System
    names: Mapping[str, str]
    outside: str = "outside"  # the network that a caller stands in

    @classmethod
    def of(cls, node: Node, folder: Path, project: Project, code: Path) -> KubernetesSide:
        """Make one of a folder, run by the program that lies at a path."""
        names = {label(service): service for service in project.tree["services"]}
        return cls(System(node, folder, project.name, code=code), names)

    @property
    def _pods(self) -> str:
        """Where its pods are."""
        return f"/api/v1/namespaces/{self.system.space}/pods"

    def up(self) -> str:
        """Start it, or change it; "" when that succeeded, else what was said."""
        words = ("up", "--name", self.system.name, "-q", "-o", "json", "--timeout", "120")
        try:
            self.system.release = json.loads(self.system.tycho(*words, *policies(self.system.folder)))[0]
        except AssertionError as error:
            self._look()
            return str(error)
        return ""

    def _look(self) -> None:
        known = json.loads(self.system.tycho("status", "-o", "json"))
        mine = [release for release in known if release["name"] == self.system.name]
        self.system.release = mine[0] if mine else {}

    def restart(self) -> None:
        """Replace every pod."""
        self.system.tycho("restart", "--name", self.system.name, "--timeout", "120")

    def down(self, *, volumes: bool) -> None:
        """Remove it, and its volumes if so wanted."""
        if self.system.release:
            self.system.tycho("down", self.system.guid, *([] if volumes else ["--keep-volumes"]))
            self.system.release = {}

    def containers(self) -> list[Container]:
        """Look at every container of it that nobody is removing."""
        if not self.system.release:
            return []
        selector = quote(f"app.kubernetes.io/instance={self.system.release['release']}")
        pods = self.system.node.api.request("GET", f"{self._pods}?labelSelector={selector}")["items"]
        return [
            self._container(pod, spec, status)
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"]
            for spec in _services(pod)
            for status in (*pod["status"].get("initContainerStatuses", ()), *pod["status"].get("containerStatuses", ()))
            if status["name"] == spec["name"]
        ]

    def _container(self, pod: Json, spec: Json, status: Json) -> Container:
        state, detail = next(iter(status["state"].items()))
        reason = detail.get("reason", "")
        name = {"running": "running", "terminated": "exited", "waiting": "created"}[state]
        if reason == "CrashLoopBackOff":
            name = "restarting"
        last = status.get("lastState", {}).get("terminated", {})
        health = "healthy" if status["ready"] else "unhealthy"
        return Container(
            service=self.names.get(status["name"], status["name"]),
            identity=f"{pod['metadata']['name']}/{status['name']}",
            generated=pod["metadata"]["name"],
            state=name,
            exit_code=None if state == "running" else detail.get("exitCode", last.get("exitCode")),
            restarts=status["restartCount"],
            health=health if "readinessProbe" in spec and state == "running" else "",
        )

    def execute(self, container: Container, *words: str) -> str:
        """Run a program in a container, and give what it prints."""
        pod, _, name = container.identity.partition("/")
        return self.system.kubectl("exec", pod, "-c", name, "--", *words)

    def logs(self, container: Container) -> str:
        """Read what a container printed."""
        pod, _, name = container.identity.partition("/")
        try:
            return self.system.node.api.stream(f"{self._pods}/{pod}/log", container=name).read().decode()
        except OrchestratorError:  # it has not started yet
            return ""

    def last_words(self, containers: list[Container]) -> Iterator[tuple[Container, str]]:
        """Remove it, and give what each container printed, to its end; logs go with their pods, and are followed."""
        tails = []
        for container in containers:
            pod, _, name = container.identity.partition("/")
            argv = [self.system.node.programs["kubectl"], f"--kubeconfig={self.system.node.kubeconfig}",
                    "-n", self.system.space, "logs", "-f", pod, "-c", name]  # fmt: skip
            tails.append((container, subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)))
        for _, tail in tails:
            assert tail.stdout
            tail.stdout.readline()  # it follows now
        self.down(volumes=True)
        for container, tail in tails:
            yield container, tail.communicate(timeout=60)[0]

    def published(self) -> list[Published]:
        """Where it answers outside."""
        if not self.system.release:
            return []
        status = json.loads(self.system.tycho("status", self.system.guid, "-o", "json"))[0]
        return [
            Published(service["name"], end["target"], "", end["ip_address"], end["port"])
            for service in status["services"]
            for end in service["endpoints"]
        ]

    @staticmethod
    def is_settled(container: Container) -> bool:
        """Tell whether a container is where it will stay."""
        return container.state in ("running", "exited") or restarting(container)
