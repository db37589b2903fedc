"""System -> Plan: which workloads there are, and what each of them needs of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tycho.chart import sharing, wiring
from tycho.chart.hidden import hide_credentials
from tycho.chart.kinds import kinds
from tycho.chart.mounted import Volume
from tycho.chart.names import Names, label
from tycho.chart.plan import Network, Plan
from tycho.chart.storage import Store
from tycho.chart.unready import restless
from tycho.chart.workload import CONDITIONS, Container, ContainerPort, Pod, Wait
from tycho.model import Live, Service, System
from tycho.model.numbers import is_digits

SOURCED = frozenset({"content", "owner", "seed", "copy"})
"""What is done to volumes with something else: an image, or files."""


def plan(system: System) -> Plan:
    """Decide what exists; nothing here depends on what a variable is worth."""
    system, concealed = hide_credentials(system)
    whole, system = system, wiring.needed(system)
    services = wiring.everything(system)
    homes = wiring.homes(services)
    kind_of = kinds(system, wiring.called(system))
    store = Store(system)
    networks = wiring.networks(system)
    aliases = wiring.aliases(system, homes)
    labels = _labels(networks if wiring.isolated(system) else (), aliases)
    ending = {
        name
        for service in services.values()
        for name, dependency in service.depends_on.items()
        if dependency.condition == CONDITIONS[-1]
    }
    pods = []
    for order, (name, names) in enumerate(wiring.pods(system).items()):
        volumes: dict[str, Volume] = {}
        containers = _stage(system, [_container(member, services[member], store, volumes) for member in names])
        waits: dict[str, Wait] = {}
        for member in names:
            for wait in wiring.waits(services[member], kind_of[name], kind_of, homes):
                known = waits.get(wait.slug, wait)
                if wait.slug != label(name):
                    waits[wait.slug] = max(known, wait, key=lambda each: CONDITIONS.index(each.condition))
        on = dict.fromkeys(key for one in names for key in labels.get(one, ()))
        if waits and on:
            on["tycho.dev/waits"] = None
        pods.append(
            Pod(
                name=name,
                slug=label(name),
                order=order,
                kind=kind_of[name],
                containers=tuple(containers),
                waits=tuple(waits.values()),
                volumes=tuple(volumes[key] for key in sorted(volumes)),
                held=any(one.kind == "claim" and store.held(one.source) for one in volumes.values()),
                labels=tuple((key, "true") for key in on),
                checksums=tuple(_checksums(containers, volumes.values())),
                end_awaited=any(member in ending for member in names),
            )
        )
    used = sharing.users(pods)
    together = sharing.neighbours(pods, used)
    return Plan(
        system=system,
        chart=label(system.name),
        pods=together,
        homes={container.name: pod for pod in together for container in pod.containers},
        trees=tuple(store.trees[slug] for slug in sorted(store.trees)),
        claims={name: sharing.owned(store.claims[name], used.get(name, ())) for name in sorted(store.claims)},
        ports=_together(wiring.ports(system), homes),
        secrecy=store.secrecy,
        outcomes=store.outcomes,
        networks=networks,
        enclosed=wiring.find_enclosed(networks),
        restless=restless(system, kind_of),
        aliases=aliases,
        unused=wiring.unused(whole, system),
        concealed=concealed,
    )


def _container(name: str, service: Service, store: Store, volumes: dict[str, Volume]) -> Container:
    mounts, steps = [], []
    known = {(stem, replace(volume, name="")): key for key, volume in volumes.items() for stem in _stems(key)}
    names = Names(volumes)

    def named(volume: Volume | None) -> str:
        if volume is None:
            return ""
        bare = replace(volume, name="")
        if (volume.name, bare) not in known:  # one secret in two modes is two volumes
            free = known[volume.name, bare] = names.take(volume.name)
            volumes[free] = replace(volume, name=free)
        return known[volume.name, bare]

    for mounting in store.mounts(name, service):
        filled = named(mounting.volume)
        mounts.append(replace(mounting.mounted, volume=filled))
        for step in mounting.steps:
            source = mounting.image if step.verb in ("content", "owner") else mounting.source
            steps.append(replace(step, volume=filled, source=named(source if step.verb in SOURCED else None)))
    ports, own = wiring.declared(service), secrets(service)
    return Container(name, label(name), service, ports, tuple(mounts), own, steps=tuple(dict.fromkeys(steps)))


def _stage(system: System, containers: Sequence[Container]) -> list[Container]:
    """Have the containers of a pod start in the order of their services' `depends_on`."""
    awaited: dict[str, set[str]] = {}
    for container in containers:
        for name, dependency in container.service.depends_on.items():
            if not wiring.is_implied(system, container.name, name):  # what they share is there before all of them
                awaited.setdefault(name, set()).add(dependency.condition)
    return [
        replace(
            container,
            stage="init" if CONDITIONS[-1] in awaited[container.name] else "sidecar",
            gates="service_healthy" in awaited[container.name],
        )
        if container.name in awaited
        else container
        for container in containers
    ]


def _stems(key: str) -> tuple[str, ...]:
    """The names that a volume may have had before it was told apart by a number."""
    stem, _, number = key.rpartition("-")
    return (key, stem) if is_digits(number) else (key,)


def secrets(service: Service) -> tuple[str, ...]:
    """Which Secrets of its own a service needs: for variables, and for the contents of its env_file."""
    live = any(isinstance(value, Live) for value in service.environment.values())
    found = ("env",) if live or secret_names(service) or service.environment_pass else ()
    return (*found, "env-file") if service.env_file else found


def secret_names(service: Service) -> tuple[str, ...]:
    """Environment entries that the release alone holds: secret by their names, or by what they show."""
    return service.environment_secret


def _labels(networks: Iterable[Network], aliases: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Labels of the pods of each service: its networks, and the aliases that it shares with others."""
    found: dict[str, list[str]] = {}
    for network in networks:
        for name in network.members:
            found.setdefault(name, []).append(network.label)
    for alias, names in aliases.items():
        for name in names if len(names) > 1 else ():
            found.setdefault(name, []).append(wiring.alias_label(alias))
    return found


def _checksums(containers: Iterable[Container], volumes: Iterable[Volume]) -> Iterable[str]:
    """Data whose change must roll the pod, as the names of the objects that hold it."""
    found = [f"{container.slug}-{secret}" for container in containers for secret in container.secrets]
    for volume in volumes:
        if volume.kind == "secret":
            found.append(f"secret-{volume.slug}")
        elif volume.kind in ("configMap", "projected") and not volume.source:
            found.append(f"config-{volume.slug}")
        if volume.kind in ("secretFiles", "projected"):
            found.append(f"files.{volume.slug}")
    return sorted(set(found))


def _together(
    ports: Mapping[str, tuple[ContainerPort, ...]], homes: Mapping[str, str]
) -> dict[str, tuple[ContainerPort, ...]]:
    """The ports of a pod are those of all its services."""
    found: dict[str, dict[tuple[int, str], ContainerPort]] = {}
    for name, listed in ports.items():
        of_pod = found.setdefault(homes[name], {})
        for port in listed:
            known = of_pod.get((port.number, port.protocol), port)
            of_pod[port.number, port.protocol] = port if known.guessed else known
    return {name: tuple(of_pod.values()) for name, of_pod in found.items()}
