"""Find how services reach each other: ports, dependencies, networks, aliases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tycho.chart.container import ContainerPort
from tycho.chart.images import list_known_ports
from tycho.chart.names import DNS_LABEL, label
from tycho.chart.objects import NetworkMembers
from tycho.chart.services import all_services
from tycho.chart.workload import Wait
from tycho.chart.workload_kind import JOBS, tycho_extension
from tycho.model import Network as ComposeNetwork
from tycho.model import Port, Project, ProjectFile, Service, template
from tycho.model.numbers import is_digits

MENTION = re.compile(r"(?<![\w.-])([a-zA-Z0-9][\w.-]*):([0-9]{2,5})(?![\w.:-])")
NOTHING = ComposeNetwork()
WORD = re.compile(r"[A-Za-z0-9][\w.-]*")
HOST = re.compile(r"(?<![\w.-])(?<![^/]/)(?<!\A/)[A-Za-z0-9][\w.-]*")
"""A word that may be a host's name: no option, and no part of a path (`-c`, `/app/main`), but `//app` and `@db`."""
WELL_KNOWN = frozenset({25, 53, 80})


Spoken = tuple[str, str, str]
"""A text that may name services: who has it ("" for a config), its path, and the text."""


def list_ports(system: Project, spoken: Iterable[Spoken]) -> dict[str, tuple[ContainerPort, ...]]:
    """List the ports that each service listens at: stated, known of its image, or called by others."""
    mentioned = _find_called_ports(system, spoken)
    ports = {}
    for name, service in all_services(system).items():
        stated = [ContainerPort(port.target, port.protocol.upper()) for port in service.ports]
        stated += [ContainerPort(number, protocol) for number, protocol in _exposed_ports(service)]
        numbers = {*list_known_ports(template(service.image or ""))}
        guessed = [ContainerPort(number, guessed="image") for number in sorted(numbers)]
        guessed += [ContainerPort(number, guessed="call") for number in sorted(mentioned.get(name, set()) - numbers)]
        ports[name] = tuple({(port.number, port.protocol): port for port in (*guessed, *stated)}.values())
    return ports


def list_container_ports(service: Service) -> tuple[ContainerPort, ...]:
    """List the ports that a service's container declares."""
    listed = [
        ContainerPort(port.target, port.protocol.upper(), _host_port(port) if port.mode == "host" else 0)
        for port in service.ports
    ]
    listed += [ContainerPort(number, protocol) for number, protocol in _exposed_ports(service)]
    return tuple({(port.number, port.protocol): port for port in reversed(listed)}.values())[::-1]


def _host_port(port: Port) -> int:
    first = str(port.published or "").partition("-")[0]
    return int(first) if is_digits(first) else port.target


def _exposed_ports(service: Service) -> Iterator[tuple[int, str]]:
    for text in service.expose:
        span, _, protocol = text.partition("/")
        first, _, last = span.partition("-")
        if is_digits(first) and is_digits(last or first) and int(last or first) < 65536:
            for number in range(int(first), int(last or first) + 1):
                yield number, (protocol or "tcp").upper()


def find_called(system: Project, spoken: Iterable[Spoken]) -> frozenset[str]:
    """List the services that others name in their environment, commands, health checks or files."""
    names = all_services(system).keys()
    return frozenset(name for speaker, _, text in spoken for name in names & set(HOST.findall(text)) if name != speaker)


def _find_called_ports(system: Project, spoken: Iterable[Spoken]) -> dict[str, set[int]]:
    """Find the ports at which services are called, as in `redis://cache:6379`: Compose opens every port to peers."""
    called: dict[str, set[int]] = {}
    names = all_services(system)
    for speaker, _, text in spoken:
        for host, number in MENTION.findall(text) if ":" in text else ():
            if host != speaker and host in names and (100 <= int(number) < 65536 or int(number) in WELL_KNOWN):
                called.setdefault(host, set()).add(int(number))
    return called


