"""The verbs as routes: each a few lines between a message and `tycho.lifecycle`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from tycho.api.answers import Envelope, Failure
from tycho.api.bodies import JsonRoute
from tycho.api.dependencies import Charts, Verbs
from tycho.api.messages import (
    Compile,
    Compiled,
    Delete,
    Events,
    Logs,
    Nothing,
    One,
    Restart,
    Rollback,
    Row,
    Running,
    Start,
    Started,
    Status,
)
from tycho.errors import Ambiguous
from tycho.lifecycle import Compiled as Chart
from tycho.lifecycle import Removal
from tycho.model import ServiceMetadata
from tycho.orchestrators import WaitOptions, parse_since
from tycho.release import Event, Release, Revision, ServiceStatus
from tycho.slots import CALLER

PATIENCE = 240.0  # seconds; less than the guard has, so that the verb says itself what is not ready
NONE = "--"


FAILURES: dict[int | str, dict[str, Any]] = {
    429: {
        "model": Envelope[Failure],
        "description": "Too many requests of this caller wait already.",
        "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
    },
    "4XX": {"model": Envelope[Failure], "description": "The request is wrong, or refused."},
    "5XX": {"model": Envelope[Failure], "description": "The cluster, or Helm, said no."},
}
router = APIRouter(responses=FAILURES, route_class=JsonRoute)


@router.post("/system/start")
async def start(said: Start, verbs: Verbs, charts: Charts) -> Envelope[Started]:
    """Start a system; the same `tycho-guid` again is the same start."""
    if said.username:
        CALLER.set(said.username)  # takes its turn beside others of the same address
    compiled = await _compile(charts, said)
    release = await verbs.up(
        compiled,
        guid=said.guid or "",
        new=not (said.guid or said.upgrade),
        replace=said.replace,
        caller=said.caller(said.name),
        wait_options=_wait_options(wait=said.wait),
    )
    full = f"{release.identity.name}-{release.identity.guid}"
    result = Started(
        name=full,
        sid=release.identity.guid,
        containers={one.name: _container(one) for one in release.services},
        warnings=_warnings(compiled),
        notes=release.notes,
    )
    return Envelope(result=result, message=f"Started system {full}")


@router.post("/system/status")
async def status(said: Status, verbs: Verbs) -> Envelope[list[Running]]:
    """What runs, and where it answers."""
    try:
        found = await verbs.status([said.name] if said.name else [])
    except Ambiguous:
        found = await verbs.status(name=said.name or "")
    return Envelope(result=[_running(one) for one in found if said.username in (None, "", one.identity.username)])


@router.post("/system/delete")
async def delete(said: Delete, verbs: Verbs) -> Envelope[Nothing]:
    """Remove a system with everything that belongs to it."""
    removals: list[Removal] = []
    caller = said.caller(said.name)
    await verbs.down(
        [said.name],
        wait_options=_wait_options(),
        keep_volumes=said.keep_volumes,
        force=said.force,
        caller=caller,
        each=removals.append,
    )
    removal = removals[0]
    if removal.error:
        raise removal.error
    notes = removal.release.notes if removal.release else ()
    return Envelope(result=Nothing(), message="\n".join([f"Deleted system {said.name}", *notes]))


@router.post("/system/history")
async def history(said: One, verbs: Verbs) -> Envelope[list[Revision]]:
    """The revisions of a system, oldest first."""
    return Envelope(result=list(await verbs.history(said.name)))


@router.post("/system/rollback")
async def rollback(said: Rollback, verbs: Verbs) -> Envelope[Running]:
    """Make an earlier revision of a system the running one."""
    release = await verbs.rollback(
        said.name,
        said.revision,
        force=said.force,
        caller=said.caller(said.name),
        wait_options=_wait_options(wait=said.wait),
    )
    return Envelope(result=_running(release), message="; ".join(release.notes))


@router.post("/system/restart")
async def restart(said: Restart, verbs: Verbs) -> Envelope[Running]:
    """Replace the pods of services by new ones."""
    release = await verbs.restart(
        said.name,
        said.services,
        force=said.force,
        caller=said.caller(said.name),
        wait_options=_wait_options(wait=said.wait),
    )
    return Envelope(result=_running(release), message="; ".join(release.notes))


@router.post("/system/events")
async def events(said: Events, verbs: Verbs) -> Envelope[list[Event]]:
    """What the cluster tells of a system's objects, oldest first."""
    return Envelope(result=[event async for event in verbs.events(said.name, said.services)])


@router.post("/system/logs")
async def logs(said: Logs, verbs: Verbs) -> Envelope[list[str]]:
    """What a system's containers have written, each line with its pod's name before it."""
    since = parse_since(said.since) if said.since else None
    lines = verbs.logs(said.name, said.services, tail=said.tail, since=since, timestamps=said.timestamps)
    return Envelope(result=[line async for line in lines])


@router.post("/system/compile")
async def compile(said: Compile, charts: Charts) -> Envelope[Compiled]:
    """The chart that a start would run; touches no cluster."""
    compiled = await _compile(charts, said)
    chart = compiled.chart
    result = Compiled(
        name=chart.name,
        version=chart.version,
        digest=chart.digest,
        files={path: text for path, text in chart.files.items() if isinstance(text, str)},
        report=[Row.model_validate(asdict(row)) for row in chart.report],
        warnings=_warnings(compiled),
    )
    return Envelope(result=result)


@router.get("/healthz")
async def healthz() -> Envelope[Nothing]:
    """Whether the service lives."""
    return Envelope(result=Nothing())


@router.get("/readyz")
async def readyz(verbs: Verbs) -> Envelope[Nothing]:
    """Whether it reaches its cluster."""
    await verbs.status(services=False)
    return Envelope(result=Nothing())


@router.get("/apidocs", include_in_schema=False)
async def apidocs() -> RedirectResponse:
    """The page's other address."""
    return RedirectResponse("docs")


async def _compile(charts: Charts, said: Compile) -> Chart:
    env = {key: value for key, value in said.env.items() if value is not None}
    metadata = {name: ServiceMetadata(port=one.port, clients=tuple(one.clients)) for name, one in said.services.items()}
    files = {path: (file.data, file.executable) for path, file in said.files.items()}
    return await charts.compile({**said.system, "name": said.name}, env, metadata, files)


def _wait_options(*, wait: bool = True) -> WaitOptions:
    return WaitOptions(wait=wait, timeout=PATIENCE)


def _warnings(compiled: Chart) -> list[Any]:
    return [*compiled.woven.system.warnings, *compiled.woven.warnings]


def _container(one: ServiceStatus) -> dict[str, str | int]:
    ports = {f"port-{i}": endpoint.port for i, endpoint in enumerate(one.endpoints, 1)}
    return {"ip_address": one.endpoints[0].ip_address if one.endpoints else NONE, **ports}


def _running(release: Release) -> Running:
    identity, endpoint = release.identity, release.endpoint
    return Running(
        name=identity.name,
        sid=identity.guid,
        ip_address=endpoint.ip_address if endpoint else NONE,
        port=str(endpoint.port) if endpoint else NONE,
        creation_time=release.created.isoformat() if release.created else "",
        username=identity.username,
        is_ready=release.ready,
        utilization={one.name: one.requests for one in release.services},
        release=identity.release,
        namespace=identity.namespace,
        revision=release.revision,
        state=release.state,
        services=release.services,
        origin=release.origin,
        notes=release.notes,
    )
