"""How far a system is, and how all of them are, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from tycho.api.bodies import JsonRoute
from tycho.api.dependencies import LifecycleDep
from tycho.api.looks import SystemEvents, look_until
from tycho.api.queries import LONGEST_WAIT, FollowQuery, SystemId
from tycho.api.responses import NothingMoreError, describe
from tycho.api.routes.shared import FAILURES
from tycho.errors import ClusterUnreachable, NotFound, TychoError
from tycho.progress import ProgressEvent, ProgressEvents, is_last
from tycho.release import Release

AGAIN = 0.5  # seconds until a cluster that does not answer is asked again
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
    events, release = ProgressEvents(await _read_report(verbs, first.identity.guid), last_event_id), first
    try:
        async with aclosing(_follow_one(verbs, first)) as looks:
            async for release in looks:
                for event in events.tell(release):
                    yield _event(event)
                if events.ended:
                    return
    except NotFound as error:
        yield _event(events.gone(release, error.message))
    except TychoError:  # the next request is told why
        return


async def _check(query: Annotated[FollowQuery, Query()], verbs: LifecycleDep) -> FollowQuery:
    """Look once before an answer begins: a stream has no status code to say what is wrong."""
    await verbs.status(query.id, services=False, **query.read())
    return query


@router.get("/events", response_class=EventSourceResponse)
async def follow_systems(
    query: Annotated[FollowQuery, Depends(_check)], verbs: LifecycleDep
) -> AsyncIterator[ServerSentEvent]:
    """Stream the systems that run, or those that fit: at first all of them, then each that has changed.

    Events are `system` (it is new, or has changed: as `GET /system/{id}` has it), `gone` (`{sid}`: it is not there any
    more, or does not fit), and behind those of one look `current` (`{count}`: all of them are told). A stream ends
    after some minutes, and another one begins with all of them again; `failed` is the last event of one that cannot
    go on, and its data are an error's.
    """
    events, end = SystemEvents(), asyncio.get_running_loop().time() + LONGEST_WAIT
    try:
        async with aclosing(look_until(verbs.follow(query.id, **query.read()), end)) as looks:
            async for releases in looks:
                for name, content in events.tell(releases):
                    yield ServerSentEvent(event=name, data=content, retry=RETRY)
    except TychoError as error:
        yield ServerSentEvent(event="failed", data=describe(error), retry=RETRY)


async def _follow_one(verbs: LifecycleDep, first: Release) -> AsyncGenerator[Release]:
    """Yield looks at a system, the first at once, for as long as a stream lasts."""
    clock = asyncio.get_running_loop().time
    end = clock() + LONGEST_WAIT
    yield first
    while clock() < end:
        try:
            async with aclosing(look_until(verbs.follow([first.identity.guid]), end)) as looks:
                async for (release,) in looks:
                    yield release
        except ClusterUnreachable:
            await asyncio.sleep(AGAIN)


async def _read_report(verbs: LifecycleDep, guid: str) -> list[dict[str, Any]]:
    """Read the report of a system; none of one that is about to start, or has gone."""
    try:
        return (await verbs.contents(guid)).report
    except TychoError:
        return []


def _event(event: ProgressEvent) -> ServerSentEvent:
    return ServerSentEvent(event=event.kind, id=event.id, data=event.progress, retry=RETRY)
