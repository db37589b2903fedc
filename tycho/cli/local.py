"""The cluster of this machine: the one that --local makes, and that later commands find again."""

from __future__ import annotations

from tycho.cli import show
from tycho.cli.options import ClusterOptions
from tycho.errors import UsageError

NAME = "tycho"  # of the cluster that --local makes


def find_kubeconfig(options: ClusterOptions) -> str:
    """Find the kubeconfig of this machine's cluster, where that is the one to use.

    With --local the cluster is made when there is none. Without it, a cluster that runs is used where the user has no
    other: neither KUBECONFIG nor ~/.kube/config, no context, and no pod around this process.

    Returns:
        Its path; "" for whatever the user's own kubeconfig leads to.
    """
    if options.local:
        from tycho import localcluster

        return str(localcluster.create(NAME, progress=show.info).kubeconfig)
    if _has_other(options):
        return ""
    from tycho import localcluster

    clusters = {known.name: known for known in localcluster.clusters()}
    running = {name: known for name, known in clusters.items() if known.running}
    if NAME in running or len(running) == 1:
        chosen = running.get(NAME) or next(iter(running.values()))
        show.info(f"using the local cluster {chosen.name}: there is no kubeconfig")
        return str(chosen.kubeconfig)
    if running:
        show.info(f"several local clusters run: {', '.join(running)}; set KUBECONFIG to choose one")
    elif clusters:
        name = NAME if NAME in clusters else next(iter(clusters))
        show.info(f"the local cluster {name} is stopped; `tycho cluster create {name}` starts it again")
    return ""


def check_made(options: ClusterOptions) -> None:
    """Refuse --local where it would make a cluster, for a command that changes nothing.

    Raises:
        UsageError: There is none yet.
    """
    if options.local:
        from tycho import localcluster

        if not any(known.name == NAME for known in localcluster.clusters()):
            raise UsageError("there is no local cluster yet, and this command makes none",
                             hint="`tycho cluster create` makes it")  # fmt: skip


def _has_other(options: ClusterOptions) -> bool:
    """Tell whether the user has a cluster of his own, or an orchestrator that needs none."""
    from tycho.kube.kubeconfig import IN_CLUSTER
    from tycho.settings import find_home, settings

    defaults = settings()
    return bool(
        (options.backplane or defaults.backplane) != "helm"
        or options.context
        or defaults.context
        or defaults.kubeconfig
        or (find_home() / ".kube/config").exists()
        or IN_CLUSTER.exists()
    )