def referencing_texts(system: Project) -> Iterator[Spoken]:
    """Yield texts that may name services.

    Variables are not replaced: the chart must not depend on the environment.
    """
    for section in ("services", "jobs"):
        for name, service in getattr(system, section).items():
            path = f"{section}.{name}"
            for key, value in service.environment.items():
                if value is not None:
                    yield name, f"{path}.environment.{key}", template(value)
            for key in ("entrypoint", "command"):
                for word in getattr(service, key) or ():
                    yield name, f"{path}.{key}", template(word)
            for word in (service.healthcheck.test if service.healthcheck else None) or ():
                yield name, f"{path}.healthcheck.test", template(word)
            for index, mount in enumerate(service.volumes):
                for text in _readable(mount.files):
                    yield name, f"{path}.volumes[{index}]", text
    for name, config in system.configs.items():
        if config.content is not None:
            yield "", f"configs.{name}.content", template(config.content)
        for text in _readable(config.files):
            yield "", f"configs.{name}.file", text


def _readable(files: tuple[ProjectFile, ...] | None) -> Iterator[str]:
    for file in files or ():
        if len(file.content) < 100_000:
            yield file.content.decode("utf-8", "ignore")


def list_waits(service: Service, kind: str, kinds: Mapping[str, str], pod_names: Mapping[str, str]) -> Iterator[Wait]:
    """List the workloads that a service waits for before it starts, in the file's order.

    A service that runs on is restarted until it finds what it needs. A job that does not find it has failed, so only
    a job waits for `service_started`.

    Args:
        service: Whose start.
        kind: What it becomes.
        kinds: What every service becomes.
        pod_names: In whose pod each service lives.
    """
    for name, dependency in service.depends_on.items():
        if name not in pod_names:
            continue
        awaited, connected = kinds[pod_names[name]], service.network_mode != "none"
        if dependency.condition != "service_started" or (kind in JOBS and awaited != "CronJob" and connected):
            yield Wait(name, label(pod_names[name]), awaited, dependency.condition)


def list_networks(system: Project) -> tuple[NetworkMembers, ...]:
    """List the compose networks with the services on each."""
    members: dict[str, list[str]] = {}
    for name, service in all_services(system).items():
        on = list(service.networks) or ([] if service.network_mode else ["default"])
        for network in on:
            members.setdefault(network, []).append(name)
    listed = []
    for name, services in sorted(members.items()):
        compose_network = system.networks.get(name) or NOTHING
        slug = label(str(compose_network.name or name) if compose_network.external else name, 40)
        listed.append(NetworkMembers(name, slug, compose_network.internal, compose_network.external, tuple(services)))
    return tuple(listed)


def find_enclosed(networks: Sequence[NetworkMembers]) -> frozenset[str]:
    """Find the services that are on internal networks alone: Docker publishes none of their ports."""
    inside = {name for network in networks if network.internal for name in network.members}
    return frozenset(inside - {name for network in networks if not network.internal for name in network.members})


def has_network_policies(system: Project) -> bool:
    """Tell whether a policy asks for NetworkPolicies."""
    return bool(tycho_extension(system).get("networkPolicy"))


def list_aliases(system: Project, pod_names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """List aliases of services, with the services whose pods each one names."""
    taken = {label(name) for name in system.services}
    services_of: dict[str, dict[str, None]] = {}
    for name, service in system.services.items():
        network_aliases = [alias for attachment in service.networks.values() for alias in attachment.aliases]
        pairs = [(alias, name) for alias in (*network_aliases, service.hostname or "", service.container_name or "")]
        for link in service.links:
            target, _, alias = link.partition(":")
            if target in system.services:
                pairs.append((alias, target))
        for name_given, target in pairs:
            alias = name_given.lower()  # as DNS reads it
            if DNS_LABEL.fullmatch(alias) and alias not in taken:
                services_of.setdefault(alias, {})[pod_names[target]] = None
    return {alias: tuple(services_of[alias]) for alias in sorted(services_of)}


def alias_label(alias: str) -> str:
    """Return the label of pods that share an alias."""
    return f"tycho.dev/alias-{label(alias, 50)}"
