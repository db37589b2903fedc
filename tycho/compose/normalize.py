"""What follows from what is written: enabled services, the default network, dependencies that nobody calls one.

Source: compose-go's `Normalize` and `WithProfiles`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from tycho.compose.bound import (
    ROOTS,
    BoundProject,
    Fields,
    Findings,
    change_hooks,
    change_services,
    each_service,
)


def enable_services(
    project: BoundProject, profiles: Collection[str]
) -> tuple[BoundProject, dict[str, tuple[str, ...]]]:
    """Leave out the services whose profiles are not enabled.

    Returns:
        The project, and what was left out: each service with its profiles.
    """
    disabled: dict[str, tuple[str, ...]] = {}
    fields = dict(project.fields)
    for root in ROOTS:
        enabled = {}
        for name, service in fields[root].items():
            own = service.get("profiles")
            if own and "*" not in profiles and not set(profiles) & set(own):
                disabled[name] = tuple(own)
            else:
                enabled[name] = service
        fields[root] = enabled
    return replace(project, fields=fields), disabled


def normalize(project: BoundProject) -> BoundProject:
    """Write out what Compose takes for granted."""
    findings = Findings(project)
    fields = change_services(project.fields, lambda path, service: _normalize_service(findings, path, service))
    if any("default" in service.get("networks", ()) for _, service in each_service(fields)):
        networks = fields.get("networks", {})
        fields["networks"] = {**networks, "default": networks.get("default", {})}
    return findings.apply(fields)


def _normalize_service(findings: Findings, path: str, service: Fields) -> Fields:
    written = dict(service)
    if not service.get("networks") and not service.get("network_mode") and "provider" not in service:
        written["networks"] = {"default": {}}
    if "deploy" in service and "scale" in service:
        deploy = service["deploy"]
        written["deploy"] = {**deploy, "replicas": deploy.get("replicas", service["scale"])}
    if service.get("pull_policy") == "if_not_present":
        written["pull_policy"] = "missing"
    for key, name, restart in implicit_dependencies(service):
        dependencies = written.get("depends_on", {})
        if name not in dependencies:
            dependency = {"condition": "service_started", "restart": restart, "required": True}
            written["depends_on"] = {**dependencies, name: dependency}
            findings.place_like(f"{path}.depends_on.{name}", f"{path}.{key}")
    networks = written.get("networks")

    def connect(_: int, hook: Fields) -> Fields:
        alone = "network_mode" in hook or not networks
        return hook if alone else {**hook, "networks": hook.get("networks", networks)}

    return change_hooks(written, connect)


def implicit_dependencies(service: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Yield what a service cannot be without: the key that names the other, its name, whether both restart together."""
    for link in service.get("links", ()):
        yield "links", (link.partition(":")[0] if link.count(":") < 2 else link), True
    for key in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        kind, colon, name = (service.get(key) or "").partition(":")
        if kind == "service" and colon:
            yield key, name, True
    for volume in service.get("volumes_from", ()):
        if not volume.startswith("container:"):
            yield "volumes_from", volume.partition(":")[0], False
