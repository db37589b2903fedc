"""Scaling what runs without its compose file: new containers are like the first one, the last ones go first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tycho.comparison.differences import Difference, list_differences
from tycho.docker_cli import DockerCli, ask_engine
from tycho.errors import NotSupported, UsageError
from tycho.modification import MOST_REPLICAS, Modification, ServiceChange
from tycho.orchestrators.docker import labels
from tycho.orchestrators.docker.containers import Container
from tycho.orchestrators.docker.failures import explain_failure
from tycho.orchestrators.docker.records import read_containers
from tycho.release import Identity, ServiceStatus


def read_replicas(modification: Modification, services: Sequence[str]) -> dict[str, int]:
    """Read how many containers each service is to have.

    Args:
        modification: What is to be changed.
        services: Those of the system.

    Raises:
        NotSupported: Something else is to be changed, too.
        UsageError: A number makes no sense.
    """
    changes = {**dict.fromkeys(services if modification.common != ServiceChange() else (), modification.common)}
    changes |= modification.services
    if modification.labels or any(change != ServiceChange(replicas=change.replicas) for change in changes.values()):
        raise NotSupported(
            "docker changes nothing but replicas without the compose file",
            hint="change the file and run `tycho up -b docker`",
        )
    counts = {name: change.replicas for name, change in changes.items() if change.replicas is not None}
    if not counts:
        raise UsageError("no change is given", hint="say replicas")
    for name, count in counts.items():
        if not 1 <= count <= MOST_REPLICAS:
            hint = f"`tycho stop` of {name} leaves it without a container that runs" if count == 0 else ""
            raise UsageError(f"services.{name}.replicas: it is from 1 to {MOST_REPLICAS}", hint=hint)
    return counts


def compare_replicas(services: Sequence[ServiceStatus], counts: Mapping[str, int]) -> tuple[Difference, ...]:
    """List what scaling changes."""
    before = {service.name: {"replicas": service.wanted} for service in services}
    after = before | {name: {"replicas": count} for name, count in counts.items()}
    return list_differences({"services": before}, {"services": after})


async def scale_services(docker: DockerCli, identity: Identity, counts: Mapping[str, int]) -> None:
    """Give each service as many containers as it is to have."""
    containers = await read_containers(docker, identity.guid)
    for name, count in counts.items():
        own = [container for container in containers if container["Config"]["Labels"][labels.SERVICE] == name]
        await _scale_service(docker, identity, name, own, count)


async def _scale_service(
    docker: DockerCli, identity: Identity, service: str, containers: Sequence[Container], count: int
) -> None:
    """Make or remove containers of a service.

    Args:
        docker: The engine.
        identity: Which system.
        service: Which service.
        containers: Those that it has.
        count: How many it is to have.

    Raises:
        NotSupported: Its containers get files when they are made, which nobody has any more.
        Conflict: A port or a name is taken.
    """
    by_number = {int(container["Config"]["Labels"][labels.NUMBER]): container for container in containers}
    for number in sorted(by_number)[count:]:
        identifier = by_number[number]["Id"]
        await docker.require(["docker", "stop", identifier])
        await docker.require(["docker", "rm", "--volumes", identifier])
    pattern = by_number[min(by_number)]
    if labels.INPUTS in pattern["Config"]["Labels"] and count > len(containers):
        raise NotSupported(
            f"{service} gets files when its containers are made",
            hint="change its replicas in the compose file and run `tycho up -b docker`",
        )
    free = (number for number in range(1, count + len(containers) + 1) if number not in by_number)
    for _ in range(count - len(containers)):
        number = next(free)
        name = f"{identity.release}-{service}-{number}"
        try:
            made = await asyncio.to_thread(ask_engine, f"/containers/create?name={quote(name)}", _copy(pattern, number))
            await docker.require(["docker", "start", made["Id"]])
        except Exception as error:
            raise explain_failure("scale", [str(error)]) from error


def _copy(pattern: Container, number: int) -> Mapping[str, Any]:
    """Describe a container like another one, as the engine's API has it."""
    config: dict[str, Any] = {**pattern["Config"]}
    config["Labels"] = {**config["Labels"], labels.NUMBER: str(number)}
    if pattern["Id"].startswith(config.get("Hostname") or "-"):
        del config["Hostname"]
    own_names = (pattern["Name"].removeprefix("/"), pattern["Id"][:12])
    networks = {
        network: {"Aliases": [alias for alias in end.get("Aliases") or () if alias not in own_names]}
        for network, end in pattern["NetworkSettings"]["Networks"].items()
    }
    shared = pattern["HostConfig"]["NetworkMode"].startswith(("container:", "host", "none"))
    endpoints = {} if shared else {"NetworkingConfig": {"EndpointsConfig": networks}}
    return {**config, "HostConfig": pattern["HostConfig"], **endpoints}
