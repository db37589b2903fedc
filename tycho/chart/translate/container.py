"""One compose service as one container: every translator, in the order of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from msgspec.structs import replace

from tycho.chart import networking
from tycho.chart.container import Container, Text
from tycho.chart.mounts import PodVolume, VolumeMount, VolumeStep
from tycho.chart.names import Names, label
from tycho.chart.reserved import CONTROLLERS, ingress_annotations, keep_allowed
from tycho.chart.services import all_services, is_implied
from tycho.chart.translate.command import KEYS, translate_command
from tycho.chart.translate.environment import translate_environment
from tycho.chart.translate.health import translate_probes
from tycho.chart.translate.hooks import translate_lifecycle, translate_pre_start
from tycho.chart.translate.image import translate_image
from tycho.chart.translate.key_rule import read_fields
from tycho.chart.translate.metadata import translate_annotations
from tycho.chart.translate.ports import translate_ingress, translate_ports
from tycho.chart.translate.resources import translate_resources
from tycho.chart.translate.security import translate_security
from tycho.chart.volumes import VolumePlanner
from tycho.chart.workload import CONDITIONS
from tycho.chart.workload_kind import tycho_extension
from tycho.model import Project
from tycho.model.numbers import is_digits
from tycho.model.rights import read_grants

SOURCED = frozenset({"content", "owner", "seed", "copy"})
"""What is done to volumes with something else: an image, or files."""


class ContainerTranslator:
    """Translates the services of one system.

    Args:
        system: The project.
        planner: Collects what they mount.
        enclosed: Services that only internal networks know: they publish nothing.
    """

    def __init__(self, system: Project, planner: VolumePlanner, enclosed: frozenset[str]) -> None:
        self.system = system
        self.services = all_services(system)
        self.planner = planner
        self.enclosed = enclosed
        self.ingress = tycho_extension(system).get("ingress") or {}
        grants = read_grants(system)
        kept = keep_allowed(ingress_annotations(system), grants, CONTROLLERS)
        self.ingress_annotations = {key: str(value) for key, value in kept.items()}
        self.asked = any("ingress" in tycho_extension(service) for service in self.services.values())

    def translate(self, name: str, volumes: dict[str, PodVolume]) -> Container:
        """Translate one service.

        Args:
            name: The service.
            volumes: Those of its pod, by their names there; its own are added.
        """
        service, slug = self.services[name], label(name)
        command, args = translate_command(service)
        fields = read_fields(KEYS, service, "container")
        published, service_type = translate_ports(service) if name not in self.enclosed else ((), "")
        ingress = translate_ingress(service, self.ingress, self.ingress_annotations)
        mounts, steps = self._mount(name, volumes)
        return Container(
            name=slug,
            service=name,
            image=translate_image(service, self.system.image_name(name)),
            command=command,
            args=args,
            working_dir=cast("Text", fields.get("workingDir", "")),
            env=translate_environment(service),
            ports=networking.list_container_ports(service),
            mounts=mounts,
            resources=translate_resources(service),
            security_context=translate_security(service),
            annotations=self._annotations(name, {**service.annotations, **service.labels}),
            workload_annotations=self._annotations(name, service.deploy.labels),
            hooks=translate_pre_start(slug, service, command),
            steps=steps,
            stdin=bool(fields.get("stdin")),
            tty=bool(fields.get("tty")),
            published=published,
            service_type=service_type,
            ingress=ingress,
        )

    def finish(self, containers: Sequence[Container], *, single_node: bool) -> list[Container]:
        """Order the containers of a pod by their services' `depends_on`, and add probes and lifecycle.

        Args:
            containers: Of one pod.
            single_node: Whether a volume of it has to be let go before the next pod starts.
        """
        awaited: dict[str, set[str]] = {}
        for container in containers:
            for name, dependency in self.services[container.service].depends_on.items():
                # What they share is there before all of them.
                if not is_implied(self.system, container.service, name):
                    awaited.setdefault(name, set()).add(dependency.condition)
        finished = []
        for container in containers:
            service, conditions = self.services[container.service], awaited.get(container.service, set())
            stage = "" if not conditions else "init" if CONDITIONS[-1] in conditions else "sidecar"
            asked: dict[str, Any] = dict(translate_probes(service, stage=stage, gates="service_healthy" in conditions))
            lifecycle = translate_lifecycle(service, single_node=single_node)
            finished.append(replace(container, stage=stage, probes=asked, lifecycle=lifecycle))
        return finished

    def _annotations(self, name: str, labels: Mapping[str, str]) -> dict[str, Text]:
        return translate_annotations(labels, (*read_grants(self.system), *read_grants(self.services[name])))

    def _mount(
        self, name: str, volumes: dict[str, PodVolume]
    ) -> tuple[tuple[VolumeMount, ...], tuple[VolumeStep, ...]]:
        mounts, steps = [], []
        known = {replace(volume, name=stem): key for key, volume in volumes.items() for stem in _stems(key)}
        names = Names(volumes)

        def named(volume: PodVolume | None) -> str:
            if volume is None:
                return ""
            if volume not in known:  # one secret in two modes is two volumes
                free = known[volume] = names.take(volume.name)
                volumes[free] = volume if free == volume.name else replace(volume, name=free)
            return known[volume]

        for mounting in self.planner.mounts(name, self.services[name]):
            filled = named(mounting.volume)
            mounts.append(replace(mounting.mounted, volume=filled))
            for step in mounting.steps:
                source = mounting.image if step.verb in ("content", "owner") else mounting.source
                steps.append(replace(step, volume=filled, source=named(source if step.verb in SOURCED else None)))
        return tuple(mounts), tuple(dict.fromkeys(steps))


def _stems(key: str) -> tuple[str, ...]:
    """Return the names that a volume may have had before it was told apart by a number."""
    stem, _, number = key.rpartition("-")
    return (key, stem) if is_digits(number) else (key,)
