"""The verbs as the first Tycho had them, `POST /system/VERB`: a few lines between a message and `tycho.lifecycle`."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse
from msgspec.structs import replace

from tycho.api.bodies import JsonRoute
from tycho.api.changes import ModifySystem, Patches
from tycho.api.dependencies import LifecycleDep, SandboxDep
from tycho.api.messages import (
    Compile,
    Compiled,
    Delete,
    Empty,
    Events,
    Logs,
    Restart,
    Rollback,
    Row,
    Start,
    StartResult,
    Status,
    SystemRequest,
)
from tycho.api.responses import Envelope
from tycho.api.routes.shared import FAILURES, compile_start, compile_system, list_warnings, wait_options
from tycho.errors import Ambiguous
from tycho.orchestrators import parse_since
from tycho.release import Event, Revision, ServiceStatus
from tycho.slots import CALLER
from tycho.wire import NONE, System, to_system

router = APIRouter(responses=FAILURES, route_class=JsonRoute)


@router.post("/system/start")
async def start(body: Start, verbs: LifecycleDep, charts: SandboxDep) -> Envelope[StartResult]:
    """Start a system; the same `tycho-guid` again is the same start."""
    caller = body.caller(body.name)
    if caller.username:
        CALLER.set(caller.username)  # takes its turn beside others of the same address
    compiled = await compile_start(charts, body)
    release = await verbs.up(
        compiled,
        guid=body.guid or "",
        new=not (body.guid or body.upgrade),
        replace=body.replace,
        force_conflicts=body.force_conflicts,
        caller=caller,
        wait_options=replace(wait_options(wait=body.wait), rollback=body.rollback_on_failure),
    )
    full = f"{release.identity.name}-{release.identity.guid}"
    result = StartResult(
        name=full,
        sid=release.identity.guid,
        containers={service.name: _container(service) for service in release.services},
        warnings=list_warnings(compiled),
        notes=release.notes,
        conn_string=release.conn_string,
    )
    return Envelope(result=result, message=f"Started system {full}")


@router.post("/system/status")
async def status(body: Status, verbs: LifecycleDep) -> Envelope[list[System]]:
    """List the running systems with their addresses."""
    try:
        releases = await verbs.status([body.name] if body.name else [])
    except Ambiguous:
        releases = await verbs.status(name=body.name or "")
    return Envelope(
        result=[to_system(release) for release in releases if body.username in (None, "", release.identity.username)]
    )


@router.post("/system/delete")
async def delete(body: Delete, verbs: LifecycleDep) -> Envelope[Empty]:
    """Remove a system with everything that belongs to it."""
    caller = body.caller(body.name)
    (removal,) = await verbs.down(
        [body.name],
        wait_options=wait_options(),
        keep_volumes=body.keep_volumes,
        force=body.force,
        caller=caller,
        each=lambda removal: None,
    )
    if removal.error:
        raise removal.error
    notes = removal.release.notes if removal.release else ()
    return Envelope(result=Empty(), message="\n".join([f"Deleted system {body.name}", *notes]))


@router.post("/system/history")
async def history(body: SystemRequest, verbs: LifecycleDep) -> Envelope[list[Revision]]:
    """List the revisions of a system, oldest first."""
    return Envelope(result=list(await verbs.history(body.name)))


@router.post("/system/rollback")
async def rollback(body: Rollback, verbs: LifecycleDep) -> Envelope[System]:
    """Make an earlier revision of a system the running one."""
    release = await verbs.rollback(
        body.name,
        body.revision,
        force=body.force,
        caller=body.caller(body.name),
        wait_options=wait_options(wait=body.wait, force_conflicts=body.force_conflicts),
    )
    return Envelope(result=to_system(release), message="; ".join(release.notes))


@router.post("/system/restart")
async def restart(body: Restart, verbs: LifecycleDep) -> Envelope[System]:
    """Replace the pods of services by new ones."""
    release = await verbs.restart(
        body.name,
        body.services,
        force=body.force,
        caller=body.caller(body.name),
        wait_options=wait_options(wait=body.wait),
    )
    return Envelope(result=to_system(release), message="; ".join(release.notes))


@router.post("/system/modify")
async def modify(body: ModifySystem, verbs: LifecycleDep) -> Envelope[Patches]:
    """Change labels, resources, replicas, images or variables of a system, without waiting for it."""
    modified = await verbs.modify(
        body.guid,
        body.modification(),
        force=body.force,
        caller=body.caller(""),
        wait_options=wait_options(wait=False, force_conflicts=body.force_conflicts),
    )
    patches = [difference.patch for difference in modified.differences]
    return Envelope(result=Patches(patches=patches), message="; ".join(modified.release.notes))


@router.post("/system/events")
async def events(body: Events, verbs: LifecycleDep) -> Envelope[list[Event]]:
    """List the events of a system's objects, oldest first."""
    return Envelope(result=[event async for event in verbs.events(body.name, body.services)])


@router.post("/system/logs")
async def logs(body: Logs, verbs: LifecycleDep) -> Envelope[list[str]]:
    """List the lines that a system's containers wrote, each after its pod's name."""
    since = parse_since(body.since, verbs.now()) if body.since else None
    lines = verbs.logs(body.name, body.services, tail=body.tail, since=since, timestamps=body.timestamps)
    return Envelope(result=[line async for line in lines])


@router.post("/system/compile")
async def compile(body: Compile, charts: SandboxDep) -> Envelope[Compiled]:
    """Return the chart that a start runs; touches no cluster."""
    compiled = await compile_system(charts, body)
    chart = compiled.artifact
    result = Compiled(
        name=chart.name,
        version=chart.version,
        digest=chart.digest,
        files={path: text for path, text in chart.files.items() if isinstance(text, str)},
        report=[Row.model_validate(row.as_mapping()) for row in chart.report],
        warnings=list_warnings(compiled),
    )
    return Envelope(result=result)


@router.get("/apidocs", include_in_schema=False)
async def apidocs() -> RedirectResponse:
    """Redirect to the page's address."""
    return RedirectResponse("docs")


def _container(status: ServiceStatus) -> dict[str, str | int]:
    ports = {f"port-{i}": endpoint.port for i, endpoint in enumerate(status.endpoints, 1)}
    return {"ip_address": status.endpoints[0].ip_address if status.endpoints else NONE, **ports}
