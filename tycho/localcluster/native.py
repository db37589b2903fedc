"""A control plane of plain programs, without root and on loopback alone: kwokctl runs it, kwok plays its one node.

kwokctl makes keys and certificates, starts the programs and starts again what has died. What it cannot do, or does in
another way than Tycho promises, is here: `docs/decisions/0002-local-cluster.md` says what and why.
"""

from __future__ import annotations

import os
import platform
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from tycho.errors import NotFound, OrchestratorError, ToolMissing
from tycho.kinds import NODE, SERVICE_ACCOUNT, STORAGE_CLASS
from tycho.kube.client import KubeClient
from tycho.kube.kubeconfig import rename_context
from tycho.localcluster.state import State
from tycho.text import json_text
from tycho.toolchain.files import Progress, private_folder, write_private
from tycho.toolchain.process import tail, until
from tycho.toolchain.programs import ARCHITECTURE, tools

LOOPBACK = "127.0.0.1"
TIMEOUT = 60.0  # seconds that a step may take before it counts as failed
GONE = 5.0  # seconds in which the kernel lets a killed process go
PORTS = range(20000, 29000)  # below what systems hand out to outgoing connections, and below NodePorts
PROGRAMS = ("kwokctl", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")
# The ends of the names of kwokctl's options; kwok's program has another name there than everywhere else.
BINARIES = ("etcd", "kubeApiserver", "kubeControllerManager", "kubeScheduler", "kwokController")

SIMULATED_NODE = {
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
DEFAULT_STORAGE = {
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
    programs = tools(PROGRAMS, progress)
    progress(f"starting cluster {state.name}")
    private_folder(state.folder)
    state = state.save()
    _kill(state, ["kwokctl"])  # of a command that was killed
    made = (_folder(state) / "kwok.yaml").exists()
    before = find_processes(state)
    if not made or not (state.version or before):  # cut short in its first start: there is nothing in it yet
        _kill(state)
        shutil.rmtree(_folder(state), ignore_errors=True)
        made, before = False, {}
    _forget_strangers(state, before)
    try:
        if made:
            _run_kwokctl(programs["kwokctl"], state, "start")
        else:
            config = write_private(state.folder / "kwokctl.yaml", _configure(state, programs).encode())
            options = (f"--config={config}", f"--kubeconfig={state.folder / 'kwokctl.kubeconfig'}")
            _run_kwokctl(programs["kwokctl"], state, "create", *options)
        write_private(state.kubeconfig, rename_context(_folder(state) / "kubeconfig.yaml", state.context))
        client = KubeClient(str(state.kubeconfig))
        try:
            _await(state, client.is_ready, "kube-apiserver")
            client.apply(STORAGE_CLASS.path(name="standard"), DEFAULT_STORAGE, manager="tycho-cluster")
            client.apply(NODE.path(name="simulated"), SIMULATED_NODE, manager="tycho-cluster")
            _await(state, lambda: _is_usable(client), "kwok-controller")
            version = client.request("GET", "/version")["gitVersion"].removeprefix("v")
        finally:
            client.close()
    except BaseException:
        _kill(state, spared=before.values())
        raise
    return state.save(version)


def stop(state: State) -> None:
    """End what runs of a cluster."""
    _kill(state)


def find_processes(state: State, names: Sequence[str] = COMPONENTS) -> dict[str, int]:
    """Find the programs of a cluster that run: the id of each, by name.

    A process is known by its command line, which has the cluster's folder in it: an id alone may have passed to
    another process since.

    Args:
        state: Which cluster.
        names: Of the programs.
    """
    processes: dict[str, int] = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            words = path.read_bytes().decode(errors="replace").split("\0")
            name = words[0].rpartition("/")[2]
            name = "kwok-controller" if name == "kwok" else name  # as versions before kwokctl started it
            if name in names and any(f"{state.folder}/" in word for word in words):
                processes[name] = int(path.parent.name)
    return {name: processes[name] for name in names if name in processes}


def _folder(state: State) -> Path:
    """Return the folder in which kwokctl keeps all of a cluster."""
    return state.folder / "clusters" / state.context


def _configure(state: State, programs: Mapping[str, Path]) -> str:
    """Write the configuration of kwokctl, and with it how the simulated node behaves.

    By itself kwokctl listens on all addresses, and its etcd takes everybody's word. Here whoever shares the machine
    must not read Secrets.
    """
    api, client, peer = _find_ports(3)
    pki, etcd, peers = _folder(state) / "pki", f"https://{LOOPBACK}:{client}", f"https://{LOOPBACK}:{peer}"
    identity = {"cert-file": f"{pki}/admin.crt", "key-file": f"{pki}/admin.key", "trusted-ca-file": f"{pki}/ca.crt"}
    identity |= {"client-cert-auth": "true"}
    changed = {  # arguments that kwokctl gives, with another value
        "etcd": {
            "listen-client-urls": etcd,
            "advertise-client-urls": etcd,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"node0={peers}",
        },
        "kube-apiserver": {"etcd-servers": etcd},
        "kube-controller-manager": {"secure-port": "0"},
        "kube-scheduler": {"secure-port": "0"},
        "kwok-controller": {"node-ip": LOOPBACK, "server-address": "", "node-port": "0"},
    }
    added = {
        "etcd": {**identity, **{f"peer-{name}": value for name, value in identity.items()}, "unsafe-no-fsync": "true"},
        "kube-apiserver": {
            "etcd-cafile": f"{pki}/ca.crt",
            "etcd-certfile": f"{pki}/admin.crt",
            "etcd-keyfile": f"{pki}/admin.key",
            "advertise-address": LOOPBACK,
            "endpoint-reconciler-type": "none",
            "profiling": "false",
        },
        "kube-controller-manager": {
            "leader-elect": "false",
            "use-service-account-credentials": "true",
            "profiling": "false",
            "concurrent-namespace-syncs": "20",
            "kube-api-qps": "200",
            "kube-api-burst": "400",
        },
        "kube-scheduler": {"leader-elect": "false", "profiling": "false"},
    }
    options = {f"{name}Binary": str(programs[program]) for name, program in zip(BINARIES, PROGRAMS[1:], strict=True)}
    ports = {"kubeApiserverPort": api, "etcdPort": client, "etcdPeerPort": peer}
    config = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": {"runtime": "binary", "bindAddress": LOOPBACK, **options, **ports},
        "componentsPatches": [
            {
                "name": name,
                "extraArgs": [
                    *({"key": key, "value": value, "override": True} for key, value in changed[name].items()),
                    *({"key": key, "value": value} for key, value in added.get(name, {}).items()),
                ],
            }
            for name in COMPONENTS
        ],
    }
    stages = (files("tycho.localcluster") / "stages.yaml").read_text()
    return f"{json_text(config)}\n---\n{stages}"


def _run_kwokctl(program: Path, state: State, verb: str, *options: str) -> None:
    """Run a verb of kwokctl to its end.

    Raises:
        OrchestratorError: It failed, or a program that it started has ended.
    """
    argv = [f"{state.folder}/kwokctl", verb, "cluster", f"--name={state.context}", *options]
    # Nothing of the caller's environment is its business.
    env = {"PATH": os.defpath, "HOME": str(state.folder), "KWOK_WORKDIR": str(state.folder)}
    log = write_private(state.folder / "kwokctl.log", b"")
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                argv, executable=program, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, umask=0o077,
            )  # fmt: skip
    except OSError as error:
        raise OrchestratorError(f"{program} cannot be started: {error.strerror}") from error
    try:
        ended = until(lambda: process.poll() is not None or bool(_find_dead(state)), TIMEOUT)
        if dead := _find_dead(state):
            raise _failure(state, dead[0], "ended")
        if not ended:
            raise OrchestratorError(f"kwokctl {verb} did not end in {TIMEOUT:g} s", hint=f"its log is {log}")
        if process.returncode:
            raise OrchestratorError(f"kwokctl {verb} failed:\n{tail(log)}", hint=f"its log is {log}")
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(state.folder / ".kube", ignore_errors=True)  # a cache, which it lets everybody read


def _find_dead(state: State) -> Sequence[str]:
    """Find the programs that were started and have ended."""
    noted = [name for name in COMPONENTS if (_folder(state) / "pids" / f"{name}.pid").exists()]
    running = find_processes(state) if noted else {}
    return [name for name in noted if name not in running]


def _forget_strangers(state: State, processes: Mapping[str, int]) -> None:
    """Remove the notes of processes that are not there: kwokctl would take, and end, whoever has such an id now."""
    for name in COMPONENTS:
        path = _folder(state) / "pids" / f"{name}.pid"
        if name not in processes:
            path.unlink(missing_ok=True)
        elif path.parent.exists():
            write_private(path, str(processes[name]).encode())


def _kill(state: State, names: Sequence[str] = ("kwokctl", *COMPONENTS), *, spared: Collection[int] = ()) -> None:
    """End a cluster's programs at once: nothing that they would save is wanted."""

    def find() -> list[int]:
        return [pid for pid in find_processes(state, names).values() if pid not in spared]

    for pid in find():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not find(), GONE)


