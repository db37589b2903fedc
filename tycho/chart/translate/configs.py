"""`configs` and `secrets`, of a service and of a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import cast

from tycho.chart.chart import ReportTarget
from tycho.chart.mount_kinds import decide_mode
from tycho.chart.names import label
from tycho.chart.translate import files
from tycho.chart.translate.key_rule import Rows, Table, approximated, ignored, rejected, translated, whole
from tycho.chart.translate.key_use import RELEASE, FieldPlace, KeyUse, locate, release_object
from tycho.chart.translate.volumes import find_mount
from tycho.model import FileRef

READ_ONLY = "it is read-only, with mode 0444 by default"
FOR_ALL = "root owns the file, so every user of the container can read it"
ALONE = "write mode: 0400 without uid, gid and user: root alone reads it then"
OURS, PLAIN = "objects are named after the release", "nothing: services call it by its key"
TRAVELS = "its content is part of the release's values"


def find_refs(kind: str, *, mounted_at: bool = True) -> FieldPlace:
    """Name what a service mounts of configs or secrets: the entry that a key stands in, or all.

    Args:
        kind: `configs` or `secrets`.
        mounted_at: Whether it is also about where they are mounted, not about the files alone.
    """

    def find(use: KeyUse) -> Iterator[ReportTarget]:
        refs = [use.entry] if isinstance(use.entry, FileRef) else getattr(use.service, kind)
        for ref in refs:
            path = ref.target or (f"/{ref.source}" if kind == "configs" else ref.source)
            path = path if path.startswith("/") else f"/run/secrets/{path}"
            for mounted in use.container.mounts:
                if mounted.path == path:
                    yield from list(find_mount(use, mounted))[0 if mounted_at else 1 :]

    return find


def assess_mode(use: KeyUse) -> Rows:
    """Assess a mode: nine bits of permissions, and all may read what a file's owner or group is to read."""
    given, ref = use.value & 0o777, cast("FileRef", use.entry)
    mode, place = decide_mode(ref, use.service), find_refs(_kind(use), mounted_at=False)
    if use.value > 0o777:
        why = "a mounted file has no setuid, setgid or sticky bit"
        remedy = "copy it in the image's entrypoint, and set its mode there"
        yield "", approximated(f"mode {given:04o}", why, remedy, place)
    elif mode == decide_mode(ref.model_copy(update={"mode": None}), use.service):
        yield "", translated("nothing: all users can read every mounted file")
    elif mode != given:
        yield "", approximated(f"mode {mode:04o}", FOR_ALL, ALONE, place)


def _kind(use: KeyUse) -> str:
    return "configs" if use.entry in use.service.configs else "secrets"


def _assess_owner(use: KeyUse, field: str) -> Rows:
    """Assess an owner or a group: root owns a mounted file, and any other makes it readable for all."""
    ref = cast("FileRef", use.entry)
    if decide_mode(ref, use.service) != decide_mode(ref.model_copy(update={field: None}), use.service):
        yield "", approximated("mode", FOR_ALL, ALONE, find_refs(_kind(use), mounted_at=False))


def assess_config_file(use: KeyUse) -> Rows:
    """Assess the file of a config."""
    config = use.service  # of a config, not of a service
    rows = list(files.assess_files(use, str(use.value), config))
    listed = files.list_files(config)
    if any(not use.layout.secret_files.is_secret(str(use.value), file) for file in listed):
        yield "", translated("ConfigMap", find_config)
    if any(file.release_only for file in listed):
        why = "it lies outside the project, so it is not part of the chart"
        secret = release_object("Secret", f"{label(use.name)}-secret-files")
        yield "", approximated(f"Secret of the release; {TRAVELS}", why, files.HOW, secret)
    else:
        yield from rows


def assess_secret_file(use: KeyUse) -> Rows:
    """Assess the file of a secret: one file, wherever it lies."""
    listed = files.list_files(use.service)
    if any(file.path for file in listed):
        yield "", rejected("it is a folder, and a secret is one file", "name each file as a secret of its own")
    elif any(file.release_only for file in listed):
        yield "", translated(f"Secret; it is read outside the project, and {TRAVELS[4:]}", find_secret)


def find_config(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the ConfigMap of a config."""
    yield ReportTarget("ConfigMap", f"{RELEASE}-{label(use.name)}")


def find_secret(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the Secret of a secret."""
    yield ReportTarget("Secret", f"{RELEASE}-{label(use.name)}")


def find_existing(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the pods that mount a config or secret that exists."""
    for owner in use.layout.workloads:
        for volume in owner.volumes:
            if volume.source == use.name and volume.kind in ("configMap", "secret"):
                field = "configMap.name" if volume.kind == "configMap" else "secret.secretName"
                yield locate(owner, "pod", f"volumes[{volume.name}].{field}")


def assess_existing(use: KeyUse) -> Rows:
    """Assess a name, where it is that of what exists already."""
    if use.value is None or getattr(use.service, "external", False):
        yield "", translated("the name of the existing object", find_existing)


def _reference_keys(kind: str, target: str) -> Table:
    """Make the entries of the references of a service: to configs, or to secrets."""
    mounts, content = find_refs(kind), find_refs(kind, mounted_at=False)
    return {
        kind: translated(f"a {target}, mounted", mounts, but=READ_ONLY, remedy="set mode"),
        f"{kind}[].source": translated(f"the {target}", mounts),
        f"{kind}[].target": translated("mountPath", mounts),
        f"{kind}[].mode": translated("mode", content, assess=assess_mode),
        f"{kind}[].uid": approximated("root owns it", FOR_ALL, ALONE, assess=partial(_assess_owner, field="uid")),
        f"{kind}[].gid": approximated("root owns it", FOR_ALL, ALONE, assess=partial(_assess_owner, field="gid")),
    }


KEYS: Table = {**_reference_keys("configs", "ConfigMap"), **_reference_keys("secrets", "Secret")}
CONFIG: Table = {
    "name": ignored(OURS, PLAIN, assess=assess_existing),
    "file": translated("ConfigMap", find_config, assess=assess_config_file),
    "content": translated("ConfigMap (live)", find_config),
    "environment": translated("ConfigMap (live)", find_config),
    "external": whole(translated("a ConfigMap that exists (live)", find_existing)),
    "labels": whole(ignored("labels of a ConfigMap have no use", "label the services")),
    "template_driver": rejected(
        "templates are a feature of Swarm", "write the text out; ${VAR} is expanded in content"
    ),
}
SECRET: Table = {
    "name": ignored(OURS, PLAIN, assess=assess_existing),
    "file": translated(f"Secret; {TRAVELS}", find_secret, assess=assess_secret_file),
    "environment": translated(f"Secret; {TRAVELS}", find_secret),
    "external": whole(translated("a Secret that exists (live)", find_existing)),
    "labels": whole(ignored("labels of a Secret have no use", "label the services")),
    "driver": rejected("drivers are a feature of Swarm", "use file, environment, or external"),
    "driver_opts": whole(rejected("drivers are a feature of Swarm", "use file, environment, or external")),
    "template_driver": rejected("templates are a feature of Swarm", "write the text out"),
}
