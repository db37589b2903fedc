"""How far a system is, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from tycho.api.bodies import JsonRoute
from tycho.api.dependencies import LifecycleDep
from tycho.api.queries import LONGEST_WAIT, SystemId
from tycho.api.responses import NothingMoreError
from tycho.api.routes.shared import FAILURES
from tycho.errors import ClusterUnreachable, NotFound, TychoError
from tycho.progress import ProgressEvent, ProgressEvents, is_last
from tycho.release import Release

INTERVAL = 0.5  # seconds between looks
RETRY = 1000  # milliseconds until a client comes again
LAST: dict[int | str, dict[str, Any]] = {204: {"description": "`Last-Event-ID` was the last event."}}
LastEventId = Annotated[str, Header(max_length=16384, description="Go on behind this event.")]
router = APIRouter(responses=FAILURES, route_class=JsonRoute, tags=["systems"])


async def _find(id: SystemId, verbs: LifecycleDep, last_event_id: LastEventId = "") -> Release:
    """Find the system before an answer begins: a stream has no status code to say that there is none."""
    (release,) = await verbs.status([id])
    if is_last(last_event_id, release):
        raise NothingMoreError
    return release


@router.get("/system/{id}/events", response_class=EventSourceResponse, responses=LAST)
async def watch_system(
    first: Annotated[Release, Depends(_find)], verbs: LifecycleDep, last_event_id: LastEventId = ""
) -> AsyncIterator[ServerSentEvent]:
    """Stream the progress of a system, until it is ready or has failed.

    Events are `report` (what changed its meaning), `progress`, `log` (the last lines of what failed), and as the last
    one `ready` or `failed`. Their data is `{revision, percent, message, service, ready, wanted, why, url}`. A stream
    that ends without a last event, after some minutes, goes on with `Last-Event-ID`.
    """
    events, guid = ProgressEvents(await _read_report(verbs, first.identity.guid), last_event_id), first.identity.guid
    end, release = asyncio.get_running_loop().time() + LONGEST_WAIT, first
    while True:
        for event in events.tell(release):
            yield _event(event)
        if events.ended or asyncio.get_running_loop().time() > end:
            return
        await asyncio.sleep(INTERVAL)
        try:
            (release,) = await verbs.status([guid])
        except NotFound as error:
            yield _event(events.gone(release, error.message))
            return
        except ClusterUnreachable:
            continue
        except TychoError:  # the next request is told why
            return


async def _read_report(verbs: LifecycleDep, guid: str) -> list[dict[str, Any]]:
    """Read the report of a system; none of one that is about to start, or has gone."""
    try:
        return (await verbs.contents(guid)).report
    except TychoError:
        return []


def _event(event: ProgressEvent) -> ServerSentEvent:
    return ServerSentEvent(event=event.kind, id=event.id, data=event.progress, retry=RETRY)
