"""The layout of a chart: every object that it will hold, and what the report needs besides."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from tycho.chart.container import Container
from tycho.chart.hidden import Concealed
from tycho.chart.mount_kinds import MountKinds
from tycho.chart.objects import ChartSecret, ConfigMap, NetworkMembers, PersistentVolumeClaim
from tycho.chart.secretfiles import SecretFileRules
from tycho.chart.services import service_path
from tycho.chart.workload import Workload
from tycho.model import Project


class ChartLayout(Struct, frozen=True):
    """Everything that a chart is made of.

    Args:
        system: The project: for the report, for those who judge rights, and for what policies and the chart say of it.
        chart: The chart's name.
        workloads: In the file's order.
        configmaps: Files of the project, and text that reads variables.
        configs: Configs that exist already: their names in values, and what they are called.
        claims: By the name that values know them by.
        secrets: Of the compose file.
        variables: Those that a text of the chart reads, with the places of the file that do.
        networks: Compose networks that are NetworkPolicies; empty where no policy asks for any.
        enclosed: Services that only internal networks know: they publish nothing.
        aliases: Alias -> services whose pods it names.
        unused: Paths of what no service uses.
        concealed: What was secret, and is the release's.
        attachments: The sets of networks that services are on.
    """

    system: Project
    chart: str
    workloads: tuple[Workload, ...]
    configmaps: tuple[ConfigMap, ...]
    claims: Mapping[str, PersistentVolumeClaim]
    secret_files: SecretFileRules
    mount_kinds: MountKinds
    configs: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[ChartSecret, ...] = ()
    variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    networks: tuple[NetworkMembers, ...] = ()
    isolated: bool = False
    enclosed: frozenset[str] = frozenset()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    pod_by_service: Mapping[str, Workload] = field(default_factory=dict)  # of each service
    concealed: tuple[Concealed, ...] = ()
    attachments: frozenset[frozenset[str]] = frozenset()

    @property
    def containers(self) -> tuple[Container, ...]:
        """The containers of all workloads: each is a service."""
        return tuple(container for container, _ in self.placed_containers)

    @property
    def placed_containers(self) -> tuple[tuple[Container, Workload], ...]:
        """The same, each with its workload."""
        return tuple((container, workload) for workload in self.workloads for container in workload.containers)

    def locate(self, name: str) -> str:
        """Return the path of a service or job in the compose file."""
        return service_path(self.system, name)
