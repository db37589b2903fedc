"""One writer at a time: a Lease per release, held while a verb changes it.

The holder names host, process and the moment that it started: where that process is gone from this host, its Lease
is void at once; anywhere else it is void when it was not renewed for its duration.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tycho import kinds
from tycho.errors import Conflict, NotFound, OperationInProgress, OrchestratorError
from tycho.orchestrators.helm.api import Api, Object, at
from tycho.release import Identity

DURATION = 30
RENEW = 10.0


@asynccontextmanager
async def held(api: Api, identity: Identity) -> AsyncIterator[None]:
    """Hold a release's Lease.

    Raises:
        OperationInProgress: Somebody else holds it.
    """
    path = at(kinds.LEASE, identity.namespace, f"tycho-{identity.release}")
    body = await _take(api, identity, path)
    ended = asyncio.Event()
    renewing = asyncio.create_task(_renew(api, path, body, ended))
    try:
        yield
    finally:
        ended.set()
        await asyncio.shield(_give_back(api, path, renewing))


async def _give_back(api: Api, path: str, renewing: asyncio.Task[Object]) -> None:
    """Delete the Lease, unless somebody else has taken it over since."""
    body = await renewing
    with contextlib.suppress(OrchestratorError):
        await api.delete(path, version=body["metadata"]["resourceVersion"])


async def _take(api: Api, identity: Identity, path: str) -> Object:
    body = _body(identity)
    try:
        return await api.create(at(kinds.LEASE, identity.namespace), body)
    except Conflict:
        pass
    try:
        found = await api.get(path)
    except NotFound:
        return await api.create(at(kinds.LEASE, identity.namespace), body)
    holder = str(found["spec"].get("holderIdentity", ""))
    if not void(found, datetime.now(UTC)):
        raise OperationInProgress(
            f"{identity.release} is being changed by {_who(holder)}",
            hint="wait until it is done, and try again",
        )
    body["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
    try:
        return await api.replace(path, body)
    except Conflict:
        raise OperationInProgress(f"{identity.release} is being changed by somebody else") from None


def void(lease: Object, now: datetime) -> bool:
    """Whether nobody stands behind a Lease any more."""
    spec = lease["spec"]
    host, _, rest = str(spec.get("holderIdentity", "")).partition("/")
    process, _, started = rest.partition("/")
    if host == platform.node() and _started(process) != started:
        return True
    renewed = datetime.fromisoformat(spec["renewTime"])
    return now - renewed > timedelta(seconds=int(spec.get("leaseDurationSeconds", DURATION)))


async def _renew(api: Api, path: str, body: Object, ended: asyncio.Event) -> Object:
    """Say that we are still there, until the verb has ended; the Lease as it is then."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RENEW):
                await ended.wait()
            return body
        body["spec"]["renewTime"] = _now()
        with contextlib.suppress(OrchestratorError):
            body = await api.replace(path, body)


def _body(identity: Identity) -> Object:
    process = str(os.getpid())
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": f"tycho-{identity.release}",
            "namespace": identity.namespace,
            "labels": {"executor": "tycho", "tycho-guid": identity.guid},
        },
        "spec": {
            "holderIdentity": f"{platform.node()}/{process}/{_started(process)}",
            "leaseDurationSeconds": DURATION,
            "acquireTime": _now(),
            "renewTime": _now(),
        },
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _started(process: str) -> str:
    """The moment that a process of this host started, "" when it is gone: a number alone may be another's by now."""
    if not re.fullmatch(r"\d+", process):
        return ""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "" if not _alive(int(process)) else "unknown"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _who(holder: str) -> str:
    host, _, rest = holder.partition("/")
    return f"process {rest.partition('/')[0]} on {host}" if rest else holder or "somebody else"
