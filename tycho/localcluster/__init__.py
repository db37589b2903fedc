"""A Kubernetes on this machine to try things on: kind where Docker answers, else one of plain programs.

    create -> kind | native (kwokctl) -> state

All that a cluster is lies in one folder below the state folder. `create` makes it what it should be, whatever it
finds; `delete` leaves nothing of it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from msgspec import Struct, field

from tycho.errors import NotFound
from tycho.kube.client import KubeClient
from tycho.localcluster import kind, native
from tycho.localcluster.state import Provider, State, cluster_dir, clusters_dir, list_states, load
from tycho.settings import settings
from tycho.toolchain.files import Progress, exclusive_lock, no_progress
from tycho.toolchain.programs import tool

PROVIDERS = {"kind": kind, "native": native}


class Cluster(Struct, frozen=True):
    """A cluster of this machine.

    Args:
        name: Its name; the context in its kubeconfig is `tycho-<name>`.
        provider: What made it: `kind`, or `native` for programs of the control plane without any container.
        version: Of Kubernetes.
        server: URL of its API server.
        kubeconfig: Its administrator's, readable by its owner alone.
        running: Whether its programs run and its API server is ready.
        processes: The programs of a native one that run: the id of each, by name.
    """

    name: str
    provider: Provider
    version: str
    server: str
    kubeconfig: Path
    running: bool
    processes: Mapping[str, int] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether its node only says that containers run."""
        return self.provider == "native"


def create(
    name: str = "tycho",
    *,
    progress: Progress = no_progress,
    provider: Provider | None = None,
    home: Path | None = None,
) -> Cluster:
    """Make a cluster, or start again what has died of it; one that runs is left as it is.

    Args:
        name: Up to 40 of a-z, 0-9 and `-`; several clusters can stand side by side.
        progress: Told what takes time.
        provider: What makes a new one; by default kind where Docker answers, else native.
        home: The folder of clusters; by default in the user's state folder.

    Raises:
        UsageError: This cannot be a name.
        ToolMissing: A program that it takes can be neither found nor downloaded nor built.
        OrchestratorError: It does not start; the end of the log that tells why is in the message.
    """
    folder = cluster_dir(name, home)
    if not settings().helm:  # a cluster is here for what helm puts into it
        tool("helm", progress)
    with exclusive_lock(folder.parent, progress):
        state = load(folder)
        if state and (cluster := _observe(state)).running:
            return cluster
        state = state or State(folder, provider or ("kind" if kind.answers() else "native"))
        return _observe(PROVIDERS[state.provider].start(state, progress))


def status(name: str = "tycho", *, home: Path | None = None) -> Cluster:
    """Return a cluster as it is now.

    Args:
        name: Which.
        home: The folder of clusters; by default in the user's state folder.

    Raises:
        NotFound: There is none of this name.
    """
    return _observe(_find(name, home))


def clusters(*, home: Path | None = None) -> list[Cluster]:
    """List the clusters of this machine's user, by name."""
    return [_observe(state) for state in list_states(clusters_dir(home))]


def delete(name: str = "tycho", *, home: Path | None = None) -> None:
    """Remove a cluster with everything in it; one that does not exist is fine.

    Args:
        name: Which.
        home: The folder of clusters; by default in the user's state folder.
    """
    folder = cluster_dir(name, home)
    if not load(folder):
        return
    with exclusive_lock(folder.parent):
        if state := load(folder):
            PROVIDERS[state.provider].stop(state)
            shutil.rmtree(folder)


def find_by_kubeconfig(kubeconfig: str, *, home: Path | None = None) -> str:
    """Find the cluster of this machine that a kubeconfig leads to.

    Args:
        kubeconfig: Its path, as KUBECONFIG has it.
        home: The folder of clusters; by default in the user's state folder.

    Returns:
        The cluster's name; "" where it is none of these.
    """
    if not kubeconfig:
        return ""
    path = os.path.realpath(kubeconfig)
    states = list_states(clusters_dir(home))
    return next((state.name for state in states if os.path.realpath(state.kubeconfig) == path), "")


def load_images(images: Sequence[str], name: str = "tycho", *, home: Path | None = None) -> None:
    """Give a cluster's node images of the Docker engine of this machine; a simulated node needs none.

    Args:
        images: Their names and tags.
        name: Of the cluster.
        home: The folder of clusters; by default in the user's state folder.

    Raises:
        NotFound: There is no cluster of this name.
        OrchestratorError: The node cannot take them; with kind's message.
    """
    state = _find(name, home)
    if state.provider == "kind":
        kind.load_images(state, images)


def _find(name: str, home: Path | None) -> State:
    if state := load(cluster_dir(name, home)):
        return state
    raise NotFound(f'there is no cluster "{name}" here', hint=f"`tycho cluster create {name}` makes it")


def _observe(state: State) -> Cluster:
    processes = native.find_processes(state)
    server, ready = "", False
    if state.kubeconfig.exists():
        with closing(KubeClient(str(state.kubeconfig))) as client:
            server = client.access.server
            complete = state.provider == "kind" or len(processes) == len(native.COMPONENTS)
            ready = complete and client.is_ready()
    return Cluster(state.name, state.provider, state.version, server, state.kubeconfig, ready, processes)
