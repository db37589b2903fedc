"""The readable routes that start, change and remove systems."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from msgspec.structs import replace

from tycho.api.bodies import JsonRoute
from tycho.api.changes import Modify
from tycho.api.dependencies import LifecycleDep, SandboxDep
from tycho.api.messages import Empty, RestartOf, RollbackTo, Row, Start, Touch
from tycho.api.preconditions import find_guid
from tycho.api.queries import LONGEST_WAIT, DeleteManyQuery, DeleteQuery, SystemId, WaitOnlyQuery, WaitQuery
from tycho.api.responses import Envelope
from tycho.api.routes.shared import (
    ACCEPTED,
    FAILURES,
    IfMatch,
    answer_modified,
    answer_system,
    compile_start,
    find_revision,
    list_warnings,
    wait_options,
)
from tycho.api.schemas import Deletion, Plan
from tycho.comparison import Comparison
from tycho.lifecycle import Compiled as Chart
from tycho.lifecycle import Removal
from tycho.ownership import Caller
from tycho.slots import CALLER
from tycho.wire import System

GOING: dict[int | str, dict[str, Any]] = {202: {"model": Envelope[Empty], "description": "It goes."}}
Key = Annotated[
    str, Header(max_length=255, description="The same key again is the same start; with another body: 422.")
]
router = APIRouter(responses=FAILURES, route_class=JsonRoute, tags=["systems"])


@router.post("/system", responses=ACCEPTED, response_model=Envelope[System | Plan])
async def start_system(
    message: Start,
    query: Annotated[WaitQuery, Query()],
    verbs: LifecycleDep,
    charts: SandboxDep,
    request: Request,
    response: Response,
    idempotency_key: Key = "",
) -> Any:
    """Start a system, or say what a start would do."""
    caller, guid = message.caller(message.name), message.guid or ""
    if caller.username:
        CALLER.set(caller.username)  # takes its turn beside others of the same address
    if idempotency_key and not guid:
        guid = find_guid(request, caller, idempotency_key)
    compiled = await compile_start(charts, message)
    new = not (guid or message.upgrade)
    if query.dry_run:
        comparison = await verbs.diff(compiled, guid=guid, new=new, caller=caller)
        return Envelope(result=_plan(compiled, comparison), message="Nothing was changed")
    release = await verbs.find_start(compiled, guid) if idempotency_key else None
    if release is None:
        options = replace(wait_options(query.wait), rollback=message.rollback_on_failure)
        release = await verbs.up(
            compiled,
            guid=guid,
            new=new,
            replace=message.replace,
            force_conflicts=message.force_conflicts,
            caller=caller,
            wait_options=options,
        )
    message_text = f"Started system {release.identity.name}-{release.identity.guid}"
    return answer_system(release, response, query.wait, message_text)


@router.patch("/system/{id}", responses=ACCEPTED, response_model=Envelope[System | Plan])
async def modify_system(
    id: SystemId,
    message: Modify,
    query: Annotated[WaitQuery, Query()],
    verbs: LifecycleDep,
    response: Response,
    if_match: IfMatch = "",
) -> Any:
    """Change labels, resources, replicas, images or variables of a system."""
    revision = await find_revision(verbs, id, if_match)
    modified = await verbs.modify(
        id,
        message.modification(),
        revision=revision,
        dry_run=query.dry_run,
        force=message.force,
        caller=message.caller(""),
        wait_options=wait_options(query.wait, force_conflicts=message.force_conflicts),
    )
    return answer_modified(modified, response, query)


@router.delete("/system/{id}", responses=GOING)
async def delete_system(
    id: SystemId,
    query: Annotated[DeleteQuery, Query()],
    verbs: LifecycleDep,
    response: Response,
    if_match: IfMatch = "",
) -> Envelope[Empty]:
    """Remove a system with everything that belongs to it."""
    revision = await find_revision(verbs, id, if_match)
    (removal,) = await _remove(verbs, [id], query, revision)
    if removal.error:
        raise removal.error
    response.status_code = 200 if query.wait else 202
    return Envelope(result=Empty(), message=_describe(removal))


@router.delete("/system")
async def delete_systems(query: Annotated[DeleteManyQuery, Query()], verbs: LifecycleDep) -> Envelope[list[Deletion]]:
    """Remove several systems; one that fails does not keep the others."""
    return Envelope(
        result=[
            Deletion(
                id=removal.id,
                status="error" if removal.error else "success",
                message=removal.error.message if removal.error else _describe(removal),
                error=removal.error.reason() if removal.error else "",
            )
            for removal in await _remove(verbs, query.id, query)
        ]
    )


@router.post("/system/{id}/rollback", responses=ACCEPTED, response_model=Envelope[System | Plan])
async def rollback_system(
    id: SystemId, message: RollbackTo, query: Annotated[WaitQuery, Query()], verbs: LifecycleDep, response: Response
) -> Any:
    """Make an earlier revision of a system the running one, or say what that would change."""
    if query.dry_run:
        comparison = await verbs.diff_revision(id, message.revision)
        name, _, version = (await verbs.find(id)).chart.rpartition("-")
        changes = [change.words for change in comparison.changes]
        plan = Plan(name=name, version=version, digest="", changes=changes, report=[], comparison=comparison)
        return Envelope(result=plan, message="Nothing was changed")
    release = await verbs.rollback(
        id,
        message.revision,
        force=message.force,
        caller=message.caller(""),
        wait_options=wait_options(query.wait, force_conflicts=message.force_conflicts),
    )
    return answer_system(release, response, query.wait, "; ".join(release.notes))


@router.post("/system/{id}/restart", responses=ACCEPTED)
async def restart_system(
    id: SystemId, message: RestartOf, query: Annotated[WaitOnlyQuery, Query()], verbs: LifecycleDep, response: Response
) -> Envelope[System]:
    """Replace the pods of services by new ones."""
    release = await verbs.restart(
        id,
        message.services,
        force=message.force,
        caller=message.caller(""),
        wait_options=wait_options(query.wait),
    )
    return answer_system(release, response, query.wait, "; ".join(release.notes))


@router.post("/system/{id}/touch")
async def touch_system(id: SystemId, message: Touch, verbs: LifecycleDep, response: Response) -> Envelope[System]:
    """Note that a system is used: where it ends when nobody uses it, its idle time begins again."""
    release = await verbs.touch(id, message.moment, force=message.force, caller=message.caller(""))
    return answer_system(release, response, LONGEST_WAIT, "Noted")


def _plan(compiled: Chart, comparison: Comparison) -> Plan:
    chart = compiled.artifact
    report = [Row.model_validate(row.as_mapping()) for row in chart.report]
    warnings = list_warnings(compiled)
    changes = [change.words for change in comparison.changes]
    return Plan(
        name=chart.name,
        version=chart.version,
        digest=chart.digest,
        changes=changes,
        report=report,
        warnings=warnings,
        comparison=comparison,
    )


async def _remove(verbs: LifecycleDep, ids: list[str], query: DeleteQuery, revision: int = 0) -> list[Removal]:
    return await verbs.down(
        ids,
        wait_options=wait_options(query.wait),
        keep_volumes=query.keep_volumes,
        force=query.force,
        revision=revision,
        caller=Caller(username=query.username or ""),
        each=lambda removal: None,
    )


def _describe(removal: Removal) -> str:
    notes = removal.release.notes if removal.release else ()
    return "\n".join([f"Deleted system {removal.id}", *notes])
