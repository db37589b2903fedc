"""A namespace for each system, or one that systems share."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tycho import kinds
from tycho.chart import Chart
from tycho.errors import Conflict, Forbidden, NotFound, WaitTimeout
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.orchestrators.helm import prune, waiting
from tycho.orchestrators.helm.object_queries import SYSTEMS
from tycho.orchestrators.helm.view_lists import Source
from tycho.orchestrators.helm.volumes import MERGE
from tycho.orchestrators.helm.waiting import Deadline
from tycho.release import Identity, Release, label_value
from tycho.usernames import user_label

LISTING = 5.0  # seconds between two lists of what is left in a namespace that is going
HOLDING = ("NamespaceContentRemaining", "NamespaceFinalizersRemaining", "NamespaceDeletionContentFailure")


async def ensure_namespace(api: KubeClient, identity: Identity, deadline: Deadline) -> bool:
    """Make a system's own namespace, once a former one of that name is gone; one that is shared must exist.

    Returns:
        Whether it was made.

    Raises:
        NotFound: The shared namespace does not exist.
        Conflict: A namespace of this name belongs to somebody else.
        Forbidden: Namespaces may not be made here.
    """
    path = kinds.NAMESPACE.path(name=identity.namespace)
    if not identity.own_namespace:
        try:
            await api.get(path)
        except Forbidden:
            pass  # who may work in it need not be allowed to look at it
        except NotFound:
            raise NotFound(
                f'there is no namespace "{identity.namespace}"',
                hint=f"run kubectl create namespace {identity.namespace}",
            ) from None
        return False
    while not await _make(api, identity):
        namespace = await api.get(path)
        if (namespace["metadata"].get("labels") or {}).get("tycho-guid") != identity.guid:
            raise Conflict(f'the namespace "{identity.namespace}" exists already, and belongs to somebody else')
        if not namespace["metadata"].get("deletionTimestamp"):
            await _mark_owner(api, identity, namespace)
            return False
        if not await deadline.until(lambda: api.is_gone(path)):
            raise Conflict(f"{identity.name} is still being removed", hint="try again in a moment")
    return True


async def _make(api: KubeClient, identity: Identity) -> bool:
    try:
        await api.create(kinds.NAMESPACE.path(), _namespace(identity))
    except Conflict:
        return False
    except Forbidden as error:
        message = f"you may not make namespaces: {error.message}"
        raise Forbidden(message, hint="-n NAMESPACE shares one that exists") from None
    return True


async def _mark_owner(api: KubeClient, identity: Identity, namespace: KubeObject) -> None:
    """Say on a namespace that is there whose the system is now."""
    labels = _owner_labels(identity)
    if any((namespace["metadata"].get("labels") or {}).get(key) != value for key, value in labels.items() if value):
        with contextlib.suppress(Forbidden):
            path = kinds.NAMESPACE.path(name=identity.namespace)
            await api.call("PATCH", path, {"metadata": {"labels": labels}}, headers=MERGE)


def _owner_labels(identity: Identity) -> dict[str, str]:
    return {"username": user_label(identity.username), "tycho-origin": identity.origin}


def _namespace(identity: Identity) -> KubeObject:
    labels = {
        "executor": "tycho",
        "tycho-guid": identity.guid,
        "tycho-name": label_value(identity.name),
        **_owner_labels(identity),
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


async def list_orphaned(
    source: Source, known: Sequence[Release], *, guid: str = "", release: str = ""
) -> list[Release]:
    """Namespaces of Tycho's without a release: a start or a removal was cut short there.

    Args:
        source: What tells of the cluster.
        known: Systems that have a release.
        guid: Of this system alone.
        release: Of the system whose release has, or had, this name alone.
    """
    selector = SYSTEMS + (f",tycho-guid={guid}" if guid else "")
    # The label is there on every namespace, and holds its name.
    selector += f",kubernetes.io/metadata.name={release}" if release else ""
    try:
        namespaces = await source.list(kinds.NAMESPACE, selector=selector)
    except Forbidden:
        return []
    guids = {release.identity.guid for release in known}
    return [
        Release(
            identity=Identity(
                guid=labels["tycho-guid"],
                name=labels.get("tycho-name", namespace["metadata"]["name"]),
                release=namespace["metadata"]["name"],
                namespace=namespace["metadata"]["name"],
                username=labels.get("username", ""),
                origin=labels.get("tycho-origin", ""),
            ),
            state="uninstalling" if namespace["metadata"].get("deletionTimestamp") else "lost",
            created=datetime.fromisoformat(namespace["metadata"]["creationTimestamp"]),
        )
        for namespace in namespaces
        if (labels := namespace["metadata"].get("labels") or {}).get("tycho-guid", "") not in {*guids, ""}
    ]


async def is_terminating(api: KubeClient, identity: Identity) -> bool:
    """Whether a system's own namespace is being deleted."""
    if not identity.own_namespace:
        return False
    try:
        namespace = await api.get(kinds.NAMESPACE.path(name=identity.namespace))
    except (Forbidden, NotFound):
        return False
    return bool(namespace["metadata"].get("deletionTimestamp"))


async def delete_namespace(api: KubeClient, identity: Identity, deadline: Deadline) -> None:
    """Delete a system's own namespace, and see it gone.

    Raises:
        WaitTimeout: It is still there; says what holds it. Finalizers are never stripped.
    """
    path = kinds.NAMESPACE.path(name=identity.namespace)
    try:
        namespace = await api.get(path)
    except NotFound:
        return
    if (namespace["metadata"].get("labels") or {}).get("tycho-guid") != identity.guid:
        return
    await api.delete(path)

    looked = time.monotonic()

    async def list_left() -> list[str] | None:
        nonlocal looked
        if await api.is_gone(path):
            return None
        if time.monotonic() - looked < LISTING:  # it takes a request for each kind, and most are gone before
            return []
        looked = time.monotonic()
        return await prune.list_remaining(api, identity)

    if not deadline.wait_options.wait or await waiting.wait_until_deleted(identity.name, list_left, deadline):
        return
    namespace, left = await api.get(path), await prune.list_remaining(api, identity)
    held = [
        condition["message"]
        for condition in namespace.get("status", {}).get("conditions") or ()
        if condition["status"] == "True" and condition["type"] in HOLDING
    ]
    named = f": {', '.join(left)}" if left else ""
    raise WaitTimeout(
        f"the namespace {identity.namespace} is still there after {deadline.wait_options.timeout:g} s{named}",
        hint="; ".join(held) or "`kubectl get namespace -o yaml` shows what holds it",
    )


async def refuse_name_clash(api: KubeClient, identity: Identity, chart: Chart, values: Mapping[str, Any]) -> None:
    """In a shared namespace, refuse when a Service there would answer to a name of ours.

    Unless it is told the name server, a pod looks for `db` in its namespace before it looks in its own system: a
    foreign Service `db` would win.

    Raises:
        Conflict: Names it.
    """
    if identity.own_namespace or values["dns"].get("nameservers"):
        return
    names = {name.lower() for name in chart.contents.services}
    for service in await api.list(kinds.SERVICE.path(identity.namespace), metadata=True):
        name, labels = service["metadata"]["name"], service["metadata"].get("labels") or {}
        if name in names and labels.get("app.kubernetes.io/instance") != identity.release:
            raise Conflict(
                f'the Service "{name}" of the namespace {identity.namespace} answers instead of this system\'s',
                hint=f"rename the service {name}, or let the system have a namespace of its own (leave out -n)",
            )
