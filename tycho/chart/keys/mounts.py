"""What becomes of `volumes` of a service: a row for each mount says what is rendered for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tycho.chart.container import Container
from tycho.chart.keys import carrying
from tycho.chart.keys.key import Case, Key, Rows, approximated, ignored, rejected, translated
from tycho.chart.mounted import Mounted, Step
from tycho.chart.outcomes import starts_empty
from tycho.model import Mount

FRESH = "; a new one has what the image has there (not before Kubernetes 1.35, nor under podSecurity: restricted)"
USERS = "where the image has nothing, a new one belongs to the service's user, who can write to it"
FILLED: Mapping[str, str] = {
    "seed": "it is kept in the cluster: a new one begins with what lies here, and a file that changes here replaces its"
    " copy unless the program changed that",
    "": "it is kept in the cluster, and a new one begins empty",
}
OTHERWISE = "name a volume; or write :ro where it is only read, or x-tycho: {storage: false} where writes need not last"
EACH = "each pod has one of its own, and what is written there is lost with it"
MODES = "its files are root's, with mode 0644, or 0755 where they can be run; when one changes, up replaces the pods"
PLAIN_MEMORY = (
    "a pod's memory is mounted plainly, mode 1777: programs in it can be run, it outlives the container, and without"
    " size it may take all"
)
NOTHING: Mapping[str, Key] = {
    "pipe": rejected("it is about Docker on Windows, or Swarm", "use a volume"),
    "shield": ignored("it hides a part of a folder that stays out, and the image has its own there", "remove both"),
    "built": ignored(
        "the image is built with it: its Dockerfile copies it there", "build the image again to change it, or write :ro"
    ),
}


def volumes(case: Case) -> Rows:
    """Yield a row for each mount, and more for what is left out of it."""
    own = next(container for container in case.pod.containers if container.service == case.name)
    for index, mount in enumerate(case.value):
        at, outcome = f"[{index}]", case.layout.outcomes.decide(case.name, case.service, mount)
        if outcome in NOTHING:
            yield at, NOTHING[outcome]
        elif outcome in carrying.STAYING:
            yield at, carrying.refused_mount(mount, outcome)
        elif outcome == "claim" and _is_scattered(case, mount, own):
            remedy = "x-tycho: {accessModes: [ReadWriteMany]} on the volume, with a class that can"
            if mount.type == "bind":
                remedy = "write :ro where it is only read, or x-tycho: {storage: false} where writes need not last"
            yield at, rejected("pods on several nodes cannot share a volume that is on one", remedy)
        elif mounted := next((entry for entry in own.mounts if entry.path == mount.target), None):
            yield at, _describe(case, mount, outcome, mounted, own)
        if outcome in ("files", "copy", "claim", "empty"):
            for added, key in carrying.carried_files(case, str(mount.source), mount):
                yield at + added, key
        if outcome == "claim" and mount.type == "bind" and (why := starts_empty(mount)):
            remedy = "copy it in with kubectl cp, or move what is needed into the image"
            yield at, replace(ignored(f"a new claim starts empty, without what lies here: {why}", remedy), local=True)
    if case.value:
        yield "", translated("volumes of the pod")


def volumes_from(case: Case) -> Rows:
    """Those that are only read; the rule's own row stands for all of them."""
    for index, text in enumerate(case.value):
        if str(text).endswith(":ro"):
            yield f"[{index}]", translated("readOnly of each mount", but="Docker leaves them writable all the same")
    if case.value:
        reason = "what is in no named volume cannot be shared between pods: each has a copy of its own"
        yield "", approximated("the other's mounts", reason, "name the volumes, and mount them in both")


def tmpfs(case: Case) -> Rows:
    """Options beyond the size."""
    for index, text in enumerate(case.value):
        options = [
            option
            for option in str(text).partition(":")[2].split(",")
            if option and ("size=" not in option or "%" in option)
        ]
        if options:
            reason = f"{', '.join(options)}: {PLAIN_MEMORY}"
            yield f"[{index}]", approximated("emptyDir in memory", reason, "keep size alone")


def _describe(case: Case, mount: Mount, outcome: str, mounted: Mounted, container: Container) -> Key:
    """Say what is rendered for a mount."""
    steps = {step.verb for step in container.steps if step.volume == mounted.volume}
    volume = next(volume for volume in case.pod.volumes if volume.name == mounted.volume)
    kind, claim = volume.kind, f"PersistentVolumeClaim {volume.slug}"
    match outcome:
        case "claim" if mount.type == "bind":
            return approximated(claim, FILLED["seed" * ("seed" in steps)], OTHERWISE)
        case "claim" if kind != "claim":
            return translated(f"{kind} volume")
        case "claim" if case.layout.claims[mounted.claim].existing:
            return translated("PersistentVolumeClaim that exists")
        case "claim":
            kept = "" if mount.source else ", kept until the system is removed"
            given = USERS if case.service.user and steps & {"content", "new"} else ""
            return translated(f"{claim}{kept}{FRESH * ('content' in steps)}", but=given)
        case "empty" if mount.type == "volume":
            return approximated("emptyDir", EACH, "name the volume, and it is kept")
        case "empty" if mount.read_only:
            return approximated("emptyDir", "nothing lies there, so there is nothing to read", "put it there")
        case "empty":
            return approximated("emptyDir", EACH, "name a volume")
        case "copy":
            held = _held(case, container, mounted)
            lost = "what is written to it is lost with the pod; its mode is 0644, or 0755 where it can be run"
            remedy = "write :ro where it is only read, or x-tycho: {storage: true} to keep what is written"
            return approximated(f"emptyDir, with a copy of {held} at each start", lost, remedy)
        case "files" if kind == "emptyDir":
            return translated(f"emptyDir, with a copy of {_held(case, container, mounted)} at each start", but=MODES)
        case "files":
            return translated("ConfigMap" if kind == "configMap" else "Secret", but=MODES)
        case "memory":
            return translated("emptyDir in memory", but=PLAIN_MEMORY)
        case "image":
            return translated("image volume")
        case _:
            return translated("hostPath")


def _held(case: Case, container: Container, mounted: Mounted) -> str:
    """Name the kind of object whose files are copied."""
    sources = {step.source for step in container.steps if _copies(step, mounted)}
    kinds = {volume.kind for volume in case.pod.volumes if volume.name in sources}
    return "a ConfigMap" if kinds == {"configMap"} else "a Secret"


def _copies(step: Step, mounted: Mounted) -> bool:
    return step.verb == "copy" and step.volume == mounted.volume


def _is_scattered(case: Case, mount: Mount, container: Container) -> bool:
    """Tell whether pods of several nodes would share a volume of one."""
    apart = case.kind == "DaemonSet" or case.service.deploy.placement.max_replicas_per_node == 1
    mounted = next((entry for entry in container.mounts if entry.path == mount.target), None)
    claim = case.layout.claims.get(mounted.claim if mounted else "")
    return apart and claim is not None and not (claim.existing or "ReadWriteMany" in claim.access_modes)
