"""The services and jobs of a project: where they are written, what they use, and whose pod they run in."""

from __future__ import annotations

from collections.abc import Mapping

from tycho.model import Project, Service


def service_path(system: Project, name: str) -> str:
    """Return the path of a service or job in the compose file."""
    return f"{'services' if name in system.services else 'jobs'}.{name}"


def all_services(system: Project) -> dict[str, Service]:
    """Return services and jobs by name."""
    return {**system.services, **system.jobs}


def services_by_path(system: Project) -> dict[str, Service]:
    """Return services and jobs by their paths in the compose file."""
    return {
        f"{section}.{name}": service
        for section in ("services", "jobs")
        for name, service in getattr(system, section).items()
    }


def find_service(system: Project, name: str) -> Service:
    """Return one of them, without a list of all."""
    return system.services[name] if name in system.services else system.jobs[name]


def drop_unused(system: Project) -> Project:
    """Drop the volumes, networks, configs and secrets that no service uses: Compose makes none of them either."""
    services = list(all_services(system).values())
    used: Mapping[str, set[str]] = {
        "volumes": {str(mount.source) for service in services for mount in service.volumes if mount.type == "volume"},
        "networks": {name for service in services for name in service.networks} | {"default"},
        "configs": {ref.source for service in services for ref in service.configs},
        "secrets": {ref.source for service in services for ref in service.secrets},
    }
    return system.model_copy(
        update={
            section: {name: part for name, part in getattr(system, section).items() if name in names}
            for section, names in used.items()
        }
    )


def list_unused(system: Project, kept: Project) -> tuple[str, ...]:
    """List the paths of what `drop_unused` dropped."""
    return tuple(
        f"{section}.{name}"
        for section in ("networks", "volumes", "configs", "secrets")
        for name in getattr(system, section)
        if name not in getattr(kept, section)
    )


def is_implied(system: Project, service: str, name: str) -> bool:
    """Tell whether a dependency only follows from another key, such as `links` or `network_mode`.

    Args:
        system: The system.
        service: Whose dependency.
        name: On which service.
    """
    written = f"{service_path(system, service)}.depends_on.{name}.condition" in system.lines
    dependency = find_service(system, service).depends_on[name]
    return dependency.restart and dependency.condition == "service_started" and not written


def pod_of_service(services: Mapping[str, Service]) -> dict[str, str]:
    """Find the service whose pod each service runs in: its own, or the one whose network or processes it shares."""
    pods: dict[str, str] = {}
    for name in services:
        chain = {name: None}
        last = name
        while last not in pods and (host := _find_host(services, last)) and host not in chain:
            chain[host] = None
            last = host
        pods |= dict.fromkeys(chain, pods.get(last, last))
    return pods


def services_by_pod(system: Project) -> dict[str, list[str]]:
    """List the services of each pod, by the service that the pod is named for."""
    services = all_services(system)
    pods = pod_of_service(services)
    members: dict[str, list[str]] = {name: [name] for name in services if pods[name] == name}
    for name, pod in pods.items():
        if name != pod:
            members[pod].append(name)
    return members


def _find_host(services: Mapping[str, Service], name: str) -> str:
    service = services[name]
    for mode in (service.network_mode, service.ipc, service.pid):
        kind, _, other = (mode or "").partition(":")
        if kind == "service" and other in services:
            return other
    return ""
