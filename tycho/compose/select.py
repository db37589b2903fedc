"""Some services of a project, and what they cannot be without.

Source: compose-go's `WithSelectedServices`.
"""

from __future__ import annotations

from collections.abc import Iterable

from tycho.errors import UsageError
from tycho.model import Project, Service


def select_services(system: Project, names: Iterable[str], *, keep: Iterable[str] = ()) -> Project:
    """Leave the services out of a project that are neither named nor depended on.

    Args:
        system: The whole project.
        names: Services, or jobs.
        keep: Further ones, as far as they are there, with those that share a network with them as one pod does.

    Raises:
        UsageError: There is no such service.
    """
    known = {**system.services, **system.jobs}
    chosen: set[str] = set()
    kept = {name for name in keep if name in known}
    modes = {f"service:{name}" for name in kept}
    waiting = [*names, *kept, *(name for name, service in known.items() if service.network_mode in modes)]
    while waiting:
        name = waiting.pop()
        if name not in known:
            raise UsageError(f"{system.name} has no service {name}", hint=f"it has: {', '.join(known) or 'none'}")
        if name not in chosen:
            chosen.add(name)
            waiting += [other for other in known[name].depends_on if other in known]

    services, jobs = (
        {name: _without_others(service, chosen) for name, service in section.items() if name in chosen}
        for section in (system.services, system.jobs)
    )
    return system.model_copy(update={"services": services, "jobs": jobs})


def _without_others(service: Service, chosen: set[str]) -> Service:
    """Leave out optional dependencies on services that are not there."""
    there = {name: dependency for name, dependency in service.depends_on.items() if name in chosen}
    return service if len(there) == len(service.depends_on) else service.model_copy(update={"depends_on": there})
