"""What follows from what is written: enabled services, the default network, dependencies that nobody calls one.

Source: compose-go's `Normalize` and `WithProfiles`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tycho.compose.context import Context

Fields = dict[str, Any]


def enable(fields: Fields, profiles: set[str]) -> dict[str, tuple[str, ...]]:
    """Leave out the services whose profiles are not enabled.

    Returns:
        Those that were left out, each with its profiles.
    """
    out: dict[str, tuple[str, ...]] = {}
    for root in ("services", "jobs"):
        for name, service in list(fields[root].items()):
            service_profiles = service.get("profiles")
            if service_profiles and "*" not in profiles and not profiles & set(service_profiles):
                out[name] = tuple(service_profiles)
                del fields[root][name]
    return out


def imply(ctx: Context, fields: Fields) -> None:
    """Write out what Compose takes for granted."""
    for path, service in each(fields):
        if not service.get("networks") and not service.get("network_mode") and "provider" not in service:
            service["networks"] = {"default": {}}
        if "default" in service.get("networks", ()):
            fields.setdefault("networks", {}).setdefault("default", {})
        if "deploy" in service and "scale" in service:
            service["deploy"].setdefault("replicas", service["scale"])
        if service.get("pull_policy") == "if_not_present":
            service["pull_policy"] = "missing"
        for key, name, restart in implicit_dependencies(service):
            dependency = {"condition": "service_started", "restart": restart, "required": True}
            if name not in service.setdefault("depends_on", {}):
                service["depends_on"][name] = dependency
                ctx.lines[f"{path}.depends_on.{name}"] = ctx.at(f"{path}.{key}")
        for hook in service.get("pre_start", ()):
            if "network_mode" not in hook and service.get("networks"):
                hook.setdefault("networks", service["networks"])


def implicit_dependencies(service: Fields) -> Iterator[tuple[str, str, bool]]:
    """The key that names a service which this one cannot be without, its name, and whether they restart together."""
    for link in service.get("links", ()):
        yield "links", (link.partition(":")[0] if link.count(":") < 2 else link), True
    for key in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        kind, colon, name = (service.get(key) or "").partition(":")
        if kind == "service" and colon:
            yield key, name, True
    for volume in service.get("volumes_from", ()):
        if not volume.startswith("container:"):
            yield "volumes_from", volume.partition(":")[0], False


def each(fields: Fields) -> Iterator[tuple[str, Fields]]:
    """Every service and job, with its path."""
    for root in ("services", "jobs"):
        for name, service in fields[root].items():
            yield f"{root}.{name}", service
