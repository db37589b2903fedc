"""The programs of a control plane, for a node that really runs containers: what to start each of them with."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests import certificates
from tests.processes import Process, tail, until
from tycho.errors import OrchestratorError
from tycho.localcluster import native
from tycho.toolchain.files import private_folder, write_private

LOOPBACK = "127.0.0.1"
HOSTS = (LOOPBACK, "localhost", "10.96.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
         "kubernetes.default.svc.cluster.local")  # fmt: skip
ISSUER = "https://kubernetes.default.svc.cluster.local"
PATIENCE = 60.0  # seconds that a step may take before it counts as failed


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """A control plane of plain programs.

    Args:
        folder: Where everything of it is.
        ports: The ports of its programs.
        processes: Its programs, as they were started.
    """

    folder: Path
    ports: Mapping[str, int] = field(default_factory=dict)
    processes: Mapping[str, Process] = field(default_factory=dict)

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"


def prepare(folder: Path) -> ControlPlane:
    """Make folders, certificates and kubeconfigs, and choose ports."""
    private_folder(folder)
    pki, config = private_folder(folder / "pki"), private_folder(folder / "config")
    private_folder(folder / "log")
    for authority in ("ca", "etcd-ca"):
        certificates.authority(pki, authority)
    certificates.signing_key(pki, "sa")
    certificates.certificate(pki, "etcd", "etcd-ca", "etcd", hosts=(LOOPBACK,))
    certificates.certificate(pki, "etcd-client", "etcd-ca", "kube-apiserver")
    certificates.certificate(pki, "apiserver", "ca", "kube-apiserver", hosts=HOSTS)
    plane = ControlPlane(folder, dict(zip(("api", "etcd", "peer"), native.find_ports(3), strict=True)))
    for name, (user, group) in USERS.items():
        certificates.certificate(pki, name, "ca", user, group)
        path = plane.kubeconfig if name == "admin" else config / f"{name}.kubeconfig"
        pems = [(pki / file).read_bytes() for file in ("ca.crt", f"{name}.crt", f"{name}.key")]
        write_private(path, write_kubeconfig(f"https://{LOOPBACK}:{plane.ports['api']}", *pems))
    return plane


def write_kubeconfig(server: str, authority: bytes, certificate: bytes, key: bytes) -> bytes:
    encoded = [base64.b64encode(pem).decode() for pem in (authority, certificate, key)]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "node", "cluster": {"server": server, "certificate-authority-data": encoded[0]}}],
        "users": [{"name": "node", "user": {"client-certificate-data": encoded[1], "client-key-data": encoded[2]}}],
        "contexts": [{"name": "node", "context": {"cluster": "node", "user": "node"}}],
        "current-context": "node",
    }
    return yaml.safe_dump(config, sort_keys=False).encode()


USERS = {
    "admin": ("tycho-admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kwok": ("tycho-kwok", "system:masters"),
}


def list_etcd_options(plane: ControlPlane) -> Iterable[str]:
    pki = plane.folder / "pki"
    client, peer = (f"https://{LOOPBACK}:{plane.ports[port]}" for port in ("etcd", "peer"))
    yield from ("--name=node", f"--data-dir={plane.folder / 'etcd'}", "--logger=zap", "--log-level=warn")
    yield from (f"--listen-client-urls={client}", f"--advertise-client-urls={client}")
    yield from (f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}")
    yield from (f"--initial-cluster=node={peer}", "--unsafe-no-fsync")
    for kind in ("", "peer-"):  # whoever shares the machine must not read Secrets here
        yield from (f"--{kind}cert-file={pki / 'etcd.crt'}", f"--{kind}key-file={pki / 'etcd.key'}")
        yield from (f"--{kind}trusted-ca-file={pki / 'etcd-ca.crt'}", f"--{kind}client-cert-auth")


def list_apiserver_options(plane: ControlPlane) -> Iterable[str]:
    pki = plane.folder / "pki"
    yield from (f"--bind-address={LOOPBACK}", f"--secure-port={plane.ports['api']}")
    yield from (f"--advertise-address={LOOPBACK}", "--endpoint-reconciler-type=none")
    yield from (f"--etcd-servers=https://{LOOPBACK}:{plane.ports['etcd']}", f"--etcd-cafile={pki / 'etcd-ca.crt'}")
    yield from (f"--etcd-certfile={pki / 'etcd-client.crt'}", f"--etcd-keyfile={pki / 'etcd-client.key'}")
    yield from (f"--tls-cert-file={pki / 'apiserver.crt'}", f"--tls-private-key-file={pki / 'apiserver.key'}")
    yield from (f"--client-ca-file={pki / 'ca.crt'}", "--authorization-mode=Node,RBAC", "--profiling=false")
    yield from (f"--service-account-issuer={ISSUER}", f"--service-account-key-file={pki / 'sa.pub'}")
    yield from (f"--service-account-signing-key-file={pki / 'sa.key'}", "--service-cluster-ip-range=10.96.0.0/16")
    yield "--allow-privileged=true"


def list_controllers_options(plane: ControlPlane) -> Iterable[str]:
    pki, config = plane.folder / "pki", plane.folder / "config"
    yield from (f"--kubeconfig={config / 'kube-controller-manager.kubeconfig'}", "--secure-port=0")
    yield from ("--leader-elect=false", "--use-service-account-credentials", "--profiling=false")
    yield from (f"--service-account-private-key-file={pki / 'sa.key'}", f"--root-ca-file={pki / 'ca.crt'}")
    yield from ("--allocate-node-cidrs=true", "--cluster-cidr=10.244.0.0/16", "--concurrent-namespace-syncs=20")
    yield from ("--node-monitor-period=1s", "--kube-api-qps=200", "--kube-api-burst=400")


def list_scheduler_options(plane: ControlPlane) -> Iterable[str]:
    yield f"--kubeconfig={plane.folder / 'config' / 'kube-scheduler.kubeconfig'}"
    yield from ("--leader-elect=false", "--secure-port=0", "--profiling=false")


def await_program(plane: ControlPlane, met: Callable[[], bool], name: str) -> None:
    """Wait until a program does its work, or any has died.

    Raises:
        OrchestratorError: With the end of the log of the program that is to blame.
    """
    dead: list[str] = []

    def settled() -> bool:
        dead.extend(other for other, process in plane.processes.items() if not process.alive)
        return bool(dead) or met()

    in_time = until(settled, PATIENCE)
    if dead or not in_time:
        blamed = dead[0] if dead else name
        log = plane.folder / "log" / f"{blamed}.log"
        what = "ended" if dead else f"did not become ready in {PATIENCE:g} s"
        raise OrchestratorError(f"{blamed} {what}:\n{tail(log)}", hint=f"read {log}")
