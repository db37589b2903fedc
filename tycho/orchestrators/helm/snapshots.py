"""Looking at a cluster: a fixed number of requests for a look, however many systems there are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tycho import kinds
from tycho.errors import Forbidden, NotFound
from tycho.expiry import ANNOTATION as EXPIRY
from tycho.kinds import Kind
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject, get_annotations, get_labels
from tycho.orchestrators.helm.expiry_labels import with_question
from tycho.orchestrators.helm.object_queries import SYSTEMS
from tycho.orchestrators.helm.pods import is_late
from tycho.orchestrators.helm.view_lists import EVENTS, Source
from tycho.orchestrators.helm.workloads import INSTANCE, ClusterSnapshot, name, statuses
from tycho.release import CONN_STRING, ORIGIN, WORKSPACE, Identity, Origin, Release, parse_origin
from tycho.settings import settings
from tycho.usernames import ANNOTATION, real_name


async def snapshot_all(source: Source, namespace: str = "") -> ClusterSnapshot:
    """Workloads, pods, services and nodes of all systems, in one namespace or in the cluster."""
    return await _look(source, namespace, "")


async def snapshot_one(source: Source, identity: Identity) -> ClusterSnapshot:
    """The same of one system, and what the cluster warns of in its namespace."""
    seen, warnings = await asyncio.gather(
        snapshot_release(source, identity),
        _list_if_allowed(source, kinds.EVENT, identity.namespace),
    )
    return replace(seen, warnings=tuple(warnings), pulls=await _list_pulls(source.api, identity, seen))


async def _list_pulls(api: KubeClient, identity: Identity, seen: ClusterSnapshot) -> tuple[KubeObject, ...]:
    """List the pulls of images that nodes began; a pod's status says nothing of them, nor do warnings."""
    if not any(is_late(pod, seen.now) for pod in seen.pods):
        return ()
    try:
        events = await api.get(kinds.EVENT.path(identity.namespace), limit=str(EVENTS), fieldSelector="reason=Pulling")
    except (Forbidden, NotFound):
        return ()
    return tuple(events.get("items") or ())


async def snapshot_release(source: Source, identity: Identity) -> ClusterSnapshot:
    """The same of one system as `snapshot_all` has of it: without what the cluster warns of."""
    return await _look(source, identity.namespace, f"{INSTANCE}={identity.release},{SYSTEMS}")


async def snapshot_each(source: Source, namespaces: Sequence[str]) -> ClusterSnapshot:
    """For who may look at single namespaces alone."""
    seen = await asyncio.gather(*(_look(source, namespace, "") for namespace in namespaces))
    return ClusterSnapshot(
        workloads=tuple(obj for part in seen for obj in part.workloads),
        replicasets=tuple(obj for part in seen for obj in part.replicasets),
        pods=tuple(obj for part in seen for obj in part.pods),
        services=tuple(obj for part in seen for obj in part.services),
        slices=tuple(obj for part in seen for obj in part.slices),
        nodes=seen[0].nodes if seen else (),
        quiet=settings().quiet_time,
        now=min((part.now for part in seen), default=source.api.clock.tell(time.monotonic())),
    )


async def list_pods(api: KubeClient, identity: Identity) -> Mapping[str, str]:
    """List the pods of a system: the service of each, by its uid."""
    selector = f"{INSTANCE}={identity.release}"
    pods = await api.list(kinds.POD.path(identity.namespace), metadata=True, labelSelector=selector)
    return {pod["metadata"]["uid"]: name(pod) for pod in pods}


def with_services(release: Release, seen: ClusterSnapshot) -> Release:
    """A release as the look shows it."""
    identity = release.identity
    services = statuses(seen, identity.release, identity.namespace)
    origin = read_origin(seen, identity)
    user = real_name(identity.username, read_note(seen, identity, ANNOTATION))
    return release.model_copy(
        update={
            "services": services,
            "simulated": seen.simulated,
            "origin": origin,
            "identity": identity.model_copy(update={"username": user}),
            "conn_string": read_note(seen, identity, CONN_STRING),
            "workspace_name": read_workspace(seen, identity),
            "expiry": with_question(release.expiry, read_note(seen, identity, EXPIRY)),
        }
    )


def read_origin(seen: ClusterSnapshot, identity: Identity) -> Origin | None:
    """Read off a system's workloads where it was started from."""
    return parse_origin(read_note(seen, identity, ORIGIN))


def read_note(seen: ClusterSnapshot, identity: Identity, annotation: str) -> str:
    """Read an annotation off a system's workloads; those of a finished job may be of an earlier start."""
    texts = [
        (workload["kind"] != "Job", workload["metadata"]["creationTimestamp"], text)
        for workload in seen.workloads
        if get_labels(workload).get(INSTANCE) == identity.release
        and workload["metadata"]["namespace"] == identity.namespace
        and (text := get_annotations(workload).get(annotation))
    ]
    return max(texts)[-1] if texts else ""


def read_workspace(seen: ClusterSnapshot, identity: Identity) -> str:
    """Read off the pods of a system's workloads what a portal calls it."""
    names = [
        name
        for workload in seen.select(identity.release, identity.namespace).workloads
        if (name := get_labels({"metadata": {}, **workload.get("spec", {}).get("template", {})}).get(WORKSPACE))
    ]
    return names[0] if names else ""


async def list_nodes(source: Source) -> Sequence[KubeObject]:
    """Some nodes; they belong to the cluster's owner, and who may not see them gets no node address."""
    return await _list_if_allowed(source, kinds.NODE)


async def _list_if_allowed(source: Source, kind: Kind, namespace: str = "", selector: str = "") -> Sequence[KubeObject]:
    try:
        return await source.list(kind, namespace, selector)
    except (Forbidden, NotFound):
        return ()


async def _look(source: Source, namespace: str, selector: str) -> ClusterSnapshot:
    """Look at one system, or with no selector at all of them."""
    began = time.monotonic()
    listed = (*kinds.WORKLOADS.values(), kinds.POD, kinds.SERVICE)
    *workloads, pods, services, replicasets, slices, some_nodes = await asyncio.gather(
        *(source.list(kind, namespace, selector) for kind in listed),
        source.list(kinds.REPLICA_SET, namespace, selector) if selector else _nothing(),
        _list_if_allowed(source, kinds.ENDPOINT_SLICE, namespace, selector),
        list_nodes(source),
    )
    # Of all systems there are many, and they say nothing but whose a pod is.
    if not selector and any(owner["kind"] == kinds.REPLICA_SET.name for pod in pods for owner in _owners(pod)):
        replicasets = await source.list(kinds.REPLICA_SET, namespace)
    return ClusterSnapshot(
        workloads=tuple(
            {**workload, "kind": kind}
            for kind, items in zip(kinds.WORKLOADS, workloads, strict=True)
            for workload in items
        ),
        replicasets=tuple(replicasets),
        pods=tuple(pods),
        services=tuple(services),
        slices=tuple(slices),
        nodes=tuple(some_nodes),
        now=source.api.clock.tell(began),
        began=began,
        ended=time.monotonic(),
        quiet=settings().quiet_time,
    )


def _owners(obj: KubeObject) -> Sequence[KubeObject]:
    references: Sequence[KubeObject] = obj["metadata"].get("ownerReferences") or ()
    return references


async def _nothing() -> Sequence[KubeObject]:
    return ()
