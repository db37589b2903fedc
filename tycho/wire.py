"""What a system is on the wire: one type for what the service sends and what its clients' typed verbs return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tycho.expiry import Expiry
from tycho.model.node import Node
from tycho.ownership import origin_key
from tycho.release import Drift, Identity, Origin, Release, ServiceStatus

SAME = ("revision", "state", "updated", "compose", "policies", "chart", "services", "simulated", "notes", "origin",
        "volumes", "workspace_name", "conn_string", "outdated", "drifted", "expiry", "paused")  # fmt: skip
"""Fields that a system on the wire has as its release has them."""
NONE = "--"  # in the place of an address or a port that there is not


class System(Node, open=True):
    """A system; address and port are those of its first published service, "--" where there is none."""

    name: str
    sid: str
    ip_address: str
    port: str
    creation_time: str
    username: str
    is_ready: bool
    utilization: Mapping[str, Mapping[str, str]]
    release: str
    namespace: str
    revision: int
    state: str
    services: Sequence[ServiceStatus]
    origin: Origin | None = None
    notes: Sequence[str] = ()
    app_id: str = ""
    workspace_name: str = ""
    conn_string: str = ""
    outdated: bool | None = None
    drifted: Sequence[Drift] | None = None
    updated: datetime | None = None
    compose: str = ""
    policies: str = ""
    chart: str = ""
    own_namespace: bool = True
    simulated: bool = False
    volumes: Sequence[str] = ()
    url: str = ""
    expiry: Expiry | None = None
    expires: datetime | None = None
    idle_since: datetime | None = None
    paused: bool = False


def to_system(release: Release) -> System:
    """Return a release as it is sent."""
    identity, endpoint = release.identity, release.endpoint
    return System(
        name=identity.name,
        sid=identity.guid,
        ip_address=endpoint.ip_address if endpoint else NONE,
        port=str(endpoint.port) if endpoint else NONE,
        creation_time=release.created.isoformat() if release.created else "",
        username=identity.username,
        is_ready=release.ready,
        utilization={service.name: {**service.requests, **service.limits} for service in release.services},
        release=identity.release,
        namespace=identity.namespace,
        app_id=f"{identity.name}-{identity.guid}",
        own_namespace=identity.own_namespace,
        url=release.url,
        expires=release.expiry.expires if release.expiry else None,
        idle_since=release.expiry.idle_since if release.expiry else None,
        **{name: getattr(release, name) for name in SAME},
    )


def to_release(system: System) -> Release:
    """Return what was sent as the release that it was."""
    identity = Identity(
        guid=system.sid,
        name=system.name,
        release=system.release,
        namespace=system.namespace,
        own_namespace=system.own_namespace,
        username=system.username,
        origin=origin_key(system.origin),
    )
    created = datetime.fromisoformat(system.creation_time) if system.creation_time else None
    return Release.model_validate(
        {**{name: getattr(system, name) for name in SAME}, "identity": identity, "created": created}
    )


def read_system(row: Mapping[str, Any]) -> System:
    """Read a system that a service sent; fields of a newer service are left out."""
    known = {key: value for key, value in row.items() if key in System.model_fields}
    fields = ServiceStatus.model_fields
    services = [
        {key: value for key, value in service.items() if key in fields} for service in row.get("services") or ()
    ]
    return System.model_validate(known | {"services": services})


class GoneData(Node, open=True):
    """A system that is not there any more, or does not fit any more: the data of an event of `GET /events`."""

    sid: str


class CurrentData(Node, open=True):
    """How many systems there are, all of them told: the data of an event of `GET /events`."""

    count: int


class ProgressData(Node, open=True):
    """One line of how far a system is: the data of an event of `GET /system/{id}/events`."""

    revision: int
    percent: int
    message: str
    service: str = ""
    ready: int = 0
    wanted: int = 0
    why: str = ""
    url: str = ""
