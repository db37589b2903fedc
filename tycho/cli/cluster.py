"""`tycho cluster create|status|delete`: a Kubernetes of one's own to try things on."""

from __future__ import annotations

from typing import Annotated

import typer

from tycho.cli import show

Name = Annotated[str, typer.Argument(metavar="[NAME]", help="Name of the cluster.")]


def create(name: Name = "tycho") -> None:
    r"""Make a cluster on this machine, or start it again; prints its kubeconfig's path.

    \b
    Examples:
      tycho cluster create
      export KUBECONFIG=$(tycho cluster create)
    """
    from tycho import localcluster

    made = localcluster.create(name, progress=show.info)
    show.info(f"{made.name} is running: Kubernetes {made.version} at {made.server}")
    if made.simulated:
        show.info("its node is simulated: objects are real, containers do not run")
    show.emit(str(made.kubeconfig))


def status() -> None:
    r"""List the clusters on this machine.

    \b
    Example:
      tycho cluster status
    """
    from tycho import localcluster

    clusters = localcluster.clusters()
    if not clusters:
        return show.emit("None running")
    rows = [("CLUSTER", "STATE", "PROVIDER", "VERSION", "SERVER", "KUBECONFIG")]
    for cluster in clusters:
        state = "running" if cluster.running else "stopped"
        provider = f"{cluster.provider} (simulated node)" if cluster.simulated else cluster.provider
        rows.append((cluster.name, state, provider, cluster.version, cluster.server, str(cluster.kubeconfig)))
    show.table(rows)


def delete(name: Name = "tycho") -> None:
    r"""Remove a cluster of this machine with everything in it.

    \b
    Example:
      tycho cluster delete
    """
    from tycho import localcluster

    localcluster.delete(name)
    show.emit(name)
