"""The tables of `tycho status`: a row for each system, or for each of its services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tycho.cli.clock import CLOCK
from tycho.cli.columns import LAST, Column, paint_ready

if TYPE_CHECKING:
    from tycho.expiry import Expiry
    from tycho.release import Release, ServiceStatus

NONE = "--"
Row = tuple[str, ...]
Table = tuple[Sequence[Column], Sequence[Row]]
PORTS, NAMES = 10, 3  # of a system, in one row
WHY = Column("WHY", least=20, enough=40, lines=4)
# What a reader decides by is whole or absent: a GUID, an address, a state, an end. Names, places and images shrink.
SYSTEMS = (
    Column("SYSTEM", least=6, enough=16),
    Column("GUID", rank=LAST),
    Column("IP_ADDRESS", rank=3),
    Column("PORT", rank=3),
    Column("READY", style=paint_ready),
    Column("NAMESPACE", least=12, enough=16, rank=5),
    Column("USER", least=6, rank=6),
    Column("EXPIRES IN"),
    Column("SERVICES", least=12, enough=30, rank=4),
)
SERVICES = (
    Column("SYSTEM", least=8, enough=16),
    Column("SERVICE", least=8, enough=16),
    Column("KIND", rank=4),
    Column("READY", style=paint_ready),
    Column("RESTARTS", rank=3),
    Column("ADDRESS", least=12, enough=22, rank=2),
    WHY,
)
WIDE = (
    Column("SYSTEM", least=8, enough=16),
    Column("SERVICE", least=8, enough=16),
    Column("KIND", rank=11),
    Column("READY", style=paint_ready),
    Column("RESTARTS", rank=2),
    Column("IMAGE", least=14, enough=24, rank=3, from_end=True),
    Column("NODE", least=8, rank=10),
    Column("REVISION", rank=8),
    Column("AGE", rank=4),
    Column("USER", least=6, rank=7),
    Column("NAMESPACE", least=12, enough=16, rank=9),
    Column("EXPIRES IN", rank=6),
    Column("ADDRESS", least=12, enough=22, rank=5),
    WHY,
)
AGES = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s"))  # the unit, and the next smaller one
FINE = 10  # units from which on the smaller one is left out


def list_systems(releases: Sequence[Release], now: datetime | None = None, *, among: Sequence[Release] = ()) -> Table:
    """Return a row for each system; its address is that of its first published service.

    Args:
        releases: The systems.
        now: The present.
        among: All that a table shows, where these are a part of it: columns are chosen for them.
    """
    now = now or CLOCK.now()
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
    return _choose(SYSTEMS, cells, among or releases)


def list_services(
    releases: Sequence[Release],
    *,
    wide: bool = False,
    now: datetime | None = None,
    among: Sequence[Release] = (),
) -> Table:
    """Return a row for each service: its state, its address, and why it is not ready.

    Args:
        releases: The systems.
        wide: Whether to tell all that there is to say of it.
        now: The present.
        among: All that a table shows, where these are a part of it: columns are chosen for them.
    """
    now = now or CLOCK.now()
    cells = [
        {**_describe_system(release, now), **_describe_service(service, paused=release.paused)}
        for release in releases
        for service in release.services
    ]
    return _choose(WIDE if wide else SERVICES, cells, among or releases)


def _describe_system(release: Release, now: datetime) -> dict[str, str]:
    """Describe a system in cells, by the title of their column."""
    return {
        "SYSTEM": release.identity.name,
        "GUID": release.identity.guid,
        "NAMESPACE": release.identity.namespace,
        "USER": release.identity.username or NONE,
        "REVISION": str(release.revision),
        "AGE": describe_age((now - release.created).total_seconds()) if release.created else NONE,
        "EXPIRES IN": describe_end(release.expiry, now) if release.expiry else NONE,
    }


def _describe_service(service: ServiceStatus, *, paused: bool) -> dict[str, str]:
    """Describe a service in cells, by the title of their column; one that stands still has a state, and no count."""
    still = "stopped" if service.stopped else "paused" if paused and not service.wanted else ""
    return {
        "SERVICE": service.name,
        "KIND": service.kind,
        "READY": still or f"{service.ready}/{service.wanted}",
        "RESTARTS": str(service.restarts),
        "IMAGE": service.image or NONE,
        "NODE": ",".join(service.nodes) or NONE,
        "ADDRESS": ",".join(_list_places(service)) or "-",
        "WHY": "" if service.why == still else service.why.removeprefix(f"{still}; "),
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


def describe_end(expiry: Expiry, now: datetime) -> str:
    """Return how long a system has yet, in the units of an age.

    Example:
        >>> from tycho.expiry import Expiry
        >>> start = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
        >>> describe_end(Expiry(started=start, ttl=10_800, idle=7_200), start)
        '3h, or 2h idle'
    """
    left = expiry.find_left(now)
    words = [] if left is None else [describe_age(left)]
    return ", or ".join([*words, *([f"{describe_age(expiry.idle)} idle"] if expiry.idle else [])])


def count_ready(release: Release) -> str:
    """Return how many of the services that are to run are ready, and how many are stopped; else the system's state.

    Example:
        >>> from tycho.release import Identity
        >>> identity = Identity(guid="0" * 32, name="shop", release="shop-0", namespace="shop-0")
        >>> web = ServiceStatus(name="web", kind="Deployment", ready=1, wanted=1, done=True)
        >>> mail = ServiceStatus(name="mail", kind="Deployment", ready=0, wanted=0, done=True, stopped=True)
        >>> count_ready(Release(identity=identity, services=(web, mail)))
        '1/1 (1 stopped)'
    """
    if release.state != "deployed":
        return release.state
    running = [service for service in release.services if not service.stopped]
    stopped = len(release.services) - len(running)
    if stopped and not running:
        return "stopped"
    ready = f"{sum(service.done for service in running)}/{len(running)}"
    return f"{ready} ({stopped} stopped)" if stopped else ready


def describe_services(release: Release) -> str:
    """Describe each published port with its address, then the first few services that publish none, or are stopped."""
    ports = [
        f"{service.name} {place}"
        for service in release.services
        if not service.stopped
        for place in _list_places(service)
    ]
    names = [service.name for service in release.services if not service.stopped and not _list_places(service)]
    names += [f"{service.name} (stopped)" for service in release.services if service.stopped]
    shown = [*ports[:PORTS], *names[: max(0, NAMES - len(ports))]]
    more = len(ports) + len(names) - len(shown)
    return ", ".join([*shown, *([f"+{more}"] if more else [])])


def _list_places(service: ServiceStatus) -> list[str]:
    """List where a service answers: its URL, where it has one, else what the compose file publishes, and where."""
    return [service.url] if service.url else [f"{end.published}→{end.host_port}" for end in service.endpoints]
