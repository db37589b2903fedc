"""That a system is consistent: names lead somewhere, and keys that exclude each other do.

Source: compose-go's `checkConsistency` and `validation`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tycho.compose.suggestions import nearest
from tycho.model import Project, Service, template

Finding = tuple[str, str, str]  # path, message, hint


def inconsistent(system: Project, disabled: Mapping[str, tuple[str, ...]]) -> Iterator[Finding]:
    """Everything that does not fit together.

    Args:
        system: What was bound, profiles applied.
        disabled: The services that are not enabled, with their profiles.
    """
    for name, service in system.services.items():
        for check in CHECKS:
            for below, message, hint in check(system, name, service):
                yield f"services.{name}{below}", message, hint
        yield from _depends("service", name, service, system.services, disabled)
    known = {**system.services, **system.jobs}
    for name, job in system.jobs.items():
        yield from _depends("job", name, job, known, disabled)
        if name in system.services or name in disabled:
            message = f'"{name}" is declared both as a service and a job: service and job names must be unique'
            yield f"jobs.{name}", message, "rename one of them"
    yield from _containers(system)
    yield from _circles(system)
    yield from _resources(system)


def _source(system: Project, name: str, service: Service) -> Iterator[Finding]:
    if not service.image and service.build is None and service.provider is None:
        message = f'service "{name}" has neither an image nor a build context specified'
        yield "", message, "image: NAME:TAG"


def _build(system: Project, name: str, service: Service) -> Iterator[Finding]:
    build = service.build or {}
    if build.get("dockerfile_inline") and build.get("dockerfile"):
        message = f'service "{name}" declares mutualy exclusive dockerfile and dockerfile_inline'
        yield ".build.dockerfile_inline", message, "keep one of them"
    for key, context in build.get("additional_contexts", {}).items():
        if context.startswith("service:"):
            other = system.services.get(context.removeprefix("service:"))
            target = context.removeprefix("service:")
            kind = "unknown" if other is None else "" if other.build else "non-buildable"
            if kind:
                message = f'service "{name}" declares {kind} service "{target}" as additional contexts {key}'
                yield ".build.additional_contexts", message, nearest(target, system.services)
    if build.get("platforms") and service.platform and service.platform not in build["platforms"]:
        message = f'service.build.platforms MUST include service.platform "{service.platform}"'
        yield ".build.platforms", message, f"add {service.platform}"
    for grant in build.get("secrets", ()):
        if grant["source"] not in system.secrets:
            message = f'service "{name}" refers to undefined build secret {grant["source"]}'
            yield ".build.secrets", message, nearest(grant["source"], system.secrets) or "declare it under secrets:"


def _references(system: Project, name: str, service: Service) -> Iterator[Finding]:
    used: tuple[tuple[str, Mapping[str, Any], Iterable[str]], ...] = (
        ("network", system.networks, service.networks),
        (
            "volume",
            system.volumes,
            [reference.source for reference in service.volumes if reference.type == "volume" and reference.source],
        ),
        ("config", system.configs, [grant.source for grant in service.configs]),
        ("secret", system.secrets, [grant.source for grant in service.secrets]),
        ("model", system.models, service.models),
    )
    for kind, known, names in used:
        for at, reference in enumerate(names):
            if reference not in known:
                message = f'service "{name}" refers to undefined {kind} {reference}'
                below = f".{kind}s.{reference}" if kind in ("network", "model") else f".{kind}s[{at}]"
                yield (
                    below,
                    message,
                    nearest(reference, known) or (f"declare it under {kind}s:" if reference else "write source:"),
                )


def _network(system: Project, name: str, service: Service) -> Iterator[Finding]:
    if service.network_mode and service.networks:
        message = f"service {name} declares mutually exclusive `network_mode` and `networks`"
        yield ".network_mode", message, "keep one of them"
    for i, port in enumerate(service.ports):
        if port.host_ip is not None and not _is_address(port.host_ip):
            yield f".ports[{i}].host_ip", f"invalid ip address: {port.host_ip}", "127.0.0.1, for example"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _healthcheck(system: Project, name: str, service: Service) -> Iterator[Finding]:
    test = service.healthcheck.test if service.healthcheck else None
    if test and test[0] not in ("CMD", "CMD-SHELL", "NONE"):
        message = 'healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"'
        yield ".healthcheck.test", message, f'["CMD", "{test[0]}", …]'


def _numbers(system: Project, name: str, service: Service) -> Iterator[Finding]:
    """The same setting in the old place and in `deploy` must be the same; left out is zero, not absent."""
    resources = service.deploy.resources
    set_here = service.deploy.resources.model_fields_set
    limits = resources.limits if "limits" in set_here else None
    kept = resources.reservations if "reservations" in set_here else None
    replicas = service.deploy.replicas
    if service.scale is not None and replicas is not None and service.scale != replicas:
        yield ".scale", "can't set distinct values on 'scale' and 'deploy.replicas'", "keep deploy.replicas"
    for below, count in ((".scale", service.scale), (".deploy.replicas", replicas)):
        if count is not None and count < 0:
            yield below, f"services.{name}{below}: must be greater than or equal to 0", "0 stops it"
    for key, other, value, deployed in (
        ("cpus", "limits.cpus", service.cpus, limits and (limits.cpus or 0)),
        ("mem_limit", "limits.memory", service.mem_limit, limits and (limits.memory or 0)),
        ("mem_reservation", "reservations.memory", service.mem_reservation, kept and (kept.memory or 0)),
        ("pids_limit", "limits.pids", service.pids_limit, limits and (limits.pids or 0)),
    ):
        if value and deployed is not None and value != deployed:
            message = f"can't set distinct values on '{key}' and 'deploy.resources.{other}'"
            yield f".{key}", message, f"keep deploy.resources.{other}"
    scale = service.scale if service.scale is not None else replicas
    if service.container_name and (scale or 0) > 1:
        what = "scale" if service.scale is not None else "deploy.replicas"
        message = f"can't set container_name and {what} as container name must be unique"
        yield ".container_name", message, "leave container_name out"


def _develop(system: Project, name: str, service: Service) -> Iterator[Finding]:
    for i, watch in enumerate((service.develop or {}).get("watch", ())):
        if not watch.get("path"):
            yield f".develop.watch[{i}].path", "value can't be blank", "path: ./src"
        if not watch.get("target") and watch.get("action") not in ("rebuild", "restart"):
            message = f"services.{name}.develop.watch: target is required for non-rebuild actions"
            yield f".develop.watch[{i}]", message, "target: /app"


def _mounts(system: Project, name: str, service: Service) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    targets = [(f".tmpfs[{i}]", mount.partition(":")[0]) for i, mount in enumerate(service.tmpfs)]
    targets += [(f".volumes[{i}]", mount.target) for i, mount in enumerate(service.volumes)]
    for below, target in targets:
        if target in seen:
            message = f"target {target} already mounted as services.{name}{seen[target]}"
            yield below, message, "mount one of them elsewhere"
        seen.setdefault(target, below)


CHECKS: tuple[Callable[[Project, str, Service], Iterator[Finding]], ...] = (
    _source, _build, _network, _references, _healthcheck, _numbers, _develop, _mounts,
)  # fmt: skip


def _depends(
    kind: str, name: str, service: Service, known: Mapping[str, Service], disabled: Mapping[str, tuple[str, ...]]
) -> Iterator[Finding]:
    for other, dependency in service.depends_on.items():
        if other in known or (other in disabled and not dependency.required):
            continue
        what = "service" if kind == "service" else "service or job"
        message = f'{kind} "{name}" depends on undefined {what} "{other}"'
        hint = f"enable it: --profile {disabled[other][0]}" if other in disabled else nearest(other, known)
        yield f"{kind}s.{name}.depends_on.{other}", message, hint


def _containers(system: Project) -> Iterator[Finding]:
    used: dict[str, str] = {}
    for name, service in sorted(system.services.items()):
        if container := service.container_name:
            if container in used:
                message = (
                    f'services.{name}: container name "{container}" is already in use by service {used[container]}'
                )
                yield f"services.{name}.container_name", message, "leave container_name out"
            used.setdefault(container, name)


def _circles(system: Project) -> Iterator[Finding]:
    """The first circle of dependencies; walked with a stack of its own, for a chain may be longer than Python's."""
    done: set[str] = set()
    for first in sorted(system.services):
        above: dict[str, Iterator[str]] = {}
        name = first
        while name or above:
            if name in above:
                names = [*above]
                circle = " -> ".join((*names[names.index(name) :], name))
                yield f"services.{name}.depends_on", f"dependency cycle detected: {circle}", "leave one of them out"
                return
            if name and name not in done and name in system.services:
                above[name] = iter(sorted(system.services[name].depends_on))
            name = ""
            while above and not name:
                last = next(reversed(above))
                name = next(above[last], "")
                if not name:
                    done.add(last)
                    del above[last]


def _resources(system: Project) -> Iterator[Finding]:
    for kind, ways in (("secrets", ("file", "environment")), ("configs", ("file", "environment", "content"))):
        for name, element in getattr(system, kind).items():
            given = [way for way in ways if way in element.model_fields_set]
            if kind == "configs" and template(element.content) == f"${{{element.environment}}}":
                given.remove("content")  # it is what the variable holds
            if len(given) > 1:
                yield f"{kind}.{name}", f"{'|'.join(ways)} attributes are mutually exclusive", "keep one of them"
            elif not given and (kind == "secrets" or not element.driver) and "external" not in element.model_fields_set:
                message = f"one of {'|'.join(ways)} must be set"
                yield f"{kind}.{name}", message, f"{ways[0]}: ./path, or external: true"
            elif not given and kind == "secrets" and not element.external:
                message = f'secret "{name}" must declare either `file` or `environment`'
                yield f"{kind}.{name}", message, "file: ./path, or external: true"
    for name, volume in system.volumes.items():
        extra = volume.model_fields_set - {"name", "external", "x"} if volume.external else ()
        for key in sorted(extra):
            message = f'conflicting parameters "external" and "{key}" specified'
            yield f"volumes.{name}", message, "an external volume is made by somebody else"
