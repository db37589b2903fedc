"""Decide what each mount of a service becomes: once, for the objects and for the report.

Files on this machine only decide what a new volume starts with, never its kind.
"""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Mapping

from msgspec import Struct

from tycho.chart.services import all_services, pod_of_service
from tycho.chart.workload_kind import may_scale, tycho_extension
from tycho.files import Reason, names_host
from tycho.model import FileRef, Mount, Project, ProjectFile, Service
from tycho.model.numbers import parse_id

FILES_LIMIT = 256 * 1024  # bytes of all files of a project together, compressed: Helm keeps a chart in one Secret
CONFIGMAP_LIMIT = 1024 * 1024 - 16 * 1024  # bytes in one ConfigMap; names of the entries count too
CLOCKS = frozenset({"/etc/localtime", "/etc/timezone"})
NO_DISK = "no file system"
REFUSED: Mapping[str, str] = {
    Reason.OUTSIDE: "outside", Reason.WITHHELD: "withheld", Reason.SYSTEM: "forbidden",
    "a link that leads out": "forbidden",
}  # fmt: skip


class MountKinds(Struct, frozen=True):
    """Decide the kind of every mount of one project.

    Args:
        pod_services: The service that each one's pod is named for.
        kind_of: The kind of each service's workload.
        stored: Sources of binds that are claims, because a service writes to them.
    """

    pod_services: Mapping[str, Service]
    kind_of: Mapping[str, str]
    stored: frozenset[str]

    @classmethod
    def of(cls, system: Project, kind_of: Mapping[str, str]) -> MountKinds:
        """Make it for a project: a service that only reads a folder mounts the claim that another one writes to.

        Args:
            system: The project.
            kind_of: The kind of each service's workload, had it a pod of its own.
        """
        services = all_services(system)
        names = pod_of_service(services)
        stored = {
            str(mount.source)
            for service in services.values()
            for mount in service.volumes
            if mount.type == "bind" and _decide_bind(service, mount) == "claim"
        }
        return cls(
            {name: services[home] for name, home in names.items()},
            {name: kind_of[home] for name, home in names.items()},
            frozenset(stored),
        )

    def decide(self, name: str, service: Service, mount: Mount) -> str:
        """Tell what a mount becomes, or why it becomes nothing.

        Returns:
            claim, empty (an emptyDir), files (a ConfigMap, read-only), copy (files, copied at each start), host,
            memory or image; or built (the image holds it), shield (it stays out with what it hides a part of), clock,
            pipe, forbidden (the host's), outside (beyond the project), withheld (never travels), irregular, or stuck
            (cannot travel).
        """
        if mount.type == "volume":
            return "claim" if mount.source else self._anonymous(name, service, mount)
        if mount.type in ("tmpfs", "image"):
            return {"tmpfs": "memory"}.get(mount.type, mount.type)
        if mount.type != "bind":
            return "pipe"
        outcome = _decide_bind(service, mount)
        return "claim" if outcome in ("files", "empty", "stuck") and str(mount.source) in self.stored else outcome

    def _anonymous(self, name: str, service: Service, mount: Mount) -> str:
        if any(
            mount.target.startswith(f"{other.target.rstrip('/')}/")
            for other in service.volumes
            if other.type == "bind" and _decide_bind(service, other) == "built"
        ):
            return "shield"
        kind = self.kind_of[name]  # one pod, or pods with names, can have claims that outlive them
        lasting = kind == "StatefulSet" or (kind in ("Deployment", "Job") and not may_scale(self.pod_services[name]))
        return "claim" if lasting else "empty"


def _decide_bind(service: Service, mount: Mount) -> str:
    """Tell what a bind becomes by itself."""
    source = str(mount.source or "")
    if source in (tycho_extension(service).get("hostPaths") or ()):
        return "host"
    if posixpath.normpath(source.replace("//", "/")) in CLOCKS:
        return "clock"
    if names_host(source) and mount.note != NO_DISK:
        return "forbidden"
    reason = mount.note.partition(":")[0]
    if reason in REFUSED:
        return REFUSED[reason]
    if reason == Reason.IRREGULAR:
        return "irregular"
    if mount.read_only:
        return "files" if mount.files else "stuck" if reason in (Reason.LARGE, Reason.UNREADABLE) else "empty"
    match tycho_extension(service).get("storage"):
        case True:
            return "claim"
        case False:
            return "copy" if mount.files else "empty"
        case _:
            return "copy" if _is_text(mount) else "built" if mount.built else "claim"


def _is_text(mount: Mount) -> bool:
    """Tell whether a bind is one file of text."""
    return is_file(mount) and bool(mount.files) and b"\0" not in (mount.files or ())[0].content


def is_file(mount: Mount) -> bool:
    """Tell whether a bind is one file, whether or not it travels."""
    return mount.single or (len(mount.files or ()) == 1 and not (mount.files or ())[0].path)


def seed_files(mount: Mount) -> tuple[ProjectFile, ...]:
    """Return the files that a new claim begins with."""
    return () if why_empty(mount) else mount.files or ()


def why_empty(mount: Mount) -> str:
    """Tell why a new claim begins empty, though something may lie there; "" where nothing is missing."""
    if mount.files is None:
        return "" if mount.note.partition(":")[0] in (Reason.ABSENT, NO_DISK, "") else mount.note
    if (size := sum(len(file.content) for file in mount.files)) > CONFIGMAP_LIMIT:
        return f"{size >> 10} KiB is more than a ConfigMap can hold ({CONFIGMAP_LIMIT >> 10} KiB)"
    if (packed := sum(len(zlib.compress(file.content, 1)) for file in mount.files)) > FILES_LIMIT:
        return f"{packed >> 10} KiB compressed is more than the limit of a release ({FILES_LIMIT >> 10} KiB)"
    return ""


def decide_mode(ref: FileRef, service: Service) -> int:
    """Decide the mode of a mounted config or secret: root owns it, so all may read what its owner or group is to."""
    mode = 0o444 if ref.mode is None else ref.mode & 0o777
    user, _, group = str(service.user or "").partition(":")
    if parse_id(ref.uid or user):
        mode |= mode >> 6 & 0o5
    if parse_id(ref.gid or group):
        mode |= mode >> 3 & 0o5
    return mode
