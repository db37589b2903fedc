"""The volumes of a file: claims, and folders of an NFS server."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tycho.chart.chart import ReportTarget
from tycho.chart.expressions import SIZE
from tycho.chart.names import label
from tycho.chart.translate.key_rule import Rows, Table, approximated, ignored, rejected, translated, whole
from tycho.chart.translate.key_use import RELEASE, FieldPlace, KeyUse, locate
from tycho.chart.translate.metadata import assess_labels
from tycho.model import Live

SERVER = "write o: addr=192.0.2.7,rw"
OURS = "objects are named after the release"


def find_claim(path: str) -> FieldPlace:
    """Name a field of the claim that a volume of the file is: an object, or the template of one for each pod."""

    def find(use: KeyUse) -> Iterator[ReportTarget]:
        for claim in use.layout.claims.values():
            if claim.name != use.name or claim.existing:
                continue
            if not claim.owner:
                yield ReportTarget("PersistentVolumeClaim", f"{RELEASE}-{claim.slug}", path)
                continue
            owner = use.layout.pod_by_service[claim.owner]
            volume = next(volume for volume in owner.volumes if volume.kind == "claim" and volume.source in _keys(use))
            yield ReportTarget(
                owner.kind, f"{RELEASE}-{owner.slug}", f"spec.volumeClaimTemplates[{volume.name}].{path}"
            )

    return find


def _keys(use: KeyUse) -> list[str]:
    return [key for key, claim in use.layout.claims.items() if claim.name == use.name]


def find_existing(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the pods that mount a claim that exists."""
    keys = [key for key in _keys(use) if use.layout.claims[key].existing]
    for owner in use.layout.workloads:
        for volume in owner.volumes:
            if volume.kind == "claim" and volume.source in keys:
                yield locate(owner, "pod", f"volumes[{volume.name}].persistentVolumeClaim.claimName")


def find_nfs(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the pods that mount a volume of an NFS server."""
    for owner in use.layout.workloads:
        for volume in owner.volumes:
            if volume.kind == "nfs" and volume.name == label(use.name):
                yield locate(owner, "pod", f"volumes[{volume.name}].nfs")


def assess_driver(use: KeyUse) -> Rows:
    """Assess a driver of volumes: the local one is what claims are."""
    if any(find_nfs(use)):
        yield "", translated("nothing: only the server is used")
    elif use.value in ("local", "default"):
        yield "", translated("PersistentVolumeClaim", find_claim(""))


def assess_driver_opts(use: KeyUse) -> Rows:
    """Assess options of the local driver."""
    options = {str(key): str(value) for key, value in use.value.items()}
    if options.get("type", "").startswith("nfs"):
        if re.search(r"addr=(,|$)", options.get("o", "")):
            yield ".o", rejected("it names no server", SERVER)
        elif "addr=" not in options.get("o", ""):
            yield "", ignored("it names no server", SERVER)
        else:
            yield "", translated("nfs", find_nfs)
        return
    size = use.value.get("size", "")
    if size and not isinstance(size, Live) and not SIZE.fullmatch(str(size)):
        yield ".size", rejected(f'"{size}" is not a size', "write 10g")
    for name in sorted(set(options) - {"size"}):
        yield f".{name}", ignored("it configures a folder of one machine", "set x-tycho: {size, class}")
    if size:
        yield "", translated("size", find_claim("spec.resources.requests.storage"))


def assess_volume_labels(use: KeyUse) -> Rows:
    """Assess labels of a volume: those of what exists already, or of a pod's own claim, are not written."""
    rows = list(assess_labels(use))
    yield from rows
    if not rows and not any(find_claim_labels(use)):
        yield "", ignored("the chart does not create this claim", "label the claim itself")


def find_claim_labels(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the annotations of a claim."""
    for claim in use.layout.claims.values():
        if claim.name == use.name and not claim.existing and not claim.owner:
            for name in claim.annotations:
                yield ReportTarget("PersistentVolumeClaim", f"{RELEASE}-{claim.slug}", f"metadata.annotations[{name}]")


def assess_name(use: KeyUse) -> Rows:
    """Assess the name of a volume: that of one that exists, or of one on a server."""
    if any(find_existing(use)):
        yield "", translated("the name of the existing object", find_existing)
    elif any(find_nfs(use)):
        yield "", translated("nothing: only the server is used")


VOLUME: Table = {
    "name": approximated(
        "claim <release>-<volume>", OURS, "set persistence.X.existingClaim", find_claim(""), assess=assess_name
    ),
    "driver": approximated(
        "the cluster's default storage class",
        "volume drivers are a feature of Docker",
        "set x-tycho: {class: NAME}",
        find_claim(""),
        assess=assess_driver,
    ),
    "driver_opts": whole(translated("size, nfs", assess=assess_driver_opts)),
    "external": whole(translated("a claim that exists", find_existing)),
    "labels": whole(translated("annotations of the claim", find_claim_labels, assess=assess_volume_labels)),
}
