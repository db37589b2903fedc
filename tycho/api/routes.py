"""The verbs as routes: each a few lines between a message and `tycho.lifecycle`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request

from tycho.api.messages import Envelope, One, Query, Rollback, Start
from tycho.compose import Sources
from tycho.errors import TychoError
from tycho.lifecycle import Compiled, Lifecycle, Removal
from tycho.orchestrators import Patience
from tycho.release import Release, ServiceStatus

router = APIRouter()


def lifecycle(request: Request) -> Lifecycle:
    """The verbs of this service."""
    found: Lifecycle = request.app.state.lifecycle
    return found


def success(result: Any, message: str = "") -> Envelope:
    """The envelope of what went well."""
    return Envelope(status="success", result=result, message=message)


@router.post("/system/start")
async def start(said: Start, request: Request) -> Envelope:
    """Start a system; the same `tycho-guid` again is the same start."""
    verbs = lifecycle(request)
    release = await verbs.up(
        _compiled(verbs, said),
        guid=said.guid,
        username=said.username,
        new=not said.guid,
        patience=Patience(wait=said.wait),
    )
    identity = release.identity
    full = f"{identity.name}-{identity.guid}"
    containers = {one.name: _container(one) for one in release.services}
    return success({"name": full, "sid": identity.guid, "containers": containers}, f"Started system {full}")


@router.post("/system/status")
async def status(said: Query, request: Request) -> Envelope:
    """What runs, and where it answers."""
    verbs = lifecycle(request)
    found = await verbs.status([said.name] if said.name else [], username=said.username)
    return success([_system(release) for release in found])


@router.post("/system/delete")
async def delete(said: One, request: Request) -> Envelope:
    """Remove a system with everything that belongs to it."""
    removals: list[Removal] = []
    await lifecycle(request).down([said.name], patience=Patience(), each=removals.append)
    error: TychoError | None = removals[0].error
    if error:
        raise error
    return success({}, f"Deleted system {said.name}")


@router.post("/system/history")
async def history(said: One, request: Request) -> Envelope:
    """The revisions of a system, oldest first."""
    found = await lifecycle(request).history(said.name)
    return success([revision.model_dump(mode="json") for revision in found])


@router.post("/system/rollback")
async def rollback(said: Rollback, request: Request) -> Envelope:
    """Make an earlier revision of a system the running one."""
    release = await lifecycle(request).rollback(said.name, said.revision, patience=Patience(wait=said.wait))
    return success(_system(release), "; ".join(release.notes))


@router.post("/system/compile")
async def compile(said: Start, request: Request) -> Envelope:
    """The chart that a start would run: its files, and what became of every key."""
    chart = _compiled(lifecycle(request), said).chart
    texts = {path: text for path, text in chart.files.items() if isinstance(text, str)}
    rows = [{key: getattr(row, key) for key in row.__slots__} for row in chart.report]
    result = {"name": chart.name, "version": chart.version, "digest": chart.digest, "files": texts, "report": rows}
    return success(result)


def _compiled(verbs: Lifecycle, said: Start) -> Compiled:
    """The chart of a request: no disk, and no variables but the request's own."""
    env = {key: value for key, value in said.env.items() if value is not None}
    sources = Sources.from_document(said.system, env=env, name=said.name)
    metadata = {name: one for name, one in said.services.items() if one.port or one.clients}
    return verbs.compile(sources, metadata=metadata)


def _container(one: ServiceStatus) -> Mapping[str, Any]:
    ports = {f"port-{i}": endpoint.port for i, endpoint in enumerate(one.endpoints, 1)}
    return {"ip_address": one.endpoints[0].ip_address if one.endpoints else "--", **ports}


def _system(release: Release) -> Mapping[str, Any]:
    identity, endpoint = release.identity, release.endpoint
    return {
        "name": identity.name,
        "sid": identity.guid,
        "ip_address": endpoint.ip_address if endpoint else "--",
        "port": str(endpoint.port) if endpoint else "--",
        "creation_time": release.created.isoformat() if release.created else "",
        "username": identity.username,
        "is_ready": release.ready,
        "utilization": {one.name: dict(one.requests) for one in release.services},
        "release": identity.release,
        "namespace": identity.namespace,
        "revision": release.revision,
        "state": release.state,
        "services": [one.model_dump(mode="json") for one in release.services],
    }
