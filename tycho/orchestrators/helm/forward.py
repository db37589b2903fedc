"""A connection to a port of a container of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.kube.port_forward import forward_port
from tycho.orchestrators.helm.exec import find_containers
from tycho.release import Identity

if TYPE_CHECKING:
    from tycho.orchestrators import Connection


async def list_ports(api: KubeClient, identity: Identity, service: str) -> tuple[int, ...]:
    """List the TCP ports that a running container of a service is known to listen at.

    Args:
        api: The cluster.
        identity: Which system.
        service: Which service of it.

    Raises:
        NotFound: No such service, or no container of it runs.
    """
    pod, name = (await find_containers(api, identity, service))[0]
    containers: list[KubeObject] = pod["spec"]["containers"]
    ports = next((entry.get("ports") or () for entry in containers if entry["name"] == name), ())
    return tuple(port["containerPort"] for port in ports if port.get("protocol", "TCP") == "TCP")


async def forward(api: KubeClient, identity: Identity, service: str, port: int, connection: Connection) -> None:
    """Carry the bytes of one connection to a port of a service's first container, and back, until either side ends.

    Args:
        api: The cluster.
        identity: Which system.
        service: Which service of it.
        port: The container's port.
        connection: Whose bytes; closing it is the caller's.

    Raises:
        NotFound: No such service, or no container of it runs.
        OrchestratorError: The cluster does not allow it, or nothing listens there.
    """
    pod, _ = (await find_containers(api, identity, service))[0]
    name = pod["metadata"]["name"]
    await forward_port(
        api, identity.namespace, name, port, connection.reader, connection.writer, name=f"{service}:{port}"
    )
