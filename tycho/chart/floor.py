"""Nothing below Pod Security's `baseline` without a grant: asked of a chart before anybody renders it.

The pods are seen as the templates print them with the chart's own values; what Helm renders is judged by the same
rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tycho.chart.judge import Document, describe_grant, describe_system_grant, judge
from tycho.chart.names import QUALIFIED
from tycho.chart.plan import Plan
from tycho.chart.reserved import ingress_annotations, is_acting
from tycho.chart.workload import Container, Pod
from tycho.chart.yaml import Noted, Tree
from tycho.errors import PolicyDenied, Problem
from tycho.model import PodRights, Rights, ServiceRights, System
from tycho.model.rights import covers, read_grants

RELEASES = "sh.helm.release.v1"
EXTERNAL = ("volumes", "configs", "secrets")


def check_floor(plan: Plan, settings: Mapping[str, Tree]) -> None:
    """Refuse what the chart would ask of a cluster beyond `baseline`, and names that are not the file's to use.

    Args:
        plan: What the chart holds.
        settings: Its values.

    Raises:
        PolicyDenied: With every problem.
    """
    problems = [*judge(collect_rights(plan), view(plan, settings), plan.system.at)]
    problems += [*_check_annotations(plan), *_check_external(plan.system)]
    if problems:
        raise PolicyDenied("refused: it asks for what no policy granted", problems=sorted(set(problems)))


def collect_rights(plan: Plan) -> Rights:
    """Collect what policies granted, for those who judge what Helm renders."""
    pods = tuple(
        PodRights(_template(pod), tuple(_service_rights(plan, container) for container in pod.containers))
        for pod in plan.pods
    )
    return Rights(pods, read_grants(plan.system))


def _template(pod: Pod) -> str:
    return f"templates/{pod.slug}-{pod.kind.lower()}.yaml"


def _service_rights(plan: Plan, container: Container) -> ServiceRights:
    path = f"{'services' if container.name in plan.system.services else 'jobs'}.{container.name}"
    service = container.service
    return ServiceRights(
        container.name, container.slug, path, *plan.system.at(path),
        grants=read_grants(service), host_paths=read_grants(service, "hostPaths"),
    )  # fmt: skip


def view(plan: Plan, settings: Mapping[str, Tree]) -> Iterator[Document]:
    """See the pods of a chart as its templates print them, as far as rights go."""
    values: Any = _without_notes(settings)
    common = values["common"]
    for pod in plan.pods:
        own = values["services"][pod.name]
        context = {**common["podSecurityContext"], **own.get("podSecurityContext", {})}
        if sysctls := own.get("sysctls"):
            context["sysctls"] = [{"name": name, "value": value} for name, value in sysctls.items()]
        names = [container.name for container in pod.containers]
        spec = {
            **{key: own[key] for key in ("hostNetwork", "hostPID", "hostIPC") if own.get(key)},
            "securityContext": context,
            "containers": [_container(container, values["services"][container.name]) for container in pod.containers],
            "initContainers": [hook for one in pod.containers for hook in _hooks(one, values["services"][one.name])],
            "volumes": [
                {"name": volume.name, "hostPath": {"path": volume.path}}
                for volume in pod.volumes
                if volume.kind == "hostPath"
            ],
        }
        yield (
            _template(pod),
            {
                "kind": "Pod",
                "metadata": {"annotations": _together(values, names, "annotations")},
                "spec": spec,
            },
        )
        workload = {"annotations": _together(values, names, "workloadAnnotations")}
        yield _template(pod), {"kind": pod.kind, "metadata": workload}


def _container(container: Container, own: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": container.slug,
        "securityContext": own.get("securityContext", {}),
        "ports": [{"hostPort": port.host} for port in container.ports if port.host],
        "volumeMounts": [{"mountPropagation": mount.propagation} for mount in container.mounts if mount.propagation],
        **{key: own[key] for key in ("startupProbe", "readinessProbe", "livenessProbe") if own.get(key)},
    }


def _hooks(container: Container, own: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for index, hook in enumerate(own.get("preStart", ())):
        context = {**own.get("securityContext", {}), **hook.get("securityContext", {})}
        yield {
            "name": f"{container.slug}-pre-start-{index}",
            "securityContext": context,
            "volumeMounts": _container(container, own)["volumeMounts"],
        }


def _together(values: Mapping[str, Any], names: Iterable[str], key: str) -> dict[str, str]:
    merged: dict[str, str] = {}
    for name in names:
        merged = {**values["services"][name].get(key, {}), **merged}
    return merged


def _without_notes(tree: Tree) -> Tree:
    if isinstance(tree, Noted):
        return _without_notes(tree.value)
    return {key: _without_notes(value) for key, value in tree.items()} if isinstance(tree, Mapping) else tree


def _check_annotations(plan: Plan) -> Iterator[Problem]:
    """Refuse annotations that a runtime, a node or a controller acts upon: they are left out of the view."""
    system = plan.system
    everywhere = read_grants(system)
    for pod in plan.pods:
        for container in pod.containers:
            service, path = container.service, _service_rights(plan, container).path
            grants = (*everywhere, *read_grants(service))
            places = {
                "labels": service.labels,
                "annotations": service.annotations,
                "deploy.labels": service.deploy.labels,
            }
            for place, written in places.items():
                for key in _find_acting(written, grants):
                    hint = describe_grant(container.name, f"annotations.{key}")
                    yield _acting(system, f"{path}.{place}.{key}", hint)
    for name, volume in system.volumes.items():
        for key in _find_acting(volume.labels, everywhere):
            yield _acting(system, f"volumes.{name}.labels.{key}", describe_system_grant(f"annotations.{key}"))
    for key, value in ingress_annotations(system).items():
        if is_acting(key, str(value)) and not covers(everywhere, f"annotations.{key}"):
            path = f"x-tycho.ingress.annotations.{key}"
            yield _acting(system, path, describe_system_grant(f"annotations.{key}"))


def _find_acting(written: Mapping[str, str], grants: tuple[str, ...]) -> Iterator[str]:
    return (
        key
        for key, value in written.items()
        if QUALIFIED.fullmatch(key) and is_acting(key, str(value)) and not covers(grants, f"annotations.{key}")
    )


def _acting(system: System, path: str, hint: str) -> Problem:
    return Problem(*system.at(path), path, "it would change what a node, a runtime or a controller does", hint)


def _check_external(system: System) -> Iterator[Problem]:
    """Refuse objects that exist already, unless a policy lets their names pass; releases of Helm never pass."""
    globs = read_grants(system, "externalNames")
    for section in EXTERNAL:
        for key, part in getattr(system, section).items():
            if not part.external:
                continue
            path, name = f"{section}.{key}", str(part.name or key).strip()
            at = system.at(f"{path}.name")
            if name.lower().startswith(RELEASES):
                yield Problem(*at, path, f'"{name}" is a release of Helm, with all its values', "name another object")
            elif not any(fnmatchcase(name, glob) for glob in globs):
                policy = (
                    f'{{description: External names., system: {{add: {{x-tycho: {{externalNames: ["{name}"]}}}}}}}}'
                )
                hint = f"remove it, or allow it with a policy of your own, in a folder for --policies: {policy}"
                yield Problem(*at, path, f'no policy lets "{name}" be used, which is not of this system', hint)
