"""Build the layout of a chart: its workloads, what each holds, and what each needs of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from msgspec.structs import replace

from tycho.chart import colocation, networking
from tycho.chart.container import Container, ContainerPort, Text
from tycho.chart.early_names import find_reached_early
from tycho.chart.expressions import to_text
from tycho.chart.hidden import hide_credentials
from tycho.chart.layout import ChartLayout
from tycho.chart.mounts import PodVolume
from tycho.chart.names import DNS_LABEL, label
from tycho.chart.objects import ChartSecret
from tycho.chart.services import all_services, drop_unused, list_unused, pod_of_service, services_by_pod
from tycho.chart.translate import deploy, hooks, image, jobs
from tycho.chart.translate.container import ContainerTranslator
from tycho.chart.translate.dns import translate_dns, translate_hosts
from tycho.chart.translate.key_rule import read_fields
from tycho.chart.translate.placement import (
    list_tolerations,
    translate_constraints,
    translate_platform,
    translate_spread,
)
from tycho.chart.translate.security import group_of, translate_pod_security
from tycho.chart.variables import list_variables
from tycho.chart.volumes import VolumePlanner
from tycho.chart.workload import CONDITIONS, Checksum, Wait, Workload
from tycho.chart.workload_kind import (
    COUNTED,
    JOBS,
    decide_kinds,
    may_scale,
    retry_limit,
    sort_by_dependence,
    tycho_extension,
)
from tycho.model import Project, Service


def assemble_layout(system: Project) -> ChartLayout:
    """Build the layout of a project's chart; no value of a variable decides anything here."""
    system, concealed = hide_credentials(system)
    whole, system = system, drop_unused(system)
    layout = _Assembly(system).lay_out()
    return replace(layout, unused=list_unused(whole, system), concealed=concealed)


class _Assembly:
    """Facts of a whole project, for building its workloads one by one."""

    def __init__(self, system: Project) -> None:
        self.system = system
        self.services = all_services(system)
        self.pod_names = pod_of_service(self.services)
        spoken = tuple(networking.referencing_texts(system))
        self.kind_of = decide_kinds(system, networking.find_called(system, spoken))
        self.planner = VolumePlanner(system, self.kind_of)
        self.networks = networking.list_networks(system)
        self.isolated = networking.has_network_policies(system)
        self.aliases = networking.list_aliases(system, self.pod_names)
        self.ports = _together(networking.list_ports(system, spoken), self.pod_names)
        self.enclosed = networking.find_enclosed(self.networks)
        self.reached_early = find_reached_early(system, spoken, self.kind_of)
        self.labels = self._list_labels()
        self.translator = ContainerTranslator(system, self.planner, self.enclosed)

    def lay_out(self) -> ChartLayout:
        workloads = [
            self._workload(order, name, names)
            for order, (name, names) in enumerate(services_by_pod(self.system).items())
        ]
        awaited = {wait.slug for workload in workloads for wait in workload.waits if not wait.api}
        workloads = [replace(workload, awaited=workload.slug in awaited) for workload in workloads]
        used = colocation.pods_by_claim(workloads)
        together = colocation.colocate(workloads, used)
        planner, system = self.planner, self.system
        layout = ChartLayout(
            system=system,
            chart=label(system.name),
            workloads=together,
            pod_by_service={container.service: workload for workload in together for container in workload.containers},
            configmaps=tuple(planner.configmaps[slug] for slug in sorted(planner.configmaps)),
            configs={name: to_text(config.name) or name for name, config in system.configs.items() if config.external},
            secrets=tuple(
                ChartSecret(name, label(name), (to_text(secret.name) or name) if secret.external else "")
                for name, secret in system.secrets.items()
            ),
            claims={
                name: colocation.claim_template(planner.claims[name], used.get(name, ()))
                for name in sorted(planner.claims)
            },
            secret_files=planner.secret_files,
            mount_kinds=planner.mount_kinds,
            networks=self.networks,
            isolated=self.isolated,
            enclosed=self.enclosed,
            aliases=self.aliases,
            attachments=frozenset(frozenset(service.networks) for service in system.services.values()),
        )
        return replace(layout, variables=list_variables(layout))

    def _workload(self, order: int, name: str, names: Sequence[str]) -> Workload:
        service, kind = self.services[name], self.kind_of[name]
        members = [self.services[member] for member in names]
        modes = {member.network_mode for member in members}
        volumes: dict[str, PodVolume] = {}
        containers = [self.translator.translate(member, volumes) for member in names]
        single_node = any(
            volume.kind == "claim" and self.planner.is_single_node(volume.source) for volume in volumes.values()
        )
        containers = self.translator.finish(containers, single_node=single_node)
        waits = self._list_waits(name, names)
        labels = dict.fromkeys(key for member in names for key in self.labels.get(member, ()))
        if labels and any(wait.api for wait in waits):
            labels["tycho.dev/waits"] = None
        counted = kind in COUNTED or _has_completions(service)
        hostname = (service.hostname or "").lower()
        ports, headless = self.ports.get(name, ()), self._is_headless(name)
        named = kind not in JOBS or ports
        return Workload(
            name=name,
            slug=label(name),
            order=order,
            kind=kind,
            containers=tuple(containers),
            early=self._sort_early(containers),
            waits=waits,
            volumes=tuple(volumes[key] for key in sorted(volumes)),
            labels=tuple((key, "true") for key in labels),
            checksums=tuple(_list_checksums(containers, volumes.values())),
            single_node=single_node,
            replicas=deploy.translate_replicas(service) if counted else None,
            may_scale=may_scale(service),
            completions=_has_completions(service),
            strategy=deploy.translate_strategy(service, kind, single_node=single_node),
            schedule=jobs.translate_schedule(service) if kind == "CronJob" else None,
            attempts=retry_limit(service),
            persists=jobs.persists(service, kind),
            backoff_limit=jobs.backoff_limit(service, kind),
            may_run_on=jobs.persists(service, kind) and not self._is_end_awaited(names),
            restart="" if kind not in JOBS else "OnFailure" if jobs.persists(service, kind) else "Never",
            grace=max(hooks.grace_seconds(member, single_node=single_node) for member in members),
            hostname=hostname if DNS_LABEL.fullmatch(hostname) else "",
            host_network="host" in modes,
            host_pid=service.pid == "host",
            host_ipc=service.ipc == "host",
            shares_processes=any((member.pid or "").startswith("service:") for member in members),
            host_aliases=translate_hosts(service),
            dns=translate_dns(service),
            sysctls={key: to_text(value) for key, value in sorted(service.sysctls.items())},
            security_context=translate_pod_security(service),
            runtime_class=cast("Text", read_fields(image.KEYS, service, "pod").get("runtimeClassName", "")),
            node_selector=translate_platform(service),
            affinity=translate_constraints(service.deploy.placement),
            tolerations=list_tolerations(members),
            spread=tuple(translate_spread(service.deploy.placement)),
            single_per_node=service.deploy.placement.max_replicas_per_node == 1,
            fs_group=next(filter(None, map(group_of, members)), ""),
            connected=service.network_mode != "none",
            headless=headless,
            publishes_not_ready=bool(named and headless) or any(member in self.reached_early for member in names),
            ports=ports,
        )

    def _is_headless(self, name: str) -> bool:
        """Tell whether a workload's name leads to its containers' own addresses, and to every port of them.

        So it is where nothing is known of where it listens, and where the file asks for it. Else the name has one
        address that stays: who asks for it once may keep it.
        """
        service = self.services[name]
        asked = tycho_extension(service).get("headless") or service.deploy.endpoint_mode == "dnsrr"
        return bool(asked) or self.kind_of[name] == "StatefulSet" or not self.ports.get(name)

    def _is_end_awaited(self, names: Sequence[str]) -> bool:
        return any(
            dependency.condition == CONDITIONS[-1]
            for service in self.services.values()
            for name, dependency in service.depends_on.items()
            if name in names
        )

    def _list_waits(self, name: str, names: Sequence[str]) -> tuple[Wait, ...]:
        """List the workloads that a pod waits for, each once, with the strongest condition."""
        waits: dict[str, Wait] = {}
        for member in names:
            for wait in networking.list_waits(self.services[member], self.kind_of[name], self.kind_of, self.pod_names):
                known = waits.get(wait.slug, wait)
                if wait.slug != label(name):
                    waits[wait.slug] = max(known, wait, key=lambda each: CONDITIONS.index(each.condition))
        return tuple(
            replace(
                wait,
                api=wait.condition != "service_healthy",
                counted=self.kind_of[self.pod_names[wait.name]] in COUNTED,
            )
            for wait in waits.values()
        )

    def _sort_early(self, containers: Sequence[Container]) -> tuple[Container, ...]:
        """Sort the containers that others of the pod start after, each after those that it waits for itself."""
        staged = {container.service: container for container in containers if container.stage}
        order = sort_by_dependence({name: self.services[name] for name in staged})
        return tuple(staged[name] for name in order)

    def _list_labels(self) -> dict[str, list[str]]:
        """List labels of the pods of each service: its networks, and the aliases that it shares with others."""
        labels: dict[str, list[str]] = {}
        for network in self.networks if self.isolated else ():
            for name in network.members:
                labels.setdefault(name, []).append(network.label)
        for alias, names in self.aliases.items():
            for name in names if len(names) > 1 else ():
                labels.setdefault(name, []).append(networking.alias_label(alias))
        return labels


