"""The tables of `tycho status`: a row for each system, or for each of its services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tycho.cli.columns import Column, paint_ready

if TYPE_CHECKING:
    from tycho.release import Release, ServiceStatus

NONE = "--"
Row = tuple[str, ...]
Table = tuple[Sequence[Column], Sequence[Row]]
PORTS, NAMES = 10, 3  # of a system, in one row
SYSTEMS = (
    Column("SYSTEM", least=8, enough=16),
    Column("GUID"),
    Column("IP_ADDRESS"),
    Column("PORT"),
    Column("READY", style=paint_ready),
    Column("NAMESPACE", least=12, enough=16, rank=3),
    Column("USER", least=6, rank=4),
    Column("EXPIRES IN", least=10, rank=1),
    Column("SERVICES", least=12, enough=30, rank=2),
)
SERVICES = (
    Column("SYSTEM", least=8, enough=16),
    Column("SERVICE", least=8, enough=16),
    Column("KIND", rank=3),
    Column("READY", style=paint_ready),
    Column("RESTARTS", rank=2),
    Column("ADDRESS", least=12, enough=22, rank=1),
    Column("WHY", least=16, enough=40),
)
WIDE = (
    Column("SYSTEM", least=8, enough=16),
    Column("SERVICE", least=8, enough=16),
    Column("KIND", rank=8),
    Column("READY", style=paint_ready),
    Column("RESTARTS", rank=1),
    Column("IMAGE", least=14, enough=24, rank=2, from_end=True),
    Column("NODE", least=8, rank=9),
    Column("REVISION", rank=6),
    Column("AGE", rank=3),
    Column("USER", least=6, rank=5),
    Column("NAMESPACE", least=12, enough=16, rank=7),
    Column("EXPIRES IN", least=10, rank=4),
    Column("ADDRESS", least=12, enough=22, rank=4),
    Column("WHY", least=16, enough=40),
)
AGES = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s"))  # the unit, and the next smaller one
FINE = 10  # units from which on the smaller one is left out


def list_systems(releases: Sequence[Release], now: datetime | None = None) -> Table:
    """Return a row for each system; its address is that of its first published service.

    Args:
        releases: The systems.
        now: The present.
    """
    now = now or datetime.now(UTC)
    cells = [
        {
            **_describe_system(release, now),
            "IP_ADDRESS": release.endpoint.ip_address if release.endpoint else NONE,
            "PORT": str(release.endpoint.port) if release.endpoint else NONE,
            "READY": count_ready(release),
            "SERVICES": describe_services(release),
        }
        for release in releases
    ]
    return _choose(SYSTEMS, cells, releases)


def list_services(releases: Sequence[Release], *, wide: bool = False, now: datetime | None = None) -> Table:
    """Return a row for each service: its state, its address, and why it is not ready.

    Args:
        releases: The systems.
        wide: Whether to tell all that there is to say of it.
        now: The present.
    """
    now = now or datetime.now(UTC)
    cells = [
        {**_describe_system(release, now), **_describe_service(service)}
        for release in releases
        for service in release.services
    ]
    return _choose(WIDE if wide else SERVICES, cells, releases)


def _describe_system(release: Release, now: datetime) -> dict[str, str]:
    """Describe a system in cells, by the title of their column."""
    return {
        "SYSTEM": release.identity.name,
        "GUID": release.identity.guid,
        "NAMESPACE": release.identity.namespace,
        "USER": release.identity.username or NONE,
        "REVISION": str(release.revision),
        "AGE": describe_age((now - release.created).total_seconds()) if release.created else NONE,
        "EXPIRES IN": release.expiry.describe(now) if release.expiry else NONE,
    }


def _describe_service(service: ServiceStatus) -> dict[str, str]:
    """Describe a service in cells, by the title of their column."""
    return {
        "SERVICE": service.name,
        "KIND": service.kind,
        "READY": f"{service.ready}/{service.wanted}",
        "RESTARTS": str(service.restarts),
        "IMAGE": service.image or NONE,
        "NODE": ",".join(service.nodes) or NONE,
        "ADDRESS": ",".join(_list_places(service)) or "-",
        "WHY": service.why,
    }


def _choose(columns: Sequence[Column], cells: Sequence[Mapping[str, str]], releases: Sequence[Release]) -> Table:
    """Choose the cells of some columns; that of ends is left out where no system's time ends."""
    expires = any(release.expiry for release in releases)
    kept = [column for column in columns if expires or column.title != "EXPIRES IN"]
    return kept, [tuple(row[column.title] for column in kept) for row in cells]


def describe_age(seconds: float) -> str:
    """Return an age as kubectl writes it.

    Example:
        >>> describe_age(42), describe_age(90), describe_age(3_600 * 30)
        ('42s', '1m30s', '1d6h')
    """
    seconds = max(0, int(seconds))
    for unit, letter, smaller, its_letter in AGES:
        count, left = divmod(seconds, unit)
        if count:
            fine = left // smaller
            return f"{count}{letter}{fine}{its_letter}" if fine and count < FINE else f"{count}{letter}"
    return f"{seconds}s"


def count_ready(release: Release) -> str:
    """Return how many services of a system are ready, or its state where it is none that runs."""
    if release.state != "deployed":
        return release.state
    return f"{sum(service.done for service in release.services)}/{len(release.services)}"


def describe_services(release: Release) -> str:
    """Describe each published port with its address, then the first few services that publish none."""
    ports = [f"{service.name} {place}" for service in release.services for place in _list_places(service)]
    names = [service.name for service in release.services if not _list_places(service)]
    shown = [*ports[:PORTS], *names[: max(0, NAMES - len(ports))]]
    more = len(ports) + len(names) - len(shown)
    return ", ".join([*shown, *([f"+{more}"] if more else [])])


def _list_places(service: ServiceStatus) -> list[str]:
    """List where a service answers: its URL, where it has one, else what the compose file publishes, and where."""
    return [service.url] if service.url else [f"{end.published}→{end.host_port}" for end in service.endpoints]
