"""How services find and reach each other: ports, waits, networks, aliases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tycho.chart.kinds import said
from tycho.chart.names import DNS_LABEL, label
from tycho.chart.plan import ContainerPort, Network, Wait
from tycho.model import Network as ComposeNetwork
from tycho.model import Port, Service, System, template

MENTION = re.compile(r"(?<![\w.-])([a-zA-Z0-9][\w.-]*):([0-9]{2,5})(?![\w.:-])")
NOTHING = ComposeNetwork()
CROWD = 200  # beyond it, who names whom is not looked at
WELL_KNOWN = frozenset({25, 53, 80})


def ports(system: System) -> dict[str, tuple[ContainerPort, ...]]:
    """The ports that each service listens at, as far as the file says or shows it."""
    mentioned = _mentions(system)
    found = {}
    for name, service in everything(system).items():
        said_of = [ContainerPort(port.target, port.protocol.upper()) for port in service.ports]
        said_of += [ContainerPort(number, protocol) for number, protocol in _exposed(service)]
        said_of += [ContainerPort(number) for number in sorted(mentioned.get(name, ()))]
        found[name] = tuple({(port.number, port.protocol): port for port in said_of}.values())
    return found


def declared(service: Service) -> tuple[ContainerPort, ...]:
    """The ports that a service's container declares."""
    listed = [
        ContainerPort(port.target, port.protocol.upper(), _host(port) if port.mode == "host" else 0)
        for port in service.ports
    ]
    listed += [ContainerPort(number, protocol) for number, protocol in _exposed(service)]
    return tuple({(port.number, port.protocol): port for port in reversed(listed)}.values())[::-1]


def _host(port: Port) -> int:
    said_port = str(port.published or "").partition("-")[0]
    return int(said_port) if said_port.isdigit() else port.target


def everything(system: System) -> dict[str, Service]:
    """Services and jobs by name."""
    return {**system.services, **system.jobs}


def _exposed(service: Service) -> Iterator[tuple[int, str]]:
    for text in service.expose:
        span, _, protocol = text.partition("/")
        first, _, last = span.partition("-")
        if first.isdigit() and (last or first).isdigit():
            for number in range(int(first), int(last or first) + 1):
                yield number, (protocol or "tcp").upper()


def _mentions(system: System) -> dict[str, set[int]]:
    """Ports that others call a service at, as in `redis://cache:6379`: Compose lets every port through."""
    found: dict[str, set[int]] = {}
    names = everything(system)
    shared = [template(config.content) for config in system.configs.values() if config.content is not None]
    for name, service in names.items():
        for text in [*_strings(service), *shared]:
            if ":" not in text:
                continue
            for host, number in MENTION.findall(text):
                if host != name and host in names and (100 <= int(number) < 65536 or int(number) in WELL_KNOWN):
                    found.setdefault(host, set()).add(int(number))
    return found


def _strings(service: Service) -> Iterable[str]:
    yield from (template(value) for value in service.environment.values() if value is not None)
    yield from (template(word) for word in (service.command or ()) + (service.entrypoint or ()))
    for mount in service.volumes:
        for content in mount.files or ():
            if len(content.content) < 100_000:
                yield content.content.decode("utf-8", "ignore")


def waits(system: System, service: Service, kinds: Mapping[str, str]) -> Iterator[Wait]:
    """What a service's start is held back for, in the file's order."""
    for name, dependency in service.depends_on.items():
        if dependency.condition != "service_started" and name in kinds:
            yield Wait(name, label(name), kinds[name], dependency.condition)


def joined(system: System, service: Service) -> str:
    """The service whose pod this one shares, or ""."""
    for mode in (service.network_mode, service.ipc, service.pid):
        kind, _, name = (mode or "").partition(":")
        if kind == "service" and name in system.services:
            return name
    return ""


def networks(system: System) -> tuple[Network, ...]:
    """The compose networks, with the services on each."""
    members: dict[str, list[str]] = {}
    for name, service in everything(system).items():
        on = list(service.networks) or ([] if service.network_mode else ["default"])
        for network in on:
            members.setdefault(network, []).append(name)
    found = []
    for name, services in sorted(members.items()):
        about = system.networks.get(name) or NOTHING
        slug = label(str(about.name or name) if about.external else name, 40)
        found.append(Network(name, slug, about.internal, about.external, tuple(services)))
    return tuple(found)


def isolated(system: System) -> bool:
    """Whether a policy asks for network policies."""
    return bool(said(system).get("networkPolicy"))


def restless(system: System) -> frozenset[str]:
    """Services with a health check that call themselves, or call each other: readiness must not keep them apart."""
    calls = {
        name: {
            other
            for other in system.services
            if any(re.search(rf"(?<![\w.-]){re.escape(other)}(?![\w-])", text) for text in _strings(service))
        }
        for name, service in system.services.items()
        if service.healthcheck and len(system.services) <= CROWD
    }
    return frozenset(name for name, others in calls.items() if any(name in calls.get(other, ()) for other in others))


def aliases(system: System, slugs: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Further names of services, by which others call them."""
    found: dict[str, list[str]] = {}
    for name, service in system.services.items():
        wanted = [alias for attachment in service.networks.values() for alias in attachment.aliases]
        wanted += [service.hostname or "", service.container_name or ""]
        for alias in wanted:
            if DNS_LABEL.fullmatch(alias) and alias not in slugs.values():
                found.setdefault(alias, []).append(slugs[name])
    for service in system.services.values():
        for link in service.links:
            target, _, alias = link.partition(":")
            if target in slugs and alias and DNS_LABEL.fullmatch(alias) and alias not in slugs.values():
                found.setdefault(alias, []).append(slugs[target])
    return {alias: tuple(dict.fromkeys(found[alias])) for alias in sorted(found)}
