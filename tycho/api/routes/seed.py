"""The verbs as the first Tycho had them, `POST /system/VERB`: a few lines between a message and `tycho.lifecycle`."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from tycho.api.answers import Envelope
from tycho.api.bodies import JsonRoute
from tycho.api.changes import ModifySystem, Patches
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
    Start,
    Started,
    Status,
)
from tycho.api.routes.shared import FAILURES, compile_start, compile_system, list_warnings, wait_options
from tycho.errors import Ambiguous
from tycho.orchestrators import parse_since
from tycho.release import Event, Revision, ServiceStatus
from tycho.slots import CALLER
from tycho.wire import NONE, System, to_system

router = APIRouter(responses=FAILURES, route_class=JsonRoute)


@router.post("/system/start")
async def start(said: Start, verbs: Verbs, charts: Charts) -> Envelope[Started]:
    """Start a system; the same `tycho-guid` again is the same start."""
    caller = said.caller(said.name)
    if caller.username:
        CALLER.set(caller.username)  # takes its turn beside others of the same address
    compiled = await compile_start(charts, said)
    release = await verbs.up(
        compiled,
        guid=said.guid or "",
        new=not (said.guid or said.upgrade),
        replace=said.replace,
        caller=caller,
        wait_options=wait_options(wait=said.wait),
    )
    full = f"{release.identity.name}-{release.identity.guid}"
    result = Started(
        name=full,
        sid=release.identity.guid,
        containers={one.name: _container(one) for one in release.services},
        warnings=list_warnings(compiled),
        notes=release.notes,
        conn_string=release.conn_string,
    )
    return Envelope(result=result, message=f"Started system {full}")


@router.post("/system/status")
async def status(said: Status, verbs: Verbs) -> Envelope[list[System]]:
    """What runs, and where it answers."""
    try:
        found = await verbs.status([said.name] if said.name else [])
    except Ambiguous:
        found = await verbs.status(name=said.name or "")
    return Envelope(result=[to_system(one) for one in found if said.username in (None, "", one.identity.username)])


@router.post("/system/delete")
async def delete(said: Delete, verbs: Verbs) -> Envelope[Nothing]:
    """Remove a system with everything that belongs to it."""
    caller = said.caller(said.name)
    (removal,) = await verbs.down(
        [said.name],
        wait_options=wait_options(),
        keep_volumes=said.keep_volumes,
        force=said.force,
        caller=caller,
        each=lambda removal: None,
    )
    if removal.error:
        raise removal.error
    notes = removal.release.notes if removal.release else ()
    return Envelope(result=Nothing(), message="\n".join([f"Deleted system {said.name}", *notes]))


@router.post("/system/history")
async def history(said: One, verbs: Verbs) -> Envelope[list[Revision]]:
    """The revisions of a system, oldest first."""
    return Envelope(result=list(await verbs.history(said.name)))


@router.post("/system/rollback")
async def rollback(said: Rollback, verbs: Verbs) -> Envelope[System]:
    """Make an earlier revision of a system the running one."""
    release = await verbs.rollback(
        said.name,
        said.revision,
        force=said.force,
        caller=said.caller(said.name),
        wait_options=wait_options(wait=said.wait),
    )
    return Envelope(result=to_system(release), message="; ".join(release.notes))


@router.post("/system/restart")
async def restart(said: Restart, verbs: Verbs) -> Envelope[System]:
    """Replace the pods of services by new ones."""
    release = await verbs.restart(
        said.name,
        said.services,
        force=said.force,
        caller=said.caller(said.name),
        wait_options=wait_options(wait=said.wait),
    )
    return Envelope(result=to_system(release), message="; ".join(release.notes))


@router.post("/system/modify")
async def modify(said: ModifySystem, verbs: Verbs) -> Envelope[Patches]:
    """Change labels, resources, replicas, images or variables of a system, without waiting for it."""
    modified = await verbs.modify(
        said.guid,
        said.modification(),
        force=said.force,
        caller=said.caller(""),
        wait_options=wait_options(wait=False),
    )
    patches = [difference.patch for difference in modified.differences]
    return Envelope(result=Patches(patches=patches), message="; ".join(modified.release.notes))


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
    compiled = await compile_system(charts, said)
    chart = compiled.artifact
    result = Compiled(
        name=chart.name,
        version=chart.version,
        digest=chart.digest,
        files={path: text for path, text in chart.files.items() if isinstance(text, str)},
        report=[Row.model_validate(asdict(row)) for row in chart.report],
        warnings=list_warnings(compiled),
    )
    return Envelope(result=result)


@router.get("/apidocs", include_in_schema=False)
async def apidocs() -> RedirectResponse:
    """The page's other address."""
    return RedirectResponse("docs")


def _container(one: ServiceStatus) -> dict[str, str | int]:
    ports = {f"port-{i}": endpoint.port for i, endpoint in enumerate(one.endpoints, 1)}
    return {"ip_address": one.endpoints[0].ip_address if one.endpoints else NONE, **ports}
