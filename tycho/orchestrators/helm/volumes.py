"""The volumes of a system: what goes with it, and what `down --keep-volumes` leaves for its next start."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from tycho.errors import Forbidden, NotFound
from tycho.orchestrators.helm.api import Api, Object, at
from tycho.orchestrators.helm.releases import SYSTEMS
from tycho.release import Identity, Origin, Release

CLAIMS = "persistentvolumeclaims"
VOLUME = "tycho.dev/volume"
KEPT = "tycho.dev/kept"
ORIGIN = "tycho.dev/origin"
MERGE = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True, slots=True)
class Volume:
    """A claim of a system.

    Args:
        claim: The claim's name.
        name: The volume's name in the compose file, as far as an object's name holds it.
        size: As Kubernetes writes it, for example `1Gi`; "" where it does not say.
    """

    claim: str
    name: str
    size: str = ""

    @property
    def text(self) -> str:
        """As a reader knows it: `data (1Gi)`."""
        return f"{self.name} ({self.size})" if self.size else self.name


async def list_volumes(api: Api, identity: Identity) -> list[Volume]:
    """List a system's claims, with their sizes; none where they may not be seen."""
    selector = f"app.kubernetes.io/instance={identity.release},{SYSTEMS}"
    try:
        claims = await api.list(at(CLAIMS, identity.namespace), labelSelector=selector)
    except (Forbidden, NotFound):
        return []
    return [
        Volume(
            claim=claim["metadata"]["name"],
            name=(claim["metadata"].get("labels") or {}).get(VOLUME) or claim["metadata"]["name"],
            size=(claim.get("status", {}).get("capacity") or claim["spec"]["resources"].get("requests") or {}).get(
                "storage", ""
            ),
        )
        for claim in claims
    ]


async def mark_kept(api: Api, release: Release, volumes: Sequence[Volume]) -> None:
    """Write on kept claims whose they are: nothing else of their system is left to say so."""
    identity = release.identity
    annotations = {KEPT: identity.model_dump_json()}
    if release.origin:
        annotations[ORIGIN] = release.origin.model_dump_json()
    metadata = {"labels": {KEPT: "true"}, "annotations": annotations}
    paths = [at(CLAIMS, identity.namespace, volume.claim) for volume in volumes]
    await asyncio.gather(*(api.call("PATCH", path, {"metadata": metadata}, headers=MERGE) for path in paths))


async def find_kept(api: Api, known: Collection[str], *, namespace: str = "", guid: str = "") -> list[Release]:
    """Find the systems of which only volumes are left.

    Args:
        api: The cluster.
        known: GUIDs of systems that run: they use their volumes again.
        namespace: In this namespace alone, or "" for all.
        guid: Of this system alone.
    """
    selector = f"{SYSTEMS},{KEPT}=true" + (f",tycho-guid={guid}" if guid else "")
    try:
        claims = await api.list(at(CLAIMS, namespace), metadata=True, labelSelector=selector)
    except Forbidden:
        return []
    systems: dict[str, tuple[Identity, list[Object]]] = {}
    for claim in claims:
        with contextlib.suppress(ValidationError):  # somebody else wrote this annotation
            identity = Identity.model_validate_json((claim["metadata"].get("annotations") or {}).get(KEPT, ""))
            systems.setdefault(identity.guid, (identity, []))[1].append(claim["metadata"])
    return [
        Release(
            identity=identity,
            state="kept",
            created=min(datetime.fromisoformat(metadata["creationTimestamp"]) for metadata in found),
            origin=_read_origin(found),
            volumes=tuple(sorted((metadata.get("labels") or {}).get(VOLUME) or metadata["name"] for metadata in found)),
        )
        for identity, found in systems.values()
        if identity.guid not in known and identity.namespace == found[0]["namespace"]
    ]


def _read_origin(claims: Sequence[Object]) -> Origin | None:
    with contextlib.suppress(ValidationError):
        return Origin.model_validate_json((claims[0].get("annotations") or {}).get(ORIGIN, ""))
    return None
