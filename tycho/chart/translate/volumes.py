"""`volumes`, `volumes_from`, `tmpfs`, `shm_size`: what a service mounts besides configs and secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from tycho.chart.chart import ReportTarget
from tycho.chart.container import Container
from tycho.chart.mount_kinds import why_empty
from tycho.chart.mounts import VolumeMount, VolumeStep
from tycho.chart.translate import files
from tycho.chart.translate.key_rule import (
    MANY_NODES,
    KeyRule,
    Rows,
    Table,
    approximated,
    ignored,
    rejected,
    translated,
    whole,
)
from tycho.chart.translate.key_use import RELEASE, KeyUse, container, pod, workload
from tycho.model import Mount

FRESH = (
    "; a new one starts with the image's files at its path (from Kubernetes 1.35 on, not with podSecurity: restricted)"
)
USERS = "if the image has no files there, the service's user owns a new one"
FILLED: Mapping[str, str] = {
    "seed": "it is a volume in the cluster: a new one starts with the local files, and a changed local file replaces"
    " its copy unless the program changed the copy",
    "": "it is a volume in the cluster that starts empty",
}
READ_OR_LOSE = "write :ro if it is only read, or x-tycho: {storage: false} if changes need not be kept"
OTHERWISE = f"name a volume; or {READ_OR_LOSE}"
EACH = "each pod has its own, which is deleted with the pod"
MODES = "root owns the files, with mode 0644, or 0755 for executables; when one changes, up replaces the pods"
PLAIN_MEMORY = (
    "memory is mounted with mode 1777 and without noexec, it outlives the container, and without"
    " size it can use all memory"
)
NOTHING: Mapping[str, KeyRule] = {
    "pipe": rejected("it is about Docker on Windows, or Swarm", "use a volume"),
    "shield": ignored("it hides part of a folder that is not mounted; the image's own files are there", "remove both"),
    "built": ignored(
        "the Dockerfile copies it into the image at this path", "build the image again to change it, or write :ro"
    ),
}


def assess_volumes(use: KeyUse) -> Rows:
    """Assess each mount, and what is left out of it."""
    own = use.container
    mounts = {entry.path: entry for entry in reversed(own.mounts)}
    for index, mount in enumerate(use.value):
        at, outcome = f"[{index}]", use.layout.mount_kinds.decide(use.name, use.service, mount)
        if outcome in NOTHING:
            yield at, NOTHING[outcome]
        elif outcome in files.STAYING:
            yield at, files.refuse_mount(mount, outcome)
        elif outcome == "claim" and _is_scattered(use, mount, own):
            remedy = READ_OR_LOSE if mount.type == "bind" else MANY_NODES
            yield at, rejected("pods on several nodes cannot share a volume of one node", remedy)
        elif mounted := mounts.get(mount.target):
            yield at, _describe(use, mount, outcome, mounted)
        if outcome in ("files", "copy", "claim", "empty"):
            for added, key in files.assess_files(use, str(mount.source), mount):
                yield at + added, key
        if outcome == "claim" and mount.type == "bind" and (why := why_empty(mount)):
            remedy = "copy files into it with kubectl cp, or add them to the image"
            yield at, replace(ignored(f"a new claim starts empty, without the local files: {why}", remedy), local=True)
    if any(find_mounts(use)):
        yield "", translated("volumes of the pod", find_mounts)


def find_mounts(use: KeyUse) -> Iterator[ReportTarget]:
    """Find what a service mounts of its `volumes`."""
    targets = {mount.target for mount in use.service.volumes}
    for mounted in use.container.mounts:
        if mounted.path in targets:
            yield from find_mount(use, mounted)


def find_mount(use: KeyUse, mounted: VolumeMount) -> Iterator[ReportTarget]:
    """Find a mount, the volume behind it, and the object that holds what is in that."""
    (volume,) = [volume for volume in use.pod.volumes if volume.name == mounted.volume]
    yield from container(f"volumeMounts[{volume.name}]")(use)
    claim = use.layout.claims.get(volume.source) if volume.kind == "claim" else None
    if claim and claim.owner:
        yield from workload(f"spec.volumeClaimTemplates[{volume.name}]")(use)
        return
    yield from pod(f"volumes[{volume.name}].{FIELDS[volume.kind]}")(use)
    if claim and not claim.existing:
        yield ReportTarget("PersistentVolumeClaim", f"{RELEASE}-{claim.slug}")
    elif volume.kind in ("configMap", "projected") and not volume.source:
        yield ReportTarget("ConfigMap", f"{RELEASE}-{volume.slug}")
    if volume.kind in ("secretFiles", "projected"):
        yield ReportTarget("Secret", f"{RELEASE}-{volume.slug}-secret-files")


FIELDS: Mapping[str, str] = {
    "claim": "persistentVolumeClaim", "secretFiles": "secret", "ownImage": "image",
    **{kind: kind for kind in ("configMap", "secret", "projected", "emptyDir", "nfs", "image", "hostPath")},
}  # fmt: skip
"""The field of a pod's volume that a kind of the model is."""


