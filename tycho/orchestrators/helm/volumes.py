"""The volumes of a system: what goes with it, and what `down --keep-volumes` leaves for its next start."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from tycho import kinds
from tycho.chart import Chart
from tycho.chart.mounts import IMAGE_VOLUMES_SINCE
from tycho.chart.names import label
from tycho.errors import Forbidden, NotFound
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.model import InvalidFieldsError
from tycho.orchestrators.helm import releases
from tycho.orchestrators.helm.object_queries import KEPT, SYSTEMS
from tycho.orchestrators.helm.view_lists import Source
from tycho.release import ORIGIN, Identity, Origin, Release, parse_origin

VOLUME = "tycho.dev/volume"
INSTANCE = "app.kubernetes.io/instance"
FOLDER = "tycho.dev/sub-path"  # on claims of which containers see a folder, and not the whole
MERGE = {"Content-Type": "application/merge-patch+json"}


class Volume(Struct, frozen=True):
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


async def list_volumes(api: KubeClient, identity: Identity) -> list[Volume]:
    """List a system's claims, with their sizes; none where they may not be seen."""
    selector = f"app.kubernetes.io/instance={identity.release},{SYSTEMS}"
    try:
        claims = await api.list(kinds.CLAIM.path(identity.namespace), labelSelector=selector)
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


async def find_whole_claims(api: KubeClient, chart: Chart, identity: Identity) -> list[str]:
    """Find the volumes whose claims an earlier chart made, to be mounted whole: what they hold lies at their root.

    Args:
        api: The cluster.
        chart: The chart whose values know the volumes.
        identity: The system: its claims are there while it runs, and those that `down` kept.

    Returns:
        Names of the chart's volumes, sorted.
    """
    selector = f"app.kubernetes.io/instance={identity.release},{SYSTEMS}"
    try:
        claims = await api.list(kinds.CLAIM.path(identity.namespace), metadata=True, labelSelector=selector)
    except NotFound:
        return []
    except Forbidden:  # what Helm stored says it as well
        claims = await _stored_claims(api, identity)
    slugs = {slug for claim in claims for slug in _whole(claim["metadata"], identity)}
    return sorted(name for name in chart.contents.claims if label(name) in slugs) if slugs else []


def _whole(metadata: KubeObject, identity: Identity) -> Iterator[str]:
    """Yield the volume that a claim is, where containers see all of it."""
    if FOLDER in (metadata.get("annotations") or {}):
        return
    if volume := (metadata.get("labels") or {}).get(VOLUME):
        yield volume
    elif match := re.fullmatch(rf"(.+)-{re.escape(identity.release)}-.+-[0-9]+", metadata["name"]):
        yield match[1]  # of a StatefulSet's pod
    else:
        yield metadata["name"]


async def _stored_claims(api: KubeClient, identity: Identity) -> list[KubeObject]:
    known = await releases.list_revisions(api, identity)
    if not known:
        return []
    objects = releases.parse_manifest(await releases.read_payload(api, identity, releases.read_number(known[-1])))
    claims = [obj for obj in objects if obj.get("kind") == kinds.CLAIM.name]
    sets = [obj for obj in objects if obj.get("kind") == kinds.STATEFUL_SET.name]
    return claims + [claim for obj in sets for claim in obj["spec"].get("volumeClaimTemplates") or ()]


async def explain_empty(api: KubeClient, chart: Chart) -> tuple[str, ...]:
    """Tell that new volumes start empty, where the cluster cannot mount the images that would fill them."""
    if not chart.contents.fills:
        return ()
    with contextlib.suppress(Forbidden, NotFound):
        version = str((await api.get("/version")).get("gitVersion", "")).removeprefix("v")
        numbers = [tuple(map(int, re.findall(r"[0-9]+", text)[:2])) for text in (version, IMAGE_VOLUMES_SINCE)]
        if numbers[0] < numbers[1]:
            return (f"new volumes start empty: Kubernetes {version} mounts no images, and {IMAGE_VOLUMES_SINCE} does",)
    return ()


async def mark_volumes(api: KubeClient, release: Release, volumes: Sequence[Volume], *, kept: bool) -> None:
    """Write on claims whose they are, and whether they are kept: soon nothing else of their system is left to say so.

    Those that a removal which is cut short has left are found again by that.
    """
    identity = release.identity
    annotations = {KEPT: identity.model_dump_json()}
    if release.origin:
        annotations[ORIGIN] = release.origin.model_dump_json()
    metadata = {"labels": {KEPT: str(kept).lower()}, "annotations": annotations}
    paths = [kinds.CLAIM.path(identity.namespace, volume.claim) for volume in volumes]
    await asyncio.gather(*(api.call("PATCH", path, {"metadata": metadata}, headers=MERGE) for path in paths))


async def find_kept(
    source: Source, known: Collection[str], *, namespace: str = "", guid: str = "", release: str = ""
) -> list[Release]:
    """Find the systems of which only volumes are left, kept or by a removal that was cut short.

    Args:
        source: What tells of the cluster.
        known: GUIDs of systems that run: they use their volumes again.
        namespace: In this namespace alone, or "" for all.
        guid: Of this system alone.
        release: Of the release of this name alone.
    """
    selector = f"{SYSTEMS},{KEPT}" + (f",tycho-guid={guid}" if guid else "")
    selector += f",{INSTANCE}={release}" if release else ""
    try:
        claims = await source.list(kinds.CLAIM, namespace, selector)
    except Forbidden:
        return []
    systems: dict[str, tuple[Identity, list[KubeObject]]] = {}
    for claim in claims:
        with contextlib.suppress(InvalidFieldsError):  # somebody else wrote this annotation
            identity = Identity.model_validate_json((claim["metadata"].get("annotations") or {}).get(KEPT, ""))
            systems.setdefault(identity.guid, (identity, []))[1].append(claim["metadata"])
    return [
        Release(
            identity=identity,
            state="kept" if any(map(_is_kept, claims_metadata)) else "lost",
            created=min(datetime.fromisoformat(metadata["creationTimestamp"]) for metadata in claims_metadata),
            origin=_read_origin(claims_metadata),
            volumes=tuple(
                sorted((metadata.get("labels") or {}).get(VOLUME) or metadata["name"] for metadata in claims_metadata)
            ),
        )
        for identity, claims_metadata in systems.values()
        if identity.guid not in known and identity.namespace == claims_metadata[0]["namespace"]
    ]


def _is_kept(metadata: KubeObject) -> bool:
    return bool(metadata["labels"][KEPT] == "true")


def _read_origin(claims: Sequence[KubeObject]) -> Origin | None:
    return parse_origin((claims[0].get("annotations") or {}).get(ORIGIN, ""))
