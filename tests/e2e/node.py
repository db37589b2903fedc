"""A cluster with a node that really runs containers, in the room that this process is in.

    control plane -> containerd -> images -> kubelet, kube-proxy -> CoreDNS

The control plane is the project's own, but for one thing: pods reach it, at the node's address.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests import processes as process
from tests.e2e import control_plane
from tests.e2e.agent import enforce
from tests.e2e.control_plane import ControlPlane
from tests.e2e.images import images
from tests.e2e.programs import programs
from tests.e2e.room import NODE, ROOM, group
from tycho.errors import OrchestratorError
from tycho.kube.client import KubeClient
from tycho.toolchain.files import Progress

CONFIG = Path(__file__).parent / "config"
SEARCH = f"PATH={ROOM / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin"  # runc, nft, iptables, mount
BALANCED = "10.90.0."  # addresses that the load balancer hands out


def _apiserver(plane: ControlPlane) -> Iterable[str]:
    pki = plane.folder / "pki"
    yield from control_plane.list_apiserver_options(plane)
    yield from ("--bind-address=0.0.0.0", f"--advertise-address={NODE}", "--endpoint-reconciler-type=lease")
    yield from (f"--kubelet-client-certificate={pki / 'admin.crt'}", f"--kubelet-client-key={pki / 'admin.key'}")
    yield "--kubelet-preferred-address-types=InternalIP"


def _controllers(plane: ControlPlane) -> Iterable[str]:
    yield from control_plane.list_controllers_options(plane)
    yield "--enable-hostpath-provisioner=true"


def _kubelet(plane: ControlPlane) -> Iterable[str]:
    yield from (f"--config={ROOM / 'config/kubelet.yaml'}", f"--kubeconfig={plane.kubeconfig}")
    yield from (f"--root-dir={ROOM / 'kubelet'}", "--hostname-override=node", f"--node-ip={NODE}")


COMMANDS: dict[str, Callable[[ControlPlane], Iterable[str]]] = {
    "etcd": control_plane.list_etcd_options,
    "kube-apiserver": _apiserver,
    "kube-controller-manager": _controllers,
    "kube-scheduler": control_plane.list_scheduler_options,
    "containerd": lambda _: [f"--config={ROOM / 'config/containerd.toml'}"],
    "kubelet": _kubelet,
    "kube-proxy": lambda _: [f"--config={ROOM / 'config/kube-proxy.yaml'}"],
}


@dataclass(slots=True)
class Node:
    """The cluster.

    Args:
        plane: Its control plane.
        programs: Every program, by name.
    """

    plane: ControlPlane
    programs: dict[str, Path]
    ended: threading.Event = field(default_factory=threading.Event)
    api: KubeClient = field(init=False)

    def __post_init__(self) -> None:
        self.api = KubeClient(str(self.kubeconfig))

    @property
    def kubeconfig(self) -> Path:
        """The way in."""
        return self.plane.kubeconfig

    def kubectl(self, *words: str, stdin: str | None = None, timeout: float = 120) -> str:
        """What kubectl says; it must succeed."""
        argv = [self.programs["kubectl"], f"--kubeconfig={self.kubeconfig}", *words]
        done = subprocess.run(argv, input=stdin, check=False, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def ctr(self, *words: str, check: bool = True) -> int:
        """Ask containerd about the cluster's own images and containers; the exit code."""
        argv = [self.programs["ctr"], f"--address={ROOM / 'containerd.sock'}", "--namespace=k8s.io", *words]
        return subprocess.run(argv, check=check, capture_output=True).returncode

    def import_images(self, archive: Path) -> None:
        """Take the images of an archive."""
        self.ctr("images", "import", str(archive))

    def stop(self) -> None:
        """End all of it; what runs in containers ends with the room."""
        self.ended.set()
        process.stop(reversed(list(self.plane.processes.values())))


def start(progress: Progress, runc: Path | None = None) -> Node:
    """Bring the cluster up.

    Args:
        progress: Told what takes time.
        runc: What runs containers; the machine's own by default.

    Raises:
        OrchestratorError: A program ends, or does not become ready.
    """
    paths = programs(progress)
    _bins({**paths, "runc": runc or Path(shutil.which("runc") or "/usr/sbin/runc")})
    plane = control_plane.prepare(ROOM / "clusters" / "node")
    known = {"@ROOM@": ROOM, "@STATE@": plane.folder, "@CGROUP@": group(), "@NODE@": NODE}
    for source in filter(Path.is_file, CONFIG.rglob("*")):
        text = source.read_text()
        for mark, value in known.items():
            text = text.replace(mark, str(value))
        target = ROOM / "config" / source.relative_to(CONFIG)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    node = Node(plane, paths)
    try:
        for name, arguments in COMMANDS.items():
            argv = ["/usr/bin/env", SEARCH, ROOM / "bin" / name, *arguments(plane)]
            started = process.start(argv, plane.folder / "log" / f"{name}.log")
            plane = node.plane = replace(plane, processes={**plane.processes, name: started})
            if name == "kube-apiserver":
                control_plane.await_program(plane, node.api.is_ready, name)
            if name == "containerd":
                control_plane.await_program(plane, (ROOM / "containerd.sock").exists, name)
                _import(node, progress)
        node.kubectl("apply", "-f", str(ROOM / "config/cluster.yaml"))
        control_plane.await_program(plane, lambda: _ready(node), "kubelet")
    except BaseException:
        node.stop()
        raise
    for duty in (_balance, enforce):
        threading.Thread(target=duty, args=(node,), daemon=True).start()
    return node


def _bins(paths: dict[str, Path]) -> None:
    """One folder with every program: containerd looks for its shim beside itself."""
    (ROOM / "bin").mkdir(parents=True, exist_ok=True)
    for name, path in paths.items():
        (ROOM / "bin" / name).symlink_to(path)


def _import(node: Node, progress: Progress) -> None:
    archive = images(node.programs, progress)
    assert process.until(lambda: not node.ctr("version", check=False), 30)
    node.import_images(archive)


def _ready(node: Node) -> bool:
    try:
        conditions = node.api.request("GET", "/api/v1/nodes/node")["status"].get("conditions", ())
        dns = node.api.request("GET", "/apis/apps/v1/namespaces/kube-system/deployments/coredns")
    except OrchestratorError:
        return False
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and dns["status"].get("readyReplicas") == 1


def _balance(node: Node) -> None:
    """Be the cloud's load balancer: each Service that asks for one gets an address that leads to it."""
    given: dict[str, str] = {}
    while not node.ended.wait(0.5):
        try:
            for service in node.api.request("GET", "/api/v1/services")["items"]:
                metadata = service["metadata"]
                if service["spec"]["type"] != "LoadBalancer" or service["status"]["loadBalancer"]:
                    continue
                address = given.setdefault(metadata["uid"], f"{BALANCED}{len(given) + 1}")
                path = f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}/status"
                status = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
                node.api.request("PATCH", path, status, headers={"Content-Type": "application/merge-patch+json"})
        except OrchestratorError:  # it went between the two questions, or all is ending
            continue
