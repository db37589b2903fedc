"""A namespace for each system, or one that systems share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from tycho.chart import Chart
from tycho.errors import Conflict, Deadline, Forbidden, NotFound
from tycho.orchestrators import Patience
from tycho.orchestrators.helm.api import Api, Object, at
from tycho.orchestrators.helm.releases import SYSTEMS
from tycho.release import Identity, Release

INTERVAL = 0.3


async def ensure(api: Api, identity: Identity) -> None:
    """Make a system's own namespace; one that is shared must exist.

    Raises:
        NotFound: The shared namespace does not exist.
        Conflict: A namespace of this name belongs to somebody else.
        Forbidden: Namespaces may not be made here.
    """
    path = at("namespaces", name=identity.namespace)
    if not identity.own_namespace:
        try:
            await api.get(path)
        except Forbidden:
            return  # who may work in it need not be allowed to look at it
        except NotFound:
            raise NotFound(
                f'there is no namespace "{identity.namespace}"',
                hint=f"kubectl create namespace {identity.namespace}",
            ) from None
        return
    try:
        await api.create(at("namespaces"), _namespace(identity))
    except Conflict:
        found = await api.get(path)
        if (found["metadata"].get("labels") or {}).get("tycho-guid") != identity.guid:
            raise Conflict(
                f'the namespace "{identity.namespace}" exists already, and belongs to somebody else'
            ) from None
        if found["metadata"].get("deletionTimestamp"):
            raise Conflict(f"{identity.name} is still being removed", hint="try again in a moment") from None
    except Forbidden as error:
        raise Forbidden(
            f"you may not make namespaces: {error.message}", hint="-n NAMESPACE shares one that exists"
        ) from None


def _namespace(identity: Identity) -> Object:
    labels = {
        "executor": "tycho",
        "tycho-guid": identity.guid,
        "tycho-name": identity.name[:63].strip("-_."),
        "username": identity.username,
        "pod-security.kubernetes.io/warn": "baseline",
        "pod-security.kubernetes.io/audit": "restricted",
    }
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": identity.namespace,
            "labels": {key: value for key, value in labels.items() if value},
        },
    }


async def lost(api: Api, known: Sequence[Release]) -> list[Release]:
    """Namespaces of Tycho's without a release: a start or a removal was cut short there."""
    try:
        found = await api.list(at("namespaces"), metadata=True, labelSelector=SYSTEMS)
    except Forbidden:
        return []
    guids = {release.identity.guid for release in known}
    return [
        Release(
            identity=Identity(
                guid=labels["tycho-guid"],
                name=labels.get("tycho-name", one["metadata"]["name"]),
                release=one["metadata"]["name"],
                namespace=one["metadata"]["name"],
                username=labels.get("username", ""),
            ),
            state="uninstalling" if one["metadata"].get("deletionTimestamp") else "lost",
            created=datetime.fromisoformat(one["metadata"]["creationTimestamp"]),
        )
        for one in found
        if (labels := one["metadata"].get("labels") or {}).get("tycho-guid", "") not in {*guids, ""}
    ]


async def going(api: Api, identity: Identity) -> bool:
    """Whether a system's own namespace is being deleted."""
    if not identity.own_namespace:
        return False
    try:
        found = await api.get(at("namespaces", name=identity.namespace))
    except (Forbidden, NotFound):
        return False
    return bool(found["metadata"].get("deletionTimestamp"))


async def remove(api: Api, identity: Identity, patience: Patience) -> None:
    """Delete a system's own namespace, and see it gone.

    Raises:
        Deadline: It is still there; says what holds it. Finalizers are never stripped.
    """
    path = at("namespaces", name=identity.namespace)
    try:
        found = await api.get(path)
    except NotFound:
        return
    if (found["metadata"].get("labels") or {}).get("tycho-guid") != identity.guid:
        return
    await api.delete(path)
    loop = asyncio.get_running_loop()
    end = loop.time() + patience.timeout
    while patience.wait:
        try:
            found = await api.get(path)
        except NotFound:
            return
        if loop.time() >= end:
            held = [
                one["message"]
                for one in found.get("status", {}).get("conditions") or ()
                if one["status"] == "True" and one["type"] != "NamespaceDeletionDiscoveryFailure"
            ]
            raise Deadline(
                f"the namespace {identity.namespace} is still there after {patience.timeout:g} s",
                hint="; ".join(held) or "its finalizers have not run",
            )
        await asyncio.sleep(INTERVAL)


async def unhijacked(api: Api, identity: Identity, chart: Chart) -> None:
    """In a shared namespace, refuse when a Service there would answer to a name of ours.

    A pod looks for `db` in its namespace before it looks in its own system: a foreign Service `db` would win.

    Raises:
        Conflict: Names it.
    """
    if identity.own_namespace:
        return
    names = {row.path.split(".")[1] for row in chart.report if row.path.startswith("services.")}
    found = await api.list(at("services", identity.namespace), metadata=True)
    for one in found:
        labels = one["metadata"].get("labels") or {}
        if one["metadata"]["name"] in names and labels.get("app.kubernetes.io/instance") != identity.release:
            name = one["metadata"]["name"]
            raise Conflict(
                f'the Service "{name}" of the namespace {identity.namespace} would answer instead of this system\'s',
                hint=f"rename the service {name}, or let the system have a namespace of its own (leave out -n)",
            )
