"""Removing a system: helm uninstalls it, what helm leaves is deleted, and its volumes go or are kept."""

from __future__ import annotations

import asyncio

from tycho.choices import check_revision
from tycho.errors import Conflict, Forbidden, OrchestratorError
from tycho.kube.client import KubeClient
from tycho.orchestrators.helm import lease, namespaces, prune, releases, volumes
from tycho.orchestrators.helm.process import Helm
from tycho.orchestrators.helm.waiting import Deadline
from tycho.release import Identity, Release


async def remove_system(
    api: KubeClient,
    helm: Helm,
    release: Release,
    deadline: Deadline,
    *,
    keep_volumes: bool,
    revision: int = 0,
) -> tuple[str, ...]:
    """Remove a release, what it left, its volumes and its namespace.

    Args:
        api: The cluster.
        helm: The helm program.
        release: The last look at the system.
        deadline: How long that may take, and who is told.
        keep_volumes: Keep the volumes, where it has any, and the namespace that holds them.
        revision: The running one, or 0 for whichever it is.

    Returns:
        What became of each volume.

    Raises:
        PreconditionFailed: It has another revision by now.
        WaitTimeout: Something would not go; it is named, with what holds it. Nothing is forced.
    """
    identity = release.identity
    if await namespaces.is_terminating(api, identity):  # somebody has begun: there is nothing left to hold
        claimed, keep_volumes = await volumes.list_volumes(api, identity), False
    else:
        async with lease.hold_lease(api, identity, deadline.wait_options.tell, removes=True):
            # Whoever held the Lease before has brought to its end what he had begun: the last look may be older.
            known, claimed = await asyncio.gather(
                releases.list_revisions(api, identity), volumes.list_volumes(api, identity)
            )
            if revision and known:
                check_revision(identity, revision, releases.read_number(known[-1]))
            keep_volumes = keep_volumes and bool(claimed)
            outcome = "kept" if keep_volumes else "deleted"
            listed = ", ".join(volume.text for volume in claimed)
            deadline.wait_options.tell(
                f"{identity.name}: removing it" + (f"; its volumes will be {outcome}: {listed}" if claimed else "")
            )
            try:
                await volumes.mark_volumes(api, release, claimed, kept=keep_volumes)
            except Forbidden:
                if keep_volumes:
                    raise
            if known:
                await _uninstall(api, helm, identity)
            kept = [volume.claim for volume in claimed] if keep_volumes else []
            await prune.delete_members(api, identity, deadline, kept=kept)
    if identity.own_namespace and not keep_volumes:
        await namespaces.delete_namespace(api, identity, deadline)
    if not keep_volumes:
        return tuple(f"deleted volume {volume.text}" for volume in claimed)
    return (
        *(f"kept volume {volume.text} in namespace {identity.namespace}" for volume in claimed),
        f"`tycho up` uses them again; `tycho down {identity.guid[:8]}` deletes them",
    )


async def _uninstall(api: KubeClient, helm: Helm, identity: Identity) -> None:
    from tycho.orchestrators.helm.command import client

    try:
        await client(helm).uninstall_release(identity.release, namespace=identity.namespace)
    except (Conflict, Forbidden):
        raise
    except OrchestratorError:
        # An earlier `down` may have been cut short after helm had begun: what is left is removed by label.
        if await releases.list_revisions(api, identity):
            raise
