"""The readable routes that change nothing."""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse

from tycho.api.bodies import JsonRoute
from tycho.api.dependencies import LifecycleDep
from tycho.api.messages import Row
from tycho.api.preconditions import tag, tag_fits
from tycho.api.queries import LogQuery, Number, ReadyQuery, RevisionQuery, SystemId, SystemQuery, ValuesQuery
from tycho.api.responses import Envelope
from tycho.api.routes.shared import FAILURES, wait_options
from tycho.api.schemas import ChartFiles, Operation, Page, Values, to_operation
from tycho.errors import NotFound, UsageError
from tycho.masking import mask_values
from tycho.orchestrators import parse_since
from tycho.release import Drift, Release
from tycho.wire import System, to_system

ROW = dict.fromkeys(("file", "target", "reason", "remedy"), "") | {"line": 0, "local": False}
YAML: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/yaml": {"schema": {"type": "string"}}}, "description": "The file, in the form asked for."}
}
UNCHANGED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"description": "Of this revision, as it is.", "schema": {"type": "string"}}}},
    304: {"description": "It is as `If-None-Match` says."},
}
router = APIRouter(responses=FAILURES, route_class=JsonRoute, tags=["systems"])


@router.get("/system")
async def list_systems(query: Annotated[SystemQuery, Query()], verbs: LifecycleDep) -> Envelope[Page]:
    """List the systems that run, oldest first: all of them, or those that fit."""
    releases = [
        release
        for release in await verbs.status(**query.read())
        if query.state in (None, release.state) and query.ready in (None, release.ready)
    ]
    behind = _read_place(query.start) if query.start else ("", "")
    releases = sorted((release for release in releases if _place(release) > behind), key=_place)
    page, more = releases[: query.limit], releases[query.limit :]
    return Envelope(
        result=Page(items=[to_system(release) for release in page], next=_write_place(page[-1]) if more else "")
    )


@router.get("/system/{id}", responses=UNCHANGED, response_model=Envelope[System])
async def get_system(
    id: SystemId,
    query: Annotated[ReadyQuery, Query()],
    verbs: LifecycleDep,
    response: Response,
    if_none_match: Annotated[str, Header()] = "",
) -> Any:
    """Return one system, at once or when it is ready."""
    if query.wait:
        release = await verbs.wait(id, query.services, wait_options=wait_options(query.wait))
    else:
        (release,) = await verbs.status([id])
    system = to_system(release)
    etag = tag(system)
    if tag_fits(if_none_match, etag):
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return Envelope(result=system)


@router.get("/system/{id}/revisions")
async def list_revisions(id: SystemId, verbs: LifecycleDep) -> Envelope[list[Operation]]:
    """List the revisions of a system, oldest first, with the result of the request that made each."""
    return Envelope(result=await _operations(verbs, id))


@router.get("/system/{id}/revisions/{revision}")
async def get_revision(id: SystemId, revision: Number, verbs: LifecycleDep) -> Envelope[Operation]:
    """Return one revision: whether it is done, or what it waits for."""
    operations = await _operations(verbs, id)
    for operation in operations:
        if operation.revision == revision:
            return Envelope(result=operation)
    listed = ", ".join(str(operation.revision) for operation in operations)
    raise NotFound(f"{id} has no revision {revision}", hint=f"it has: {listed}")


@router.get("/system/{id}/values")
async def get_values(id: SystemId, query: Annotated[ValuesQuery, Query()], verbs: LifecycleDep) -> Envelope[Values]:
    """Return the values of a system's release; secrets are masked."""
    contents = await verbs.contents(id, query.revision)
    values = mask_values(contents.merged if query.all else contents.values, known=contents.files.values())
    return Envelope(result=Values(revision=contents.revision, values=values))


@router.get("/system/{id}/report")
async def get_report(
    id: SystemId, query: Annotated[RevisionQuery, Query()], verbs: LifecycleDep
) -> Envelope[list[Row]]:
    """List the keys whose meaning changed on the way from the compose file to the cluster."""
    contents = await verbs.contents(id, query.revision)
    return Envelope(result=[Row.model_validate({**ROW, **row}) for row in contents.report])


@router.get("/system/{id}/chart")
async def get_chart(
    id: SystemId, query: Annotated[RevisionQuery, Query()], verbs: LifecycleDep
) -> Envelope[ChartFiles]:
    """Return the chart that a system was made of; secrets are in no file of it."""
    files = await verbs.chart(id, query.revision)
    return Envelope(result=ChartFiles(files={path: b64encode(content).decode() for path, content in files.items()}))


@router.get("/system/{id}/drift")
async def get_drift(id: SystemId, verbs: LifecycleDep) -> Envelope[Sequence[Drift]]:
    """List the fields of live objects that are not what the release says, and who changed them."""
    return Envelope(result=await verbs.drift(id))


@router.get("/system/{id}/compose", responses=YAML, response_model=Envelope[str])
async def get_compose(
    id: SystemId, query: Annotated[RevisionQuery, Query()], request: Request, verbs: LifecycleDep
) -> Any:
    """Return the compose file of the running system: merged, after the policies, without secrets."""
    contents = await verbs.contents(id, query.revision)
    if not contents.compose:
        raise NotFound(f"{id} was made of a chart without its compose file", hint="start it again: that brings one")
    if "yaml" in request.headers.get("accept", ""):
        return PlainTextResponse(contents.compose, media_type="text/yaml")
    return Envelope(result=contents.compose)


@router.get("/system/{id}/logs")
async def get_logs(id: SystemId, query: Annotated[LogQuery, Query()], verbs: LifecycleDep) -> Envelope[list[str]]:
    """List the lines that a system's containers wrote, each after its pod's name."""
    since = parse_since(query.since, verbs.now()) if query.since else None
    lines = verbs.logs(id, query.services, tail=query.tail, since=since, timestamps=query.timestamps)
    return Envelope(result=[line async for line in lines])


async def _operations(verbs: LifecycleDep, id: str) -> Sequence[Operation]:
    history, (release,) = await asyncio.gather(verbs.history(id), verbs.status([id]))
    return [to_operation(revision, release) for revision in history]


def _place(release: Release) -> tuple[str, str]:
    """Return the sort key of a system: the moment of its start, so that other systems do not move it."""
    created = release.created or datetime.min.replace(tzinfo=UTC)
    return created.astimezone(UTC).isoformat(), release.identity.guid


def _write_place(release: Release) -> str:
    return urlsafe_b64encode(" ".join(_place(release)).encode()).decode()


def _read_place(token: str) -> tuple[str, str]:
    try:
        moment, guid = b64decode(token, altchars=b"-_", validate=True).decode().split(" ")
    except (binascii.Error, ValueError):
        raise UsageError("continue is not what an answer gave", hint="leave it out to begin again") from None
    return moment, guid
