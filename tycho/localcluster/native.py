"""A control plane of plain programs, without root and on loopback alone; kwok plays its one node."""

from __future__ import annotations

import platform
import random
import shutil
import socket
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path

from tycho.errors import OrchestratorError, ToolMissing
from tycho.localcluster import certificates
from tycho.localcluster.api import Api, kubeconfig
from tycho.localcluster.state import State, beside
from tycho.toolchain import process
from tycho.toolchain.files import Progress, private_folder, write_private
from tycho.toolchain.programs import ARCHITECTURE, tools

LOOPBACK = "127.0.0.1"
HOSTS = (LOOPBACK, "localhost", "10.96.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
         "kubernetes.default.svc.cluster.local")  # fmt: skip
ISSUER = "https://kubernetes.default.svc.cluster.local"
PATIENCE = 60.0  # seconds that a step may take before it counts as failed
PORTS = range(20000, 29000)  # below what systems hand out to outgoing connections, and below NodePorts

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "name": "simulated",
        "annotations": {"kwok.x-k8s.io/node": "fake"},
        "labels": {
            "kubernetes.io/hostname": "simulated",
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": ARCHITECTURE,
        },
    },
}
STORAGE = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "tycho.dev/simulated",
    "allowVolumeExpansion": True,
}


def start(state: State, progress: Progress) -> State:
    """Bring a cluster up, as far as it is not.

    Args:
        state: What is remembered of it.
        progress: Told what takes time.

    Raises:
        ToolMissing: A program can be neither found nor downloaded nor built.
        OrchestratorError: A program ends, or does not become ready; what this call started is ended.
    """
    if platform.system() != "Linux":
        raise ToolMissing("only Linux can do without Docker here", hint="start Docker: kind makes the cluster then")
    programs = tools(COMMANDS, progress)
    progress(f"starting cluster {state.name}")
    state = _prepared(state)
    living = {name: one for name, one in state.processes.items() if one.alive}
    state = state.keep(processes=living)
    api = _api(state)
    try:
        for name, arguments in COMMANDS.items():
            if name not in living:
                argv: list[str | Path] = [programs[name], *arguments(state)]
                with process.delay_signals():  # one that comes between start and assignment would leave it running
                    started = process.start(argv, state.folder / "log" / f"{name}.log")
                    known = {**state.processes, name: started}
                    state = state.keep(processes={program: known[program] for program in COMMANDS if program in known})
            if name == "kube-apiserver":
                _await(state, api.ready, name)
                state = state.keep(version=api.get("/version")["gitVersion"].removeprefix("v"))
        api.apply("/apis/storage.k8s.io/v1/storageclasses/standard", STORAGE)
        api.apply("/api/v1/nodes/simulated", NODE)
        _await(state, lambda: _usable(api), "kwok")
    except BaseException:
        process.stop(one for name, one in state.processes.items() if name not in living)
        raise
    return state


def stop(state: State) -> None:
    """End what runs of a cluster, the last started first."""
    process.stop(reversed(state.processes.values()))


def _prepared(state: State) -> State:
    """Folders, certificates, ports and ways in, as far as they are not there."""
    private_folder(state.folder)
    state = state.keep()
    pki, config = private_folder(state.folder / "pki"), private_folder(state.folder / "config")
    private_folder(state.folder / "log")
    if not (pki / "complete").exists():
        for authority in ("ca", "etcd-ca"):
            certificates.authority(pki, authority)
        certificates.signing_key(pki, "sa")
        certificates.certificate(pki, "etcd", "etcd-ca", "etcd", hosts=(LOOPBACK,))
        certificates.certificate(pki, "etcd-client", "etcd-ca", "kube-apiserver")
        certificates.certificate(pki, "apiserver", "ca", "kube-apiserver", hosts=HOSTS)
        for name, (user, group) in USERS.items():
            certificates.certificate(pki, name, "ca", user, group)
        write_private(pki / "complete", b"")
    if not any(one.alive for one in state.processes.values()):
        state = state.keep(ports=_ports(state))
        if not state.version:  # cut short in its first start, an etcd never elects a leader again
            shutil.rmtree(state.folder / "etcd", ignore_errors=True)
    for name in USERS:
        path = state.kubeconfig if name == "admin" else config / f"{name}.kubeconfig"
        data = [(pki / file).read_bytes() for file in ("ca.crt", f"{name}.crt", f"{name}.key")]
        write_private(path, kubeconfig(state.context, f"https://{LOOPBACK}:{state.ports['api']}", *data))
    write_private(config / "stages.yaml", (files("tycho.localcluster") / "stages.yaml").read_bytes())
    return state