def _is_usable(client: KubeClient) -> bool:
    """Return whether a pod could be made and scheduled now."""
    try:
        client.request("GET", SERVICE_ACCOUNT.path("default", "default"))
    except NotFound:
        return False
    node = client.request("GET", NODE.path(name="simulated"))
    conditions = {condition["type"]: condition["status"] for condition in node["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")


def _await(state: State, is_met: Callable[[], bool], name: str) -> None:
    """Wait until a program does its work, or any has died.

    Raises:
        OrchestratorError: With the end of the log of the program that is to blame.
    """
    in_time = until(lambda: bool(_find_dead(state)) or is_met(), TIMEOUT)
    if dead := _find_dead(state):
        raise _failure(state, dead[0], "ended")
    if not in_time:
        raise _failure(state, name, f"did not become ready in {TIMEOUT:g} s")


def _failure(state: State, name: str, reason: str) -> OrchestratorError:
    log = _folder(state) / "logs" / f"{name}.log"
    return OrchestratorError(f"{name} {reason}:\n{tail(log)}", hint=f"all of it is in {log}")


def _find_ports(count: int) -> list[int]:
    """Find ports that nothing listens at."""
    ports = []
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((LOOPBACK, port))
                ports.append(port)
        if len(ports) == count:
            break
    return ports
