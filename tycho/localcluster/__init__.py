"""A Kubernetes on this machine to try things on: kind where Docker answers, else one of plain programs.

    create -> kind | native (kwokctl) -> state

All that a cluster is lies in one folder below the state folder. `create` makes it what it should be, whatever it
finds; `delete` leaves nothing of it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tycho.errors import NotFound
from tycho.localcluster.state import Provider, State, cluster_dir, clusters_dir, list_states, load
from tycho.settings import settings
from tycho.toolchain.files import Progress, exclusive_lock, no_progress
from tycho.toolchain.programs import tool

__all__ = [
    "Cluster",
    "Component",
    "clusters",
    "create",
    "delete",
    "find_by_kubeconfig",
    "load_images",
    "status",
]


@dataclass(frozen=True, slots=True)
class Component:
    """A program of a native control plane.

    Args:
        name: The program.
        pid: The id of its process; 0 when it does not run.
    """

    name: str
    pid: int

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.pid > 0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of this machine.

    Args:
        name: Its name; the context in its kubeconfig is `tycho-<name>`.
        provider: What made it: `kind`, or `native` for programs of the control plane without any container.
        version: Of Kubernetes.
        server: URL of its API server.
        kubeconfig: The way in, readable by its owner alone.
        running: Whether its programs live and its API server answers.
        simulated: Whether its node only says that containers run.
        components: The programs of a native one.
    """

    name: str
    provider: Provider
    version: str
    server: str
    kubeconfig: Path
    running: bool
    simulated: bool
    components: tuple[Component, ...] = ()


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
    from tycho.localcluster import kind, native

    folder = cluster_dir(name, home)
    if not settings().helm:  # a cluster is here for what helm puts into it
        tool("helm", progress)
    with exclusive_lock(folder.parent, progress):
        known = load(folder)
        if known and (seen := _observe(known)).running:
            return seen
        if not known:
            chosen = provider or ("kind" if kind.answers() else "native")
            known = State(folder, chosen)
        made = (kind if known.provider == "kind" else native).start(known, progress)
        return _observe(made)


def status(name: str = "tycho", *, home: Path | None = None) -> Cluster:
    """A cluster as it is now.

    Args:
        name: Which.
        home: The folder of clusters; by default in the user's state folder.

    Raises:
        NotFound: There is none of this name.
    """
    known = load(cluster_dir(name, home))
    if not known:
        raise NotFound(f'there is no cluster "{name}" here', hint=f"tycho cluster create {name}")
    return _observe(known)


def clusters(*, home: Path | None = None) -> list[Cluster]:
    """All clusters of this machine's user, by name."""
    return [_observe(known) for known in list_states(clusters_dir(home))]


def delete(name: str = "tycho", *, home: Path | None = None) -> None:
    """Remove a cluster with everything in it; one that does not exist is fine.

    Args:
        name: Which.
        home: The folder of clusters; by default in the user's state folder.
    """
    from tycho.localcluster import kind, native

    folder = cluster_dir(name, home)
    if not load(folder):
        return
    with exclusive_lock(folder.parent):
        if known := load(folder):
            (kind if known.provider == "kind" else native).stop(known)
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
        OrchestratorError: The node cannot take them; with what kind said.
    """
    from tycho.localcluster import kind

    known = load(cluster_dir(name, home))
    if not known:
        raise NotFound(f'there is no cluster "{name}" here', hint=f"tycho cluster create {name}")
    if known.provider == "kind":
        kind.load_images(known, images)


def _observe(state: State) -> Cluster:
    from tycho.kube.client import KubeClient
    from tycho.localcluster import native

    components: tuple[Component, ...] = ()
    if state.provider == "native":
        processes = native.find_processes(state)
        components = tuple(Component(name, processes.get(name, 0)) for name in native.COMPONENTS)
    server, ready = "", False
    if state.kubeconfig.exists():
        client = KubeClient(str(state.kubeconfig))
        try:
            server = client.access.server
            ready = all(component.alive for component in components) and client.is_ready()
        finally:
            client.close()
    return Cluster(
        name=state.name,
        provider=state.provider,
        version=state.version,
        server=server,
        kubeconfig=state.kubeconfig,
        running=ready,
        simulated=state.provider == "native",
        components=components,
    )
