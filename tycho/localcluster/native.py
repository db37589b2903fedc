"""A control plane of plain programs, without root and on loopback alone: kwokctl runs it, kwok plays its one node.

kwokctl makes keys and certificates, starts the programs and starts again what has died. What it cannot do, or does in
another way than Tycho promises, is here: `docs/decisions/0002-local-cluster.md` says what and why.
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from importlib.resources import files
from itertools import islice
from pathlib import Path
from string import Template

from tycho.errors import OrchestratorError, ToolMissing
from tycho.kinds import NODE, STORAGE_CLASS
from tycho.kube.client import KubeClient
from tycho.kube.kubeconfig import rename_context
from tycho.localcluster.state import State
from tycho.toolchain import process
from tycho.toolchain.files import Progress, private_folder, write_private
from tycho.toolchain.programs import ARCHITECTURE, tools

TIMEOUT = 60.0  # seconds that a step may take before it counts as failed
FURTHER_STARTS = 2  # of programs that have given up on an API server that was not there yet
GONE = 5.0  # seconds in which the kernel lets a killed process go
PORTS = range(20000, 29000)  # below what systems hand out to outgoing connections, and below NodePorts
PROGRAMS = ("kwokctl", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
VITAL = ("etcd", "kube-apiserver")  # without which the others cannot work
COMPONENTS = (*VITAL, "kube-controller-manager", "kube-scheduler", "kwok-controller")

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
    stop(state, ["kwokctl"])  # of a command that was killed
    made = (_folder(state) / "kwok.yaml").exists()
    before = find_processes(state)
    if not made or not (state.version or before):  # cut short in its first start: there is nothing in it yet
        stop(state)
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
        with closing(KubeClient(str(state.kubeconfig))) as client:
            _await(state, client.is_ready, "kube-apiserver", VITAL)
            client.apply(STORAGE_CLASS.path(name="standard"), DEFAULT_STORAGE, manager="tycho-cluster")
            client.apply(NODE.path(name="simulated"), SIMULATED_NODE, manager="tycho-cluster")
            _await_node(programs["kwokctl"], state, client)
            return state.save(client.request("GET", "/version")["gitVersion"].removeprefix("v"))
    except BaseException:
        stop(state, spared=before.values())
        raise


def stop(
    state: State, names: Sequence[str] = ("kwokctl", "kwok", *COMPONENTS), *, spared: Collection[int] = ()
) -> None:
    """End a cluster's programs at once: nothing that they would save is wanted.

    Args:
        state: Which cluster.
        names: Of the programs; versions before kwokctl started `kwok`.
        spared: Ids of processes that go on.
    """
    pids = set(find_processes(state, names).values()) - {*spared}
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.until(lambda: not any(map(process.is_running, pids)), GONE)


def find_processes(state: State, names: Sequence[str] = COMPONENTS) -> dict[str, int]:
    """Find the programs of a cluster that run: the id of each, by name."""
    return process.find_processes(state.folder, names)


def _folder(state: State) -> Path:
    """Return the folder in which kwokctl keeps all of a cluster."""
    return state.folder / "clusters" / state.context


def _configure(state: State, programs: Mapping[str, Path]) -> str:
    """Write the configuration of kwokctl, and with it how the simulated node behaves."""
    folder = files("tycho.localcluster")
    config = Template((folder / "kwokctl.yaml").read_text()).substitute(
        {name.replace("-", "_"): json.dumps(str(path)) for name, path in programs.items()},
        **dict(zip(("api_port", "etcd_port", "peer_port"), find_ports(3), strict=True)),
        pki=_folder(state) / "pki",
    )
    return f"{config}---\n{(folder / 'stages.yaml').read_text()}"


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
            kwokctl = subprocess.Popen(
                argv, executable=program, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, umask=0o077,
            )  # fmt: skip
    except OSError as error:
        raise OrchestratorError(f"{program} cannot be started: {error.strerror}") from error
    try:
        _await(state, lambda: kwokctl.poll() is not None, "kwokctl", VITAL)
        if kwokctl.returncode:
            raise _failure(f"kwokctl {verb} failed", log)
    finally:
        kwokctl.kill()
        kwokctl.wait()
        shutil.rmtree(state.folder / ".kube", ignore_errors=True)  # a cache, which it lets everybody read


def _find_dead(state: State, names: Sequence[str] = COMPONENTS) -> Sequence[str]:
    """Find the programs that were started and have ended."""
    noted = [name for name in names if (_folder(state) / "pids" / f"{name}.pid").exists()]
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


def _is_node_ready(client: KubeClient) -> bool:
    status = client.request("GET", NODE.path(name="simulated"))["status"]
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", ())}
    return conditions.get("Ready") == "True"


def _await(state: State, is_met: Callable[[], bool], name: str, needed: Sequence[str] = COMPONENTS) -> None:
    """Wait until a program does its work.

    Args:
        state: Which cluster.
        is_met: Returns whether it does.
        name: Of the program.
        needed: Programs without which there is nothing to wait for.

    Raises:
        OrchestratorError: With the end of the log of the program that is to blame.
    """
    in_time = process.until(lambda: bool(_find_dead(state, needed)) or is_met(), TIMEOUT)
    if dead := _find_dead(state, needed):
        raise _failure(f"{dead[0]} ended", _log_path(state, dead[0]))
    if not in_time:
        raise _failure(f"{name} did not become ready in {TIMEOUT:g} s", _log_path(state, name))


def _await_node(kwokctl: Path, state: State, client: KubeClient) -> None:
    """Wait until the simulated node is ready; on a slow machine programs give up on the API server: start those again.

    Raises:
        OrchestratorError: With the end of the log of the program that is to blame.
    """

    def is_ready() -> bool:
        return client.is_ready() and _is_node_ready(client)

    for _ in range(FURTHER_STARTS):
        process.until(lambda: bool(_find_dead(state)) or is_ready(), TIMEOUT)
        if not _find_dead(state):
            break
        _forget_strangers(state, find_processes(state))
        _run_kwokctl(kwokctl, state, "start")
    _await(state, is_ready, "kwok-controller")


def _log_path(state: State, name: str) -> Path:
    return state.folder / "kwokctl.log" if name == "kwokctl" else _folder(state) / "logs" / f"{name}.log"


def _failure(message: str, log: Path) -> OrchestratorError:
    return OrchestratorError(f"{message}:\n{process.tail(log)}", hint=f"read {log}")


def find_ports(count: int) -> list[int]:
    """Find ports that nothing listens at."""
    return list(islice(filter(_is_free, random.sample(PORTS, 100)), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False
