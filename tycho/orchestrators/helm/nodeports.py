"""Ports of the nodes that a release asks for by number: whether somebody else has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tycho import kinds
from tycho.errors import Conflict, Forbidden, NotFound
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject, get_labels
from tycho.orchestrators.helm.workloads import INSTANCE, name
from tycho.release import Identity

HINT = "publish another port, or one that is not in 30000-32767: the cluster chooses one then"


async def check_node_ports(api: KubeClient, identity: Identity, rendered: Iterable[KubeObject]) -> None:
    """Look whether the ports that a release asks of the nodes are free, before anything is made.

    Who may not see the Services of others learns it from the API server.

    Raises:
        Conflict: Another Service has one of them; the message names both.
    """
    wanted = {slot: name(item) for item in rendered for slot in _list_node_ports(item)}
    if not wanted:
        return
    try:
        services = await api.list(kinds.SERVICE.path())
    except (Forbidden, NotFound):
        return
    for service in services:
        about = service["metadata"]
        if about["namespace"] == identity.namespace and get_labels(service).get(INSTANCE) == identity.release:
            continue
        for number, protocol in _list_node_ports({"kind": kinds.SERVICE.name, **service}):
            if (number, protocol) in wanted:
                owner = f"the Service {about['name']} in namespace {about['namespace']}"
                publisher = wanted[number, protocol]
                raise Conflict(
                    f"port {number}, which {publisher} publishes, is taken on this cluster by {owner}", hint=HINT
                )


def _list_node_ports(item: KubeObject) -> Iterator[tuple[int, str]]:
    """List the ports of the nodes that a Service has by number, with their protocols."""
    if item["kind"] == kinds.SERVICE.name:
        for port in (item.get("spec") or {}).get("ports") or ():
            if number := port.get("nodePort"):
                yield int(number), str(port.get("protocol") or "TCP")
