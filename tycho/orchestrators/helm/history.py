"""The revisions of a release: who made each, when and why, and what it changed."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from tycho.chart import find_origin
from tycho.comparison.compose_changes import list_changes
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.orchestrators.helm import changes, releases
from tycho.orchestrators.helm.stored import to_stored
from tycho.release import Identity, Revision
from tycho.stored import StoredRelease


async def list_history(api: KubeClient, identity: Identity) -> list[Revision]:
    """List the revisions, oldest first: each with the time, the caller and the description that Helm stored with it."""
    known = await releases.list_revisions(api, identity)
    payloads = await asyncio.gather(
        *(releases.read_payload(api, identity, releases.read_number(secret)) for secret in known)
    )
    stored = [to_stored(payload, releases.read_number(secret)) for secret, payload in zip(known, payloads, strict=True)]
    states = list(zip(stored, payloads, strict=True))
    changed = [(), *(_list_changes(before, after) for before, after in pairwise(states))]
    return [
        _describe(secret, payload, listed, newest=secret is known[-1])
        for secret, payload, listed in zip(known, payloads, changed, strict=True)
    ]


def _describe(secret: KubeObject, payload: KubeObject, listed: tuple[str, ...], *, newest: bool) -> Revision:
    cut_short = releases.is_pending(secret) and not newest  # and recovered
    return Revision(
        revision=releases.read_number(secret),
        state="failed" if cut_short else releases.read_state(secret),
        updated=releases.read_deployed(payload) or releases.read_time(secret),
        compose=releases.read_label(secret, "compose"),
        policies=releases.read_label(secret, "policies"),
        chart=releases.read_label(secret, "tycho-chart"),
        description=payload.get("info", {}).get("description", ""),
        username=releases.read_label(secret, "username"),
        origin=find_origin(payload.get("config") or {}),
        changes=listed,
    )


def _list_changes(before: tuple[StoredRelease, KubeObject], after: tuple[StoredRelease, KubeObject]) -> tuple[str, ...]:
    """List what a revision changed in Compose's words, or what its objects tell where these say nothing."""
    (old, old_payload), (new, new_payload) = before, after
    words = [change.words for change in list_changes(old, new)] if old.compose and new.compose else []
    if words:
        return tuple(words)
    return changes.list_changes(releases.parse_manifest(old_payload), releases.parse_manifest(new_payload))
