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
    requested = {slot: name(obj) for obj in rendered for slot in _list_node_ports(obj)}
    if not requested:
        return
    try:
        services = await api.list(kinds.SERVICE.path())
    except (Forbidden, NotFound):
        return
    for service in services:
        metadata = service["metadata"]
        if metadata["namespace"] == identity.namespace and get_labels(service).get(INSTANCE) == identity.release:
            continue
        for number, protocol in _list_node_ports({"kind": kinds.SERVICE.name, **service}):
            if (number, protocol) in requested:
                owner = f"the Service {metadata['name']} in namespace {metadata['namespace']}"
                publisher = requested[number, protocol]
                raise Conflict(
                    f"port {number}, which {publisher} publishes, is taken on this cluster by {owner}", hint=HINT
                )


def _list_node_ports(obj: KubeObject) -> Iterator[tuple[int, str]]:
    """List the ports of the nodes that a Service has by number, with their protocols."""
    if obj["kind"] == kinds.SERVICE.name:
        for port in (obj.get("spec") or {}).get("ports") or ():
            if number := port.get("nodePort"):
                yield int(number), str(port.get("protocol") or "TCP")
