"""Where a Compose key is seen in a chart: fields of objects, as the report names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from tycho.chart.chart import ReportTarget
from tycho.chart.container import Container
from tycho.chart.layout import ChartLayout
from tycho.chart.names import label
from tycho.chart.workload import Workload
from tycho.model import Json, Node, Service

RELEASE = "RELEASE"
"""Stands for the name of the release in names of objects."""


class KeyUse(Struct, frozen=True):
    """A key in use.

    Args:
        value: What the model holds.
        layout: What the chart will hold.
        name: The service (or network, volume, …) that it belongs to.
        service: The service, where it belongs to one.
        entry: The entry of a list that the key stands in.
    """

    value: Json
    layout: ChartLayout
    name: str
    service: Service
    entry: Node | None = None

    def of(self, value: Json, entry: Node | None = None) -> KeyUse:
        """Make the use of another key of the same service."""
        return KeyUse(value, self.layout, self.name, self.service, entry)

    def written(self, key: str) -> bool:
        """Tell whether the file itself says a key of the service: some follow from others."""
        return any(f"{section}.{self.name}.{key}" in self.layout.system.lines for section in ("services", "jobs"))

    @property
    def pod(self) -> Workload:
        """The workload that the service is part of."""
        return self.layout.pod_by_service[self.name]

    @property
    def kind(self) -> str:
        """The kind of that workload."""
        return self.pod.kind

    @property
    def container(self) -> Container:
        """The container that the service is."""
        return self.pod.find_container(self.name)


FieldPlace = Callable[[KeyUse], Iterator[ReportTarget]]
"""Where a key is seen: finds the fields and objects in a case."""


class Field(Struct, frozen=True):
    """A field of the workload of a service.

    Args:
        scope: `workload`, `template`, `pod` or `container`.
        path: Below it.
    """

    scope: str
    path: str

    def __call__(self, use: KeyUse) -> Iterator[ReportTarget]:
        """Find the field in the service's workload."""
        if use.name in use.layout.pod_by_service:
            yield locate(use.pod, self.scope, self.path, use.container if self.scope == "container" else None)


def locate(workload: Workload, scope: str, path: str, container: Container | None = None) -> ReportTarget:
    """Locate a field of a workload.

    Args:
        workload: The workload.
        scope: `workload`, `template`, `pod` or `container`.
        path: Below it.
        container: The container, where that is the scope.
    """
    above = ""
    if scope != "workload":
        above = "spec.jobTemplate.spec.template" if workload.kind == "CronJob" else "spec.template"
    if scope == "pod":
        above = f"{above}.spec"
    elif container and scope != "template":
        above = f"{above}.spec.{'initContainers' if container.stage else 'containers'}[{container.name}]"
    return ReportTarget(workload.kind, name_workload(workload), f"{above}.{path}" if above and path else above or path)


def name_workload(workload: Workload) -> str:
    """Name a workload as rendered; a Job's name ends with what tells its pods apart."""
    return f"{RELEASE}-{workload.slug}" + ("-*" if workload.kind == "Job" else "")


def container(path: str) -> Field:
    """Name a field of the service's container."""
    return Field("container", path)


def pod(path: str) -> Field:
    """Name a field of the pod's spec."""
    return Field("pod", path)


def template(path: str) -> Field:
    """Name a field of the pod's template."""
    return Field("template", path)


def workload(path: str) -> Field:
    """Name a field of the workload."""
    return Field("workload", path)


def peers(path: str = "spec.ports") -> FieldPlace:
    """Name a field of the Service that peers call."""
    return lambda use: iter([ReportTarget("Service", use.pod.slug, path)])


def published(path: str = "spec.ports") -> FieldPlace:
    """Name a field of the Service to the outside."""
    return lambda use: iter([ReportTarget("Service", f"{RELEASE}-{use.container.name}-published", path)])


def release_object(kind: str, suffix: str, path: str = "") -> FieldPlace:
    """Name an object of the release, or a field of it.

    Args:
        kind: Kubernetes' kind.
        suffix: What stands after the release's name.
        path: Below the object; "" for all of it.
    """
    return lambda _: iter([ReportTarget(kind, f"{RELEASE}-{suffix}", path)])


def named_object(kind: str, name: str, path: str = "") -> FieldPlace:
    """Name an object that is not called after the release, or a field of it."""
    return lambda _: iter([ReportTarget(kind, name, path)])


def env_secret(path: str = "data") -> FieldPlace:
    """Name a field of the Secret of the container's environment."""
    return lambda use: iter([ReportTarget("Secret", f"{RELEASE}-{label(use.name)}-env", path)])