USERS = {
    "admin": ("tycho-admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kwok": ("tycho-kwok", "system:masters"),
}


def _etcd(state: State) -> Iterable[str]:
    pki = state.folder / "pki"
    client, peer = (f"https://{LOOPBACK}:{state.ports[port]}" for port in ("etcd", "peer"))
    yield from (f"--name={state.name}", f"--data-dir={state.folder / 'etcd'}", "--logger=zap", "--log-level=warn")
    yield from (f"--listen-client-urls={client}", f"--advertise-client-urls={client}")
    yield from (f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}")
    yield from (f"--initial-cluster={state.name}={peer}", "--unsafe-no-fsync")
    for kind in ("", "peer-"):  # whoever shares the machine must not read Secrets here
        yield from (f"--{kind}cert-file={pki / 'etcd.crt'}", f"--{kind}key-file={pki / 'etcd.key'}")
        yield from (f"--{kind}trusted-ca-file={pki / 'etcd-ca.crt'}", f"--{kind}client-cert-auth")


def _apiserver(state: State) -> Iterable[str]:
    pki = state.folder / "pki"
    yield from (f"--bind-address={LOOPBACK}", f"--secure-port={state.ports['api']}")
    yield from (f"--advertise-address={LOOPBACK}", "--endpoint-reconciler-type=none")
    yield from (f"--etcd-servers=https://{LOOPBACK}:{state.ports['etcd']}", f"--etcd-cafile={pki / 'etcd-ca.crt'}")
    yield from (f"--etcd-certfile={pki / 'etcd-client.crt'}", f"--etcd-keyfile={pki / 'etcd-client.key'}")
    yield from (f"--tls-cert-file={pki / 'apiserver.crt'}", f"--tls-private-key-file={pki / 'apiserver.key'}")
    yield from (f"--client-ca-file={pki / 'ca.crt'}", "--authorization-mode=Node,RBAC", "--profiling=false")
    yield from (f"--service-account-issuer={ISSUER}", f"--service-account-key-file={pki / 'sa.pub'}")
    yield from (f"--service-account-signing-key-file={pki / 'sa.key'}", "--service-cluster-ip-range=10.96.0.0/16")
    yield "--allow-privileged=true"


def _controllers(state: State) -> Iterable[str]:
    pki, config = state.folder / "pki", state.folder / "config"
    yield from (f"--kubeconfig={config / 'kube-controller-manager.kubeconfig'}", "--secure-port=0")
    yield from ("--leader-elect=false", "--use-service-account-credentials", "--profiling=false")
    yield from (f"--service-account-private-key-file={pki / 'sa.key'}", f"--root-ca-file={pki / 'ca.crt'}")
    yield from ("--allocate-node-cidrs=true", "--cluster-cidr=10.244.0.0/16", "--concurrent-namespace-syncs=20")
    yield from ("--node-monitor-period=1s", "--kube-api-qps=200", "--kube-api-burst=400")


def _scheduler(state: State) -> Iterable[str]:
    yield f"--kubeconfig={state.folder / 'config' / 'kube-scheduler.kubeconfig'}"
    yield from ("--leader-elect=false", "--secure-port=0", "--profiling=false")


def _kwok(state: State) -> Iterable[str]:
    config = state.folder / "config"
    yield from (f"--kubeconfig={config / 'kwok.kubeconfig'}", f"--config={config / 'stages.yaml'}")
    yield from ("--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake", "--node-lease-duration-seconds=40")
    yield from ("--cidr=10.244.0.0/16", f"--node-ip={LOOPBACK}")


COMMANDS: dict[str, Callable[[State], Iterable[str]]] = {
    "etcd": _etcd,
    "kube-apiserver": _apiserver,
    "kube-controller-manager": _controllers,
    "kube-scheduler": _scheduler,
    "kwok": _kwok,
}


def _api(state: State) -> Api:
    pki = state.folder / "pki"
    server = f"https://{LOOPBACK}:{state.ports['api']}"
    return Api(server, (pki / "ca.crt").read_text(), (pki / "admin.crt", pki / "admin.key"), timeout=30)


def _usable(api: Api) -> bool:
    """Whether a pod could be made and scheduled now."""
    if not api.has("/api/v1/namespaces/default/serviceaccounts/default"):
        return False
    node = api.get("/api/v1/nodes/simulated")
    conditions = {one["type"]: one["status"] for one in node["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")


def _await(state: State, met: Callable[[], bool], name: str) -> None:
    """Wait until a program does its work, or any has died.

    Raises:
        OrchestratorError: With the end of the log of the program that is to blame.
    """
    dead: list[str] = []

    def settled() -> bool:
        dead.extend(other for other, one in state.processes.items() if not one.alive)
        return bool(dead) or met()

    in_time = process.until(settled, PATIENCE)
    if dead or not in_time:
        blamed = dead[0] if dead else name
        log = state.folder / "log" / f"{blamed}.log"
        what = "ended" if dead else f"did not become ready in {PATIENCE:g} s"
        raise OrchestratorError(f"{blamed} {what}:\n{process.tail(log)}", hint=f"all of it is in {log}")


def _ports(state: State) -> dict[str, int]:
    """The ports it had, where they are still free; else others that no cluster has."""
    others = (other for other in beside(state.folder.parent) if other.name != state.name)
    taken = {port for other in others for port in other.ports.values()}
    ports: dict[str, int] = {}
    for name in ("api", "etcd", "peer"):
        wishes = [state.ports[name]] if name in state.ports else []
        wishes += random.sample(PORTS, 100)
        ports[name] = next(port for port in wishes if port not in taken and _free(port))
        taken.add(ports[name])
    return ports


def _free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