def _has_completions(service: Service) -> bool:
    """Tell whether a job runs in several pods."""
    return (service.deploy.mode or "").endswith("-job") and service.deploy.replicas is not None


def _list_checksums(containers: Iterable[Container], volumes: Iterable[PodVolume]) -> list[Checksum]:
    """List the data whose change must roll the pod."""
    checksums = {}
    for container in containers:
        if container.env.has_secret:
            checksums[f"{container.name}-env"] = Checksum(f"{container.name}-env", "env", container.service)
        if container.env.from_file:
            name = f"{container.name}-env-file"
            checksums[name] = Checksum(name, "env-file", container.service)
    for volume in volumes:
        if volume.kind == "secret":
            checksums[f"secret-{volume.slug}"] = Checksum(f"secret-{volume.slug}", "secret", volume.source)
        elif volume.kind in ("configMap", "projected") and not volume.source:
            checksums[f"config-{volume.slug}"] = Checksum(f"config-{volume.slug}", "config", volume.slug)
        if volume.kind in ("secretFiles", "projected"):
            checksums[f"files.{volume.slug}"] = Checksum(f"files.{volume.slug}", "secret-files", volume.slug)
    return [checksums[name] for name in sorted(checksums)]


def _together(
    ports: Mapping[str, tuple[ContainerPort, ...]], pod_names: Mapping[str, str]
) -> dict[str, tuple[ContainerPort, ...]]:
    """Join the ports of all services of a pod."""
    joined: dict[str, dict[tuple[int, str], ContainerPort]] = {}
    for name, listed in ports.items():
        of_pod = joined.setdefault(pod_names[name], {})
        for port in listed:
            known = of_pod.get((port.number, port.protocol), port)
            of_pod[port.number, port.protocol] = port if known.guessed else known
    return {name: tuple(of_pod.values()) for name, of_pod in joined.items()}
