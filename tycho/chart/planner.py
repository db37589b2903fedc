"""System -> Plan: which workloads there are, and what each of them needs of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from tycho.chart import wiring
from tycho.chart.kinds import kinds, said
from tycho.chart.names import label
from tycho.chart.plan import Claim, Container, ContainerPort, Network, Plan, Pod, Volume
from tycho.chart.storage import Store, slots
from tycho.model import Live, Service, System


def plan(system: System) -> Plan:
    """Decide what exists; nothing here depends on what a variable is worth."""
    services = wiring.everything(system)
    homes = {name: _home(system, name) for name in services}
    kind_of = {name: kind for name, kind in kinds(system).items() if homes[name] == name}
    store = Store(system)
    networks = wiring.networks(system)
    labelled = networks if wiring.isolated(system) else ()
    aliases = wiring.aliases(system, {name: label(homes[name]) for name in system.services})
    pods = []
    for order, name in enumerate(name for name in services if homes[name] == name):
        members = [name] + [other for other in services if homes[other] == name and other != name]
        volumes: dict[str, Volume] = {}
        containers = []
        for member in members:
            mounts = []
            for mounted, volume in store.mounts(member, services[member]):
                volumes[volume.name] = volume
                mounts.append(mounted)
            containers.append(
                Container(
                    member,
                    label(member),
                    services[member],
                    wiring.declared(services[member]),
                    tuple(mounts),
                    secrets(services[member]),
                )
            )
        waits = {
            wait.name: wait
            for member in members
            for wait in wiring.waits(system, services[member], kind_of)
            if homes[wait.name] != name
        }
        pods.append(
            Pod(
                name=name,
                slug=label(name),
                order=order,
                kind=kind_of[name],
                containers=tuple(containers),
                waits=tuple(waits.values()),
                volumes=slots(volumes),
                labels=tuple(_labels(label(name), members, labelled, aliases, waits=bool(waits))),
                checksums=tuple(_checksums(containers, volumes.values())),
            )
        )
    return Plan(
        system=system,
        chart=label(system.name),
        pods=_neighbours(pods, store),
        trees=tuple(store.trees[slug] for slug in sorted(store.trees)),
        claims=tuple(_owned(store.claims[name], pods) for name in sorted(store.claims)),
        ports=_together(wiring.ports(system), homes),
        networks=networks,
        restless=wiring.restless(system),
        aliases=aliases,
    )


def secrets(service: Service) -> tuple[str, ...]:
    """Which Secrets of its own a service needs: for variables, and for the contents of its env_file."""
    live = any(isinstance(value, Live) for value in service.environment.values())
    named = secret_names(service)
    found = ["env"] if live or named or service.environment_pass else []
    return (*found, *(["env-file"] if service.env_file else []))


def secret_names(service: Service) -> tuple[str, ...]:
    """Environment entries that are secret by their names, whatever they hold."""
    patterns = [str(pattern).lower() for pattern in said(service).get("secretEnvironment") or ()]
    return tuple(
        name
        for name in service.environment
        if name not in service.environment_pass and any(fnmatchcase(name.lower(), pattern) for pattern in patterns)
    )


def _home(system: System, name: str) -> str:
    seen = [name]
    while (host := wiring.joined(system, wiring.everything(system)[seen[-1]])) and host not in seen:
        seen.append(host)
    return seen[-1]


def _labels(
    slug: str,
    members: list[str],
    networks: Iterable[Network],
    aliases: Mapping[str, tuple[str, ...]],
    *,
    waits: bool,
) -> Iterable[tuple[str, str]]:
    for network in networks:
        if any(member in network.members for member in members):
            yield network.label, "true"
    if waits and networks:
        yield "tycho.dev/waits", "true"
    for alias, named in aliases.items():
        if slug in named and len(named) > 1:
            yield f"tycho.dev/alias-{alias[:50]}", "true"


def _checksums(containers: Iterable[Container], volumes: Iterable[Volume]) -> Iterable[str]:
    """Data whose change must roll the pod, as the names of the objects that hold it."""
    found = [f"{container.slug}-{secret}" for container in containers for secret in container.secrets]
    for volume in volumes:
        if volume.kind == "secret":
            found.append(f"secret-{volume.slug}")
        elif volume.kind == "configMap" and not volume.source:
            found.append(f"config-{volume.slug}")
    return sorted(set(found))


def _owned(claim: Claim, pods: list[Pod]) -> Claim:
    """A volume that one StatefulSet alone uses is a claim of each of its pods."""
    users = [
        pod for pod in pods if any(volume.source == claim.name for volume in pod.volumes if volume.kind == "claim")
    ]
    if len(users) == 1 and users[0].kind == "StatefulSet" and not claim.existing:
        return replace(claim, owner=users[0].name)
    return claim


def _neighbours(pods: list[Pod], store: Store) -> tuple[Pod, ...]:
    """Pods that share volumes must share a node, as one group: a second term would keep the first pod out."""
    groups: list[tuple[set[str], set[str]]] = []  # pods, volumes
    for pod in pods:
        mine = {volume.source for volume in pod.volumes if volume.kind == "claim"}
        touching = [group for group in groups if group[1] & mine]
        names, volumes = (
            {pod.name}.union(*(group[0] for group in touching)),
            mine.union(*(group[1] for group in touching)),
        )
        groups = [group for group in groups if group not in touching] + ([(names, volumes)] if mine else [])
    found = []
    for pod in pods:
        for names, volumes in groups:
            if pod.name in names and pod.kind != "StatefulSet" and (len(names) > 1 or several(pod.service)):
                group = label(min(names))
                labels = (*pod.labels, ("tycho.dev/volumes", group))
                pod = replace(pod, group=group, claims=tuple(sorted(volumes)), labels=labels)  # noqa: PLW2901
        found.append(pod)
    return tuple(found)


def several(service: Service) -> bool:
    """Whether a service has, or may come to have, more than one pod."""
    replicas = service.deploy.replicas if service.deploy.replicas is not None else service.scale
    return replicas is not None and (isinstance(replicas, Live) or replicas > 1)


def _together(
    ports: Mapping[str, tuple[ContainerPort, ...]], homes: Mapping[str, str]
) -> dict[str, tuple[ContainerPort, ...]]:
    """The ports of a pod are those of all its services."""
    found: dict[str, dict[ContainerPort, None]] = {}
    for name, listed in ports.items():
        found.setdefault(homes[name], {}).update(dict.fromkeys(listed))
    return {name: tuple(listed) for name, listed in found.items()}
