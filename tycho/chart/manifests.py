"""Which template is written when, and which kinds of objects come of it: one row a template."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter

from msgspec import Struct, field

from tycho import kinds
from tycho.chart.container import Container, Expression
from tycho.chart.layout import ChartLayout
from tycho.chart.names import UNWRITABLE, label
from tycho.chart.networking import alias_label
from tycho.chart.objects import ConfigMap
from tycho.chart.workload import Wait, Workload
from tycho.chart.workload_kind import COUNTED, JOBS
from tycho.kinds import Kind


class Manifest(Struct, frozen=True):
    """One file of `templates/`, and what its template is told."""

    file: str
    context: Mapping[str, object] = field(default_factory=dict)


Lister = Callable[[ChartLayout], Iterator[Manifest]]


def list_workloads(suffix: str, has: Callable[[Workload], object]) -> Lister:
    """Make the lister of a file for each workload that something is true of."""
    return lambda layout: (
        Manifest(f"{workload.slug}-{suffix}", {"workload": workload}) for workload in layout.workloads if has(workload)
    )


def list_once(file: str, has: Callable[[ChartLayout], object]) -> Lister:
    """Make the lister of one file, where something is true of the layout."""
    return lambda layout: iter([Manifest(file)] if has(layout) else [])


def is_kind(name: str) -> Callable[[Workload], bool]:
    """Make the test whether a workload is of a kind."""
    return lambda workload: workload.kind == name


def has_service(workload: Workload) -> bool:
    """Tell whether a workload has a name: a job has one where the file says that it listens at a port."""
    return workload.kind not in JOBS or any(not port.guessed for port in workload.ports)


def has_budget(workload: Workload) -> bool:
    """Tell whether a workload has, or may have, several pods: draining a node leaves it some."""
    return workload.kind in COUNTED and workload.may_scale


def callable_containers(layout: ChartLayout) -> list[tuple[Container, Workload]]:
    """List the containers that the outside may call: what serves, and whatever publishes a port."""
    return [
        (container, workload)
        for container, workload in layout.placed_containers
        if container.published
        or (workload.kind not in JOBS and container is workload.containers[0] and workload.connected)
    ]


def names_pods(layout: ChartLayout) -> bool:
    """Tell whether a pod says itself how it is called, or how it looks others up."""
    return any(workload.hostname or workload.host_network or workload.dns for workload in layout.workloads)


def has_peers(layout: ChartLayout) -> bool:
    """Tell whether a workload may call another one."""
    return len(layout.workloads) > 1


def looks_up(layout: ChartLayout) -> bool:
    """Tell whether a pod is told how it looks names up."""
    return has_peers(layout) or names_pods(layout)


def list_aliases(layout: ChartLayout) -> Iterator[Manifest]:
    """List the Services of further names."""
    for alias, names in layout.aliases.items():
        ports = {port: None for name in names for port in layout.pod_by_service[name].ports}
        context = {
            "alias": alias,
            "label": alias_label(alias),
            "slugs": [label(name) for name in names],
            "ports": tuple(ports),
            "services": names,
        }
        yield Manifest(f"{alias}-alias", context)  # no service has a file of this name


def list_claims(layout: ChartLayout) -> Iterator[Manifest]:
    """List the claims that are not those of a StatefulSet's pods."""
    for claim in layout.claims.values():
        if not claim.owner:
            live = [(key, text) for key, text in claim.annotations.items() if isinstance(text, Expression)]
            yield Manifest(f"{claim.slug}-persistentvolumeclaim", {"claim": claim, "live_annotations": live})


def list_configmaps(layout: ChartLayout) -> Iterator[Manifest]:
    """List the file of ConfigMaps."""
    configmaps = [entry for entry in layout.configmaps if entry.needed]
    if configmaps:
        plain = [entry for entry in configmaps if not entry.live and _is_plain(entry)]
        special = [entry for entry in configmaps if entry not in plain]
        yield Manifest("configmaps", {"plain": plain, "special": special, "sections": list_sections})


def _is_plain(configmap: ConfigMap) -> bool:
    """Tell whether Helm reads every file of it as it is."""
    return bool(configmap.files) and all(
        not (file["binary"] or file["mark"]) for _, files in list_sections(configmap) for file in files
    )


def list_sections(configmap: ConfigMap) -> list[tuple[str, list[dict[str, object]]]]:
    """List `data` and `binaryData` of a ConfigMap, as far as it has them, with the files in each."""
    files = [_file(configmap.slug, name, content) for name, content in configmap.files.items()]
    sections = {
        "data": [file for file in files if not file["binary"]],
        "binaryData": [file for file in files if file["binary"]],
    }
    return [(section, entries) for section, entries in sections.items() if entries]


def _file(slug: str, name: str, content: bytes) -> dict[str, object]:
    try:
        binary = bool(UNWRITABLE.search(content.decode()))
    except UnicodeDecodeError:
        binary = True
    # Helm takes the mark off the front of every file of a chart; the template puts it back.
    mark = content.startswith(b"\xef\xbb\xbf")
    return {"key": name, "path": f"files/{slug}/{name}", "binary": binary, "mark": mark}


def fills(layout: ChartLayout) -> bool:
    """Tell whether something is done to volumes before a container starts."""
    return any(workload.fills for workload in layout.workloads)


