"""The readable routes on how much of a system runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from tycho.api.bodies import JsonRoute
from tycho.api.changes import PauseOf, ScaleOf, StopOf
from tycho.api.dependencies import LifecycleDep
from tycho.api.queries import SystemId, WaitOnlyQuery, WaitQuery
from tycho.api.responses import Envelope
from tycho.api.routes.shared import (
    ACCEPTED,
    FAILURES,
    IfMatch,
    answer_modified,
    answer_system,
    find_revision,
    wait_options,
)
from tycho.api.schemas import Plan
from tycho.release import Release
from tycho.wire import System

router = APIRouter(responses=FAILURES, route_class=JsonRoute, tags=["systems"])
WaitOnly = Annotated[WaitOnlyQuery, Query()]


@router.post("/system/{id}/pause", responses=ACCEPTED)
async def pause_system(
    id: SystemId, message: PauseOf, query: WaitOnly, verbs: LifecycleDep, response: Response, if_match: IfMatch = ""
) -> Envelope[System]:
    """Have nothing of a system run; its volumes and addresses stay."""
    revision = await find_revision(verbs, id, if_match)
    return await _change(verbs.pause, id, message, query, revision, response)


@router.post("/system/{id}/resume", responses=ACCEPTED)
async def resume_system(
    id: SystemId, message: PauseOf, query: WaitOnly, verbs: LifecycleDep, response: Response, if_match: IfMatch = ""
) -> Envelope[System]:
    """Have a paused system run again."""
    revision = await find_revision(verbs, id, if_match)
    return await _change(verbs.resume, id, message, query, revision, response)


@router.post("/system/{id}/stop", responses=ACCEPTED)
async def stop_services(
    id: SystemId, message: StopOf, query: WaitOnly, verbs: LifecycleDep, response: Response, if_match: IfMatch = ""
) -> Envelope[System]:
    """Have services not run, until they are started or the system is upgraded."""
    revision = await find_revision(verbs, id, if_match)
    return await _change(partial(verbs.stop, services=message.services), id, message, query, revision, response)


@router.post("/system/{id}/start", responses=ACCEPTED)
async def start_services(
    id: SystemId, message: StopOf, query: WaitOnly, verbs: LifecycleDep, response: Response, if_match: IfMatch = ""
) -> Envelope[System]:
    """Have services that were stopped run again, with as many replicas as before."""
    revision = await find_revision(verbs, id, if_match)
    return await _change(partial(verbs.start, services=message.services), id, message, query, revision, response)


@router.post("/system/{id}/scale", responses=ACCEPTED, response_model=Envelope[System | Plan])
async def scale_services(
    id: SystemId,
    message: ScaleOf,
    query: Annotated[WaitQuery, Query()],
    verbs: LifecycleDep,
    response: Response,
    if_match: IfMatch = "",
) -> Any:
    """Have another number of replicas of services."""
    modified = await verbs.scale(
        id,
        message.replicas,
        revision=await find_revision(verbs, id, if_match),
        dry_run=query.dry_run,
        force=message.force,
        caller=message.caller(""),
        wait_options=wait_options(query.wait, force_conflicts=message.force_conflicts),
    )
    return answer_modified(modified, response, query)


async def _change(
    verb: Callable[..., Awaitable[Release]],
    id: str,
    message: PauseOf | StopOf,
    query: WaitOnlyQuery,
    revision: int,
    response: Response,
) -> Envelope[System]:
    """Change how much of a system runs, and answer with the system as it is then."""
    release = await verb(
        id,
        revision=revision,
        force=message.force,
        caller=message.caller(""),
        wait_options=wait_options(query.wait, force_conflicts=message.force_conflicts),
    )
    return answer_system(release, response, query.wait, "; ".join(release.notes))
