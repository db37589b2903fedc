"""Check how much a chart may hold: counted on the project, before anything is built.

Helm keeps each release in one Secret of a megabyte, which is full with some 500 services, and an object of Kubernetes
holds little more. What is beyond these limits could never be installed, and would only take time and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from tycho.chart.services import all_services, pod_of_service, service_path
from tycho.chart.variables import list_texts
from tycho.errors import Problem
from tycho.model import Live, Project, Service
from tycho.model.compose_paths import SECTIONS
from tycho.model.numbers import is_digits

MAX_SERVICES = 2_500
MAX_CONTAINERS = 100  # of one pod
MAX_CHAIN = 50  # services that take their volumes from each other
MAX_TEXT = 32 * 1024 * 1024  # characters of all values
MAX_DOLLARS = 200_000  # in all texts that read variables


class Limit(NamedTuple):
    """Things that a service may have many of.

    Args:
        what: Their name, in the plural.
        each: How many a service may have.
        together: How many all services may have.
        count: Counts those of one service.
        hint: What to do.
    """

    what: str
    each: int
    together: int
    count: Callable[[Service], int]
    hint: str


def _count_ports(service: Service) -> int:
    return len(service.ports) + sum(_span(text) for text in service.expose)


def _span(text: str) -> int:
    first, _, last = text.partition("/")[0].partition("-")
    if not (is_digits(first) and is_digits(last or first)) or max(len(first), len(last)) > 5:
        return 1  # which is told elsewhere
    return max(1, int(last or first) - int(first) + 1)


def _count_names(service: Service) -> int:
    return len(service.links) + sum(len(attachment.aliases) for attachment in service.networks.values())


def _count_waits(service: Service) -> int:
    return sum(dependency.condition != "service_started" for dependency in service.depends_on.values())


def _count_entries(service: Service) -> int:
    return len(service.environment) + sum(len(file.entries or ()) for file in service.env_file)


def _count_mounts(service: Service) -> int:
    return len(service.volumes) + len(service.tmpfs) + len(service.configs) + len(service.secrets)


LIMITS = (
    Limit("ports", 1_000, 10_000, _count_ports, "list single ports instead of ranges"),
    Limit("environment entries", 5_000, 200_000, _count_entries, "move them into a config"),
    Limit("services to wait for", 500, 10_000, _count_waits, "wait only for services that are needed at the start"),
    Limit("aliases and links", 1_000, 20_000, _count_names, "call services by their names"),
    Limit("networks", 1_000, 50_000, lambda service: len(service.networks), "put services that call each other on one"),
    Limit("hooks", 100, 5_000, lambda service: len(service.pre_start), "put commands into one hook"),
    Limit("labels", 5_000, 200_000, lambda service: len(service.labels) + len(service.annotations), "keep few"),
)
MOUNTS = Limit("mounts", 1_000, 30_000, _count_mounts, "mount folders instead of single files")


def find_exceeded(system: Project) -> Iterator[Problem]:
    """Find what a chart has no room for.

    Args:
        system: The system after the policies.

    Yields:
        A problem for each limit that a service, or all of them, are beyond.
    """
    services = all_services(system)
    if len(services) > MAX_SERVICES:
        message = f"{len(services)} services; a Helm release has room for about 500"
        yield system.make_problem("services", message, "split them into several projects")
        return
    for limit in LIMITS:
        yield from _find_exceeded(system, limit, {name: limit.count(service) for name, service in services.items()})
    mounts, long_chains = _add_up_mounts(services)
    yield from _find_exceeded(system, MOUNTS, mounts)
    for name in long_chains[:1]:
        message = f"a chain of volumes_from is longer than {MAX_CHAIN} services"
        hint = "name the volumes, and mount them in each service"
        yield system.make_problem(f"{service_path(system, name)}.volumes_from", message, hint)
    pods: dict[str, int] = {}
    for home in pod_of_service(services).values():
        pods[home] = pods.get(home, 0) + 1
    for name, count in pods.items():
        if count > MAX_CONTAINERS:
            message = f"{count} services share its pod; the limit is {MAX_CONTAINERS} containers"
            yield system.make_problem(
                service_path(system, name), message, "remove network_mode: service:NAME from some"
            )
    yield from _count_texts(system)


def _find_exceeded(system: Project, limit: Limit, counts: Mapping[str, int]) -> Iterator[Problem]:
    for name, count in counts.items():
        if count > limit.each:
            message = f"{count} {limit.what}; the limit of a service is {limit.each}"
            yield system.make_problem(service_path(system, name), message, limit.hint)
    if (total := sum(counts.values())) > limit.together:
        message = f"{total} {limit.what} in all services together; the limit is {limit.together}"
        yield system.make_problem("services", message, limit.hint)


def _add_up_mounts(services: Mapping[str, Service]) -> tuple[dict[str, int], list[str]]:
    """Count the mounts of every service with those that it takes from others; and name those in a long row."""
    counts: dict[str, int] = {}
    depths: dict[str, int] = {}
    open_ = [*services]
    visited: set[str] = set()
    while open_:
        name = open_[-1]
        sources = [source for other in services[name].volumes_from if (source := other.partition(":")[0]) in services]
        waiting = [source for source in sources if source not in counts and source not in visited]
        if waiting and name not in counts:
            visited.add(name)
            open_ += waiting
            continue
        open_.pop()
        if name not in counts:
            counts[name] = _count_mounts(services[name]) + sum(counts.get(source, 0) for source in sources)
            depths[name] = 1 + max((depths.get(source, 0) for source in sources), default=0)
    return counts, [name for name, depth in depths.items() if depth > MAX_CHAIN]


def _count_texts(system: Project) -> Iterator[Problem]:
    """Count the characters of all values, and the dollar signs of those that read variables."""
    characters = dollars = 0
    for text in list_texts([getattr(system, section) for section in SECTIONS]):
        characters += len(text)
        if isinstance(text, Live):
            dollars += text.template.count("$")
    if characters > MAX_TEXT:
        message = f"all values together are larger than {MAX_TEXT >> 20} MiB; the limit of a release is about 1 MiB"
        yield system.make_problem("services", message, "keep large texts in volumes or images")
    if dollars > MAX_DOLLARS:
        message = f"the values read more than {MAX_DOLLARS} variables, which is too slow for Helm"
        yield system.make_problem("services", message, "read each variable where it is needed")