def list_secrets(layout: ChartLayout) -> Iterator[Manifest]:
    """List the file of Secrets: environments, secrets of the compose file, and secret files."""
    pairs = layout.placed_containers
    context = {
        "environments": [(container, workload) for container, workload in pairs if container.env.has_secret],
        "env_files": [(container, workload) for container, workload in pairs if container.env.from_file],
        "secrets": layout.secrets,
        "secret_files": [configmap for configmap in layout.configmaps if configmap.secrets],
    }
    if any(context.values()):
        yield Manifest("secrets", context)


def list_rights(layout: ChartLayout) -> list[Wait]:
    """List what pods ask the API server about."""
    return [wait for workload in layout.workloads for wait in workload.waits if wait.api]


def list_waiting(layout: ChartLayout) -> Iterator[Manifest]:
    """List the file of rights, where something asks the API server."""
    if waits := list_rights(layout):
        started = any(wait.condition == "service_started" for wait in waits)
        jobs = any(wait.condition != "service_started" for wait in waits)
        waiting = [workload.name for workload in layout.workloads if workload.asks_api]
        yield Manifest("wait-rbac", {"started": started, "jobs": jobs, "waiting": waiting})


def list_networkpolicies(layout: ChartLayout) -> Iterator[Manifest]:
    """List the file of NetworkPolicies: of compose networks, where a policy asks for isolation; of lone services."""
    networks = layout.networks if layout.isolated else ()
    unconnected = list_unconnected(layout)
    if networks or unconnected:
        yield Manifest("networkpolicy", {"networks": networks, "fenced": is_fenced(layout), "unconnected": unconnected})


def list_unconnected(layout: ChartLayout) -> list[Workload]:
    """List the workloads that have no network."""
    return [workload for workload in layout.workloads if not workload.connected]


def is_fenced(layout: ChartLayout) -> bool:
    """Tell whether pods that ask the API server are on internal networks, and have no other way out."""
    internal = {name for network in layout.networks if network.internal for name in network.members}
    return layout.isolated and any(workload.asks_api and workload.name in internal for workload in layout.workloads)


def list_routed(layout: ChartLayout) -> list[tuple[Container, Workload]]:
    """List the containers that have a TCP port to the outside: a route may lead to it."""
    return [(container, workload) for container, workload in layout.placed_containers if container.ingress]


def list_routes(kind: str) -> Lister:
    """Make the lister of the file of routes of a kind."""
    return lambda layout: iter([Manifest(kind.lower(), {"routed": routed})] if (routed := list_routed(layout)) else [])


def list_tests(layout: ChartLayout) -> Iterator[Manifest]:
    """List `helm test`, where there is a port to call."""
    if targets := list_targets(layout):
        labels = [network.label for network in layout.networks] if layout.isolated else []
        yield Manifest("tests/connect", {"targets": targets, "labels": labels})


def list_targets(layout: ChartLayout) -> list[tuple[str, int]]:
    """List the names and ports that a test calls."""
    return [
        (workload.slug, port.number)
        for workload in layout.workloads
        if workload.kind not in JOBS and workload.connected
        for port in workload.ports
        if port.protocol == "TCP" and port.guessed != "image"  # which an image need not open
    ]


class Template(Struct, frozen=True):
    """A template of charts.

    Args:
        name: Its file below `chart_templates/templates`.
        list_manifests: Lists the files that are written of it.
        kinds: What the objects of such a file can be.
    """

    name: str
    list_manifests: Lister
    kinds: tuple[Kind, ...]


TEMPLATES = (
    *(
        Template(kind.name.lower(), list_workloads(kind.name.lower(), is_kind(kind.name)), (kind,))
        for kind in kinds.WORKLOADS.values()
    ),
    Template("service", list_workloads("service", has_service), (kinds.SERVICE,)),
    Template("awaited", list_workloads("awaited-service", attrgetter("awaited")), (kinds.SERVICE,)),
    Template("published", list_once("published", callable_containers), (kinds.SERVICE, kinds.NETWORK_POLICY)),
    Template("names", list_once("dns", has_peers), (kinds.SERVICE,)),
    Template("alias", list_aliases, (kinds.SERVICE,)),
    Template("persistentvolumeclaim", list_claims, (kinds.CLAIM,)),
    Template("configmaps", list_configmaps, (kinds.CONFIG_MAP,)),
    Template("fill", list_once("fill", fills), (kinds.CONFIG_MAP,)),
    Template("secrets", list_secrets, (kinds.SECRET,)),
    Template("wait-rbac", list_waiting, (kinds.SERVICE_ACCOUNT, kinds.ROLE, kinds.ROLE_BINDING)),
    Template("poddisruptionbudget", list_workloads("poddisruptionbudget", has_budget), (kinds.POD_DISRUPTION_BUDGET,)),
    Template("networkpolicy", list_networkpolicies, (kinds.NETWORK_POLICY,)),
    Template("ingress", list_routes(kinds.INGRESS.name), (kinds.INGRESS,)),
    Template("httproute", list_routes(kinds.HTTP_ROUTE.name), (kinds.HTTP_ROUTE,)),
    Template("tests/connect", list_tests, (kinds.POD,)),
    Template("extraobjects", list_once("extraobjects", lambda _layout: True), ()),  # of any kind: they are the user's
)
