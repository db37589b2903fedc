"""Refuse what Pod Security's `baseline` forbids and no policy granted, before a chart is rendered.

The pods are checked as the templates print them with the chart's own values. What Helm renders is checked by the
same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tycho.chart.container import Container
from tycho.chart.grants import REFUSAL, Document, describe_grant, describe_system_grant, find_ungranted
from tycho.chart.layout import ChartLayout
from tycho.chart.names import QUALIFIED
from tycho.chart.reserved import ingress_annotations, is_acting
from tycho.chart.services import find_service
from tycho.chart.workload import Workload
from tycho.errors import PolicyDenied, Problem
from tycho.model import PodRights, Project, Rights, ServiceRights
from tycho.model.rights import covers, read_grants

RELEASES = "sh.helm.release.v1"
ACTS = "it configures a node, a container runtime or a controller"
EXTERNAL = ("volumes", "configs", "secrets")


def check_baseline(layout: ChartLayout) -> None:
    """Refuse what `baseline` forbids in the chart's pods, and names that the file may not use.

    Args:
        layout: What the chart holds.

    Raises:
        PolicyDenied: With every problem.
    """
    problems = [*find_ungranted(collect_rights(layout), view_pods(layout), layout.system.at)]
    problems += [*_check_annotations(layout), *_check_external(layout.system)]
    if problems:
        raise PolicyDenied(REFUSAL, problems=sorted(set(problems)))


def collect_rights(layout: ChartLayout) -> Rights:
    """Collect what policies granted, to check what Helm renders."""
    pods = tuple(
        PodRights(_template(pod), tuple(_service_rights(layout, container) for container in pod.containers))
        for pod in layout.workloads
    )
    return Rights(pods, read_grants(layout.system))


def _template(pod: Workload) -> str:
    return f"templates/{pod.slug}-{pod.kind.lower()}.yaml"


def _service_rights(layout: ChartLayout, container: Container) -> ServiceRights:
    path = layout.locate(container.service)
    service = find_service(layout.system, container.service)
    return ServiceRights(
        container.service, container.name, path, *layout.system.at(path),
        grants=read_grants(service), host_paths=read_grants(service, "hostPaths"),
    )  # fmt: skip


def view_pods(layout: ChartLayout) -> Iterator[Document]:
    """Yield the pods of a chart as its templates print them by default, as far as rights go."""
    for workload in layout.workloads:
        sysctls = [{"name": name, "value": str(text)} for name, text in workload.sysctls.items()]
        hosts = {"hostNetwork": workload.host_network, "hostPID": workload.host_pid, "hostIPC": workload.host_ipc}
        spec = {
            **{name: True for name, asked in hosts.items() if asked},
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}, **workload.security_context}
            | ({"sysctls": sysctls} if sysctls else {}),
            "containers": [_container(container) for container in workload.containers],
            "initContainers": [hook for container in workload.containers for hook in _hooks(container)],
            "volumes": [
                {"name": volume.name, "hostPath": {"path": volume.path}}
                for volume in workload.volumes
                if volume.kind == "hostPath"
            ],
        }
        annotations = _merge_annotations(container.annotations for container in workload.containers)
        yield _template(workload), {"kind": "Pod", "metadata": {"annotations": annotations}, "spec": spec}
        annotations = _merge_annotations(container.workload_annotations for container in workload.containers)
        yield _template(workload), {"kind": workload.kind, "metadata": {"annotations": annotations}}


def _container(container: Container) -> dict[str, Any]:
    return {
        "name": container.name,
        "securityContext": container.security_context,
        "ports": [{"hostPort": port.host} for port in container.ports if port.host],
        "volumeMounts": _propagations(container),
        **container.probes,
    }


def _propagations(container: Container) -> list[dict[str, str]]:
    return [{"mountPropagation": mount.propagation} for mount in container.mounts if mount.propagation]


def _hooks(container: Container) -> Iterator[dict[str, Any]]:
    for hook in container.hooks:
        yield {
            "name": hook.name,
            "securityContext": {**container.security_context, **hook.security_context},
            "volumeMounts": _propagations(container),
        }


def _merge_annotations(annotations: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Merge annotations; the first of a name counts."""
    merged: dict[str, str] = {}
    for entries in annotations:
        merged = {name: str(text) for name, text in entries.items()} | merged
    return merged


def _check_annotations(layout: ChartLayout) -> Iterator[Problem]:
    """Refuse annotations that a runtime, a node or a controller acts upon: they are left out of the view."""
    system = layout.system
    everywhere = read_grants(system)
    for pod in layout.workloads:
        for container in pod.containers:
            service = find_service(system, container.service)
            path = layout.locate(container.service)
            grants = (*everywhere, *read_grants(service))
            places = {
                "labels": service.labels,
                "annotations": service.annotations,
                "deploy.labels": service.deploy.labels,
            }
            for place, written in places.items():
                for key in _find_acting(written, grants):
                    hint = describe_grant(container.service, f"annotations.{key}")
                    yield system.make_problem(f"{path}.{place}.{key}", ACTS, hint)
    for name, volume in system.volumes.items():
        for key in _find_acting(volume.labels, everywhere):
            hint = describe_system_grant(f"annotations.{key}")
            yield system.make_problem(f"volumes.{name}.labels.{key}", ACTS, hint)
    for key, value in ingress_annotations(system).items():
        if is_acting(key, str(value)) and not covers(everywhere, f"annotations.{key}"):
            hint = describe_system_grant(f"annotations.{key}")
            yield system.make_problem(f"x-tycho.ingress.annotations.{key}", ACTS, hint)


def _find_acting(written: Mapping[str, str], grants: tuple[str, ...]) -> Iterator[str]:
    return (
        key
        for key, value in written.items()
        if QUALIFIED.fullmatch(key) and is_acting(key, str(value)) and not covers(grants, f"annotations.{key}")
    )


def _check_external(system: Project) -> Iterator[Problem]:
    """Refuse objects that exist already, unless a policy lets their names pass; releases of Helm never pass."""
    globs = read_grants(system, "externalNames")
    for section in EXTERNAL:
        for key, part in getattr(system, section).items():
            if not part.external:
                continue
            path, name = f"{section}.{key}", str(part.name or key).strip()
            at = system.at(f"{path}.name")
            if name.lower().startswith(RELEASES):
                message = f'"{name}" is a Secret in which Helm stores a release and its values'
                yield Problem(*at, path, message, "name another object")
            elif not any(fnmatchcase(name, glob) for glob in globs):
                added = f'{{x-tycho: {{externalNames: ["{name}"]}}}}'
                policy = f"{{description: External names., system: {{add: {added}}}}}"
                hint = f"remove it, or allow it by a policy in a folder for --policies: {policy}"
                yield Problem(*at, path, f'no policy allows the external object "{name}"', hint)
