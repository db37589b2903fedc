"""What of a release stands still: the whole system is paused, or single services are stopped.

`paused` and `services.NAME.stopped` are values that a chart's templates read; the number of replicas stays beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from tycho.errors import Conflict, NotFound, UsageError
from tycho.stored import StoredRelease

PAUSED = "paused"
STOPPED = "stopped"
SCHEMA = "values.schema.json"


class Suspension(Struct, frozen=True):
    """The values of a release that stands still, or runs again, and what there is to say of them."""

    values: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def is_paused(values: Mapping[str, Any]) -> bool:
    """Return whether the values of a release pause it."""
    return values.get(PAUSED) is True


def list_stopped(values: Mapping[str, Any]) -> list[str]:
    """List the services that the values of a release stop."""
    services = values.get("services") or {}
    return [name for name, service in services.items() if (service or {}).get(STOPPED) is True]


def pause_values(stored: StoredRelease, name: str) -> Suspension:
    """Return the values of a release with all of it paused.

    Args:
        stored: The release as it is.
        name: The system's, for messages.

    Raises:
        Conflict: Its chart was made before there was such a value.
    """
    check_chart(stored, name)
    if is_paused(stored.values):
        return Suspension(stored.values, (f"{name} is paused already",))
    return Suspension({**stored.values, PAUSED: True})


def resume_values(stored: StoredRelease, name: str) -> Suspension:
    """Return the values of a release that is paused no more; what was stopped by itself stays so.

    Args:
        stored: The release as it is.
        name: The system's, for messages.
    """
    values = {key: value for key, value in stored.values.items() if key != PAUSED}
    notes: tuple[str, ...] = () if is_paused(stored.values) else (f"{name} is not paused",)
    stopped = list_stopped(values)
    if stopped:
        notes += (f"still stopped: {', '.join(stopped)} (`tycho start {name} {' '.join(stopped)}`)",)
    return Suspension(values if is_paused(stored.values) else stored.values, notes)


def stop_values(stored: StoredRelease, name: str, services: Sequence[str]) -> Suspension:
    """Return the values of a release with services stopped; their replicas stay as they are.

    Args:
        stored: The release as it is.
        name: The system's, for messages.
        services: Which.

    Raises:
        Conflict: Its chart was made before there was such a value.
        NotFound: It has no such service.
        UsageError: A service runs in the pod of another one.
    """
    check_chart(stored, name)
    _check_services(stored, name, services)
    stopped = list_stopped(stored.values)
    notes = tuple(f"{service} is stopped already" for service in services if service in stopped)
    changed = {
        service: {**((stored.values.get("services") or {}).get(service) or {}), STOPPED: True}
        for service in services
        if service not in stopped
    }
    return Suspension(_replace_services(stored.values, changed), notes)


def start_values(stored: StoredRelease, name: str, services: Sequence[str]) -> Suspension:
    """Return the values of a release with services that were stopped running again, with the replicas that they had.

    Args:
        stored: The release as it is.
        name: The system's, for messages.
        services: Which.

    Raises:
        NotFound: It has no such service.
        UsageError: A service runs in the pod of another one.
    """
    _check_services(stored, name, services)
    stopped = list_stopped(stored.values)
    notes = tuple(f"{service} is not stopped" for service in services if service not in stopped)
    changed = {
        service: {key: value for key, value in stored.values["services"][service].items() if key != STOPPED}
        for service in services
        if service in stopped
    }
    if changed and is_paused(stored.values):
        notes += (f"{name} is paused: they start with `tycho resume {name}`",)
    return Suspension(_replace_services(stored.values, changed), notes)


def check_chart(stored: StoredRelease, name: str) -> None:
    """Check that the chart of a release knows of standing still.

    Raises:
        Conflict: It was made before there was such a value.
    """
    if PAUSED not in stored.defaults:
        raise Conflict(
            f"{name} was started by a Tycho whose charts cannot stand still",
            hint=f"run `tycho up` of {name} first: it gives the system a chart of this version",
        )


def _check_services(stored: StoredRelease, name: str, services: Sequence[str]) -> None:
    known: Mapping[str, Any] = stored.defaults.get("services") or {}
    unknown = [service for service in services if service not in known]
    if unknown:
        raise NotFound(f"{name} has no service {', '.join(unknown)}", hint=f"it has: {', '.join(known)}")
    for service in services:
        if not _can_stop(stored, service):
            raise UsageError(f"{service} runs in the pod of another service", hint="stop or start that one")


def _can_stop(stored: StoredRelease, service: str) -> bool:
    """Tell whether the schema of a chart's values lets a service be stopped: it has a workload of its own."""
    schema = json.loads(stored.files.get(SCHEMA, "{}"))
    entry = schema.get("properties", {}).get("services", {}).get("properties", {}).get(service) or {}
    return not any(STOPPED in part.get("properties", {}) for part in entry.get("allOf") or ())


def _replace_services(values: Mapping[str, Any], changed: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return values with other ones of some services; a service without any is left out, as a start leaves it out."""
    services = {**(values.get("services") or {}), **changed}
    kept = {name: service for name, service in services.items() if service or name not in changed}
    replaced = {**values, "services": kept}
    return replaced if kept else {key: value for key, value in replaced.items() if key != "services"}
