"""The words for how far a system is: what a terminal shows and what the service sends are the same lines."""

from __future__ import annotations

from tycho.release import Release, ServiceStatus
from tycho.text import printable


def describe_system(release: Release) -> str:
    """Return the line above all services: `shop · 2 services · namespace shop-0123abcd`."""
    count = len(release.services)
    services = f"{count} service{'' if count == 1 else 's'}"
    return printable(f"{release.identity.name} · {services} · namespace {release.identity.namespace}")


def describe_service(service: ServiceStatus) -> str:
    """Return how far a service is: that it is ready, or why it is not yet."""
    if service.done:
        if service.kind == "Job":
            return "complete"
        return "ready" if service.wanted == 1 else f"{service.ready}/{service.wanted} ready"
    return printable(service.why) or f"{service.ready}/{service.wanted} ready"


def count_percent(release: Release) -> int:
    """Return which part of a system's services is as asked for, 0 to 100."""
    services = release.services
    return 100 * sum(service.done for service in services) // len(services) if services else 0