def assess_volumes_from(use: KeyUse) -> Rows:
    """Assess mounts of others: those that are only read; the rule's own row stands for all of them."""
    if not use.container.mounts:
        yield "", translated("nothing: the other mounts nothing")
        return
    for index, text in enumerate(use.value):
        if str(text).endswith(":ro"):
            but = "Docker leaves them writable all the same"
            yield f"[{index}]", translated("readOnly of each mount", container("volumeMounts"), but=but)
    yield "", KEYS["volumes_from"]


def assess_tmpfs(use: KeyUse) -> Rows:
    """Assess memory: options beyond the size."""
    for index, text in enumerate(use.value):
        options = [
            option
            for option in str(text).partition(":")[2].split(",")
            if option and ("size=" not in option or "%" in option)
        ]
        if options:
            reason = f"{', '.join(options)}: {PLAIN_MEMORY}"
            yield f"[{index}]", approximated("emptyDir in memory", reason, "keep size alone", find_memory)


def find_memory(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the volumes in memory of a service's `tmpfs`."""
    for text in use.service.tmpfs:
        for mounted in use.container.mounts:
            if mounted.path == str(text).partition(":")[0]:
                yield from find_mount(use, mounted)


def _describe(use: KeyUse, mount: Mount, outcome: str, mounted: VolumeMount) -> KeyRule:
    """Describe what is rendered for a mount."""
    key = _name_outcome(use, mount, outcome, mounted)
    return replace(key, places=(lambda _: find_mount(use, mounted),))


def _name_outcome(use: KeyUse, mount: Mount, outcome: str, mounted: VolumeMount) -> KeyRule:
    own = use.container
    steps = {step.verb for step in own.steps if step.volume == mounted.volume}
    (volume,) = [volume for volume in use.pod.volumes if volume.name == mounted.volume]
    kind, claim = volume.kind, f"PersistentVolumeClaim {volume.slug}"
    match outcome:
        case "claim" if mount.type == "bind":
            return approximated(claim, FILLED["seed" * ("seed" in steps)], OTHERWISE)
        case "claim" if kind != "claim":
            return translated(f"{kind} volume")
        case "claim" if use.layout.claims[mounted.claim].existing:
            return translated("PersistentVolumeClaim that exists")
        case "claim":
            kept = "" if mount.source else ", kept until the system is removed"
            given = USERS if use.service.user and steps & {"content", "new"} else ""
            return translated(f"{claim}{kept}{FRESH * ('content' in steps)}", but=given)
        case "empty" if mount.type == "volume":
            return approximated("emptyDir", EACH, "name the volume, and it is kept")
        case "empty" if mount.read_only:
            return approximated("emptyDir", "the folder does not exist, so the volume is empty", "create it")
        case "empty":
            return approximated("emptyDir", EACH, "name a volume")
        case "copy":
            source_kind = _copied_kind(use, own, mounted)
            lost = "changes are lost with the pod; the mode is 0644, or 0755 for executables"
            remedy = "write :ro if it is only read, or x-tycho: {storage: true} to keep changes"
            return approximated(f"emptyDir, with a copy of {source_kind} at each start", lost, remedy)
        case "files" if kind == "emptyDir":
            return translated(f"emptyDir, with a copy of {_copied_kind(use, own, mounted)} at each start", but=MODES)
        case "files":
            return translated("ConfigMap" if kind == "configMap" else "Secret", but=MODES)
        case "memory":
            return translated("emptyDir in memory", but=PLAIN_MEMORY)
        case "image":
            return translated("image volume")
        case _:
            return translated("hostPath")


def _copied_kind(use: KeyUse, own: Container, mounted: VolumeMount) -> str:
    """Name the kind of object whose files are copied."""
    sources = {step.source for step in own.steps if _copies(step, mounted)}
    kinds = {volume.kind for volume in use.pod.volumes if volume.name in sources}
    return "a ConfigMap" if kinds == {"configMap"} else "a Secret"


def _copies(step: VolumeStep, mounted: VolumeMount) -> bool:
    return step.verb == "copy" and step.volume == mounted.volume


def _is_scattered(use: KeyUse, mount: Mount, own: Container) -> bool:
    """Tell whether pods of several nodes would share a volume of one."""
    apart = use.kind == "DaemonSet" or use.service.deploy.placement.max_replicas_per_node == 1
    mounted = next((entry for entry in own.mounts if entry.path == mount.target), None)
    claim = use.layout.claims.get(mounted.claim if mounted else "")
    return apart and claim is not None and not (claim.existing or "ReadWriteMany" in claim.access_modes)


KEYS: Table = {
    "volumes": whole(translated("volumes, PersistentVolumeClaims, ConfigMaps", find_mounts, assess=assess_volumes)),
    "volumes_from": approximated(
        "the other's mounts",
        "pods share only named volumes; of other mounts each pod has its own copy",
        "name the volumes, and mount them in both",
        container("volumeMounts"),
        assess=assess_volumes_from,
    ),
    "tmpfs": translated("emptyDir in memory", find_memory, assess=assess_tmpfs, but=PLAIN_MEMORY, remedy="keep size"),
    "shm_size": translated(
        "emptyDir in memory at /dev/shm (live)", pod("volumes[shm].emptyDir"), container("volumeMounts[shm]")
    ),
}
