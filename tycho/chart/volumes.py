"""Decide what containers mount: volumes, files of the project, configs, secrets, memory."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from tycho.chart.configmaps import configmap_volume, make_configmap
from tycho.chart.expressions import to_memory, to_text
from tycho.chart.mount_kinds import MountKinds, decide_mode, is_file, seed_files
from tycho.chart.mountpoints import make_mountpoints
from tycho.chart.mounts import DATA_FOLDER, KeyToPath, PodVolume, ServiceMount, VolumeMount, VolumeStep
from tycho.chart.names import QUALIFIED, Names, label, short_hash
from tycho.chart.objects import ConfigMap, PersistentVolumeClaim
from tycho.chart.reserved import keep_allowed
from tycho.chart.secretfiles import SecretFileRules
from tycho.chart.services import service_path
from tycho.chart.workload_kind import tycho_extension
from tycho.model import FileRef, Live, Mount, Project, ProjectFile, Service
from tycho.model.rights import read_grants

SIZE = re.compile(r"(?i)[0-9]+(\.[0-9]{1,15})? ?[kmgtp]?i?b?", re.ASCII)
PROPAGATION = {
    "rshared": "Bidirectional", "shared": "Bidirectional", "rslave": "HostToContainer", "slave": "HostToContainer"
}  # fmt: skip


@dataclass
class VolumePlanner:
    """Collect what the pods of one project mount; each source is one object, however many mount it."""

    system: Project
    kind_of: Mapping[str, str]  # of each service's workload
    claims: dict[str, PersistentVolumeClaim] = field(default_factory=dict)
    configmaps: dict[str, ConfigMap] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # bind source -> tree made for it
    # Of a bind's source, or of an anonymous volume.
    implicit_claims: dict[str, str] = field(default_factory=dict)
    claim_names: Names = field(default_factory=Names)
    claim_slugs: Names = field(default_factory=Names)
    configmap_slugs: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        self.secret_files = SecretFileRules.of(self.system)
        self.mount_kinds = MountKinds.of(self.system, self.kind_of)
        self.configmap_slugs = Names(label(name) for name in self.system.configs)
        for name, volume in self.system.volumes.items():
            if _is_nfs(volume.driver_opts):
                continue
            extension = tycho_extension(volume)
            labels = keep_allowed(volume.labels, read_grants(self.system))
            annotations = {key: to_text(value) for key, value in sorted(labels.items()) if QUALIFIED.fullmatch(key)}
            self.claims[self.claim_names.take(name)] = PersistentVolumeClaim(
                name=name,
                slug=self.claim_slugs.take(label(name)),
                size=to_memory(extension.get("size") or volume.driver_opts.get("size")) or "1Gi",
                storage_class=str(extension.get("class") or ""),
                access_modes=tuple(extension.get("accessModes") or ("ReadWriteOnce",)),
                existing=to_text(volume.name) or name if volume.external else "",
                annotations=annotations,
            )

    def is_single_node(self, volume: str) -> bool:
        """Tell whether only one node can mount a volume; an existing one is taken to be such."""
        return "ReadWriteMany" not in self.claims[volume].access_modes

    def mounts(self, name: str, service: Service) -> Iterator[ServiceMount]:
        """Yield every mount of a service with the volume behind it; the last of two at one path."""
        yield from make_mountpoints(name, self._mounts(name, service).values())

    def _mounts(self, name: str, service: Service) -> dict[str, ServiceMount]:
        mounts: dict[str, ServiceMount] = {}
        path = service_path(self.system, name)
        for index, mount in enumerate(service.volumes):
            for mounting in self._mount(name, service, mount, f"{path}.volumes[{index}]"):
                mounts[mounting.mounted.path] = mounting
        for other in service.volumes_from:
            source, _, mode = other.partition(":")
            theirs = self._mounts(source, self.system.services[source]) if source in self.system.services else {}
            for target, mounting in theirs.items():
                kept = mounting.mounted.read_only or mode == "ro"
                mounts.setdefault(target, replace(mounting, mounted=replace(mounting.mounted, read_only=kept)))
        further = [self._tmpfs(text) for text in service.tmpfs]
        if service.shm_size is not None:
            volume = PodVolume("shm", "emptyDir", memory=True, size=to_memory(service.shm_size))
            further.append(ServiceMount(VolumeMount("shm", "/dev/shm"), volume))  # noqa: S108
        further += [self._config(ref, service) for ref in service.configs]
        further += [self._secret(ref, service) for ref in service.secrets]
        return mounts | {mounting.mounted.path: mounting for mounting in further}

    def _mount(self, name: str, service: Service, mount: Mount, place: str) -> Iterator[ServiceMount]:
        target, source = mount.target, str(mount.source or "")
        volume: PodVolume | None = None
        sub_path = str((mount.volume or mount.image or {}).get("subpath") or "")
        match self.mount_kinds.decide(name, service, mount):
            case "claim" if mount.type == "bind":
                yield self._bind(name, mount, place)
            case "claim" if source in self.system.volumes and source not in self.claims:
                volume = self._nfs(source)
            case "claim":
                yield self._claim(name, mount, sub_path)
            case "empty" if mount.type == "volume":
                volume = self._empty(name, target)
                yield self._filled(
                    name, ServiceMount(VolumeMount(volume.name, target, DATA_FOLDER, mount.read_only), volume), mount
                )
                return
            case "empty":
                volume = self._empty(name, target)
            case "memory":
                size = (mount.tmpfs or {}).get("size")
                volume = self._memory(target, str(size) if size else "")
            case "image":
                volume = PodVolume(label(f"image-{source}", 60), "image", path=source)
            case "host":
                volume = PodVolume(label(f"host-{source}", 60), "hostPath", path=source)
            case "files" | "copy" as outcome:
                tree = self._configmap(source, mount.files or (), place)
                name_there = os.path.basename(target.rstrip("/")) if outcome == "copy" else ""
                files_volume, sub_path = configmap_volume(tree, mount.files or (), name_there)
                mounted = VolumeMount(files_volume.name, target, sub_path, read_only=True, single=bool(sub_path))
                files_mount = ServiceMount(mounted, files_volume)
                yield self._copied(name, mounted, files_volume) if outcome == "copy" else files_mount
        if volume:
            propagation = PROPAGATION.get(str((mount.bind or {}).get("propagation")), "")
            yield ServiceMount(VolumeMount(volume.name, target, sub_path, mount.read_only, propagation), volume)

    def _claim(self, name: str, mount: Mount, sub_path: str) -> ServiceMount:
        """Mount the claim of a volume; one without a name is kept for its service, too."""
        source = str(mount.source or "") or self._implicit_claim(f"{name} {mount.target}", f"{name}{mount.target}")
        volume = PodVolume(label(source), "claim", source, self.claims[source].slug)
        mounted = VolumeMount(volume.name, mount.target, sub_path, mount.read_only, claim=source)
        return ServiceMount(mounted, volume) if sub_path else self._filled(name, ServiceMount(mounted, volume), mount)

    def _filled(self, name: str, mounting: ServiceMount, mount: Mount) -> ServiceMount:
        """Fill a new volume with the image's files at its path, unless the file says `nocopy` or the claim exists."""
        claim = mounting.mounted.claim
        if claim and self.claims[claim].existing:
            return mounting
        if (mount.volume or {}).get("nocopy"):
            return replace(mounting, steps=(VolumeStep("new", claim=claim, base=mounting.mounted.sub_path),))
        step = VolumeStep("content", mount.target, claim=claim, base=mounting.mounted.sub_path)
        return replace(mounting, steps=(step,), image=self._image(name))

    def _bind(self, name: str, mount: Mount, place: str) -> ServiceMount:
        """Mount a claim instead of a folder or file that is written to; a new one starts with its files."""
        source, files = str(mount.source), seed_files(mount)
        claim = self.claims[self._implicit_claim(source, os.path.basename(source.rstrip("/")) or "folder")]
        volume = PodVolume(claim.slug, "claim", claim.name, claim.slug)
        single = os.path.basename(source.rstrip("/")) if is_file(mount) else ""
        mounted = VolumeMount(volume.name, mount.target, single, mount.read_only, claim=claim.name, single=bool(single))
        steps = [] if single else [VolumeStep("owner", mount.target, claim=claim.name)]
        files_volume = None
        if files:
            files_volume, _ = configmap_volume(self._configmap(source, files, place), files, single)
            steps.append(VolumeStep("seed", claim=claim.name))
        if single:
            steps.append(VolumeStep("file", single, claim=claim.name))
        return ServiceMount(mounted, volume, tuple(steps), files_volume, None if single else self._image(name))

    def _implicit_claim(self, key: str, preferred: str) -> str:
        """Name the claim that stands in the place of a bind's source, or of a volume without a name."""
        if key not in self.implicit_claims:
            name = self.claim_names.take(label(preferred, 40))
            self.claims[name] = PersistentVolumeClaim(name=name, slug=self.claim_slugs.take(label(name)))
            self.implicit_claims[key] = name
        return self.implicit_claims[key]

    def _copied(self, name: str, mounted: VolumeMount, files_volume: PodVolume) -> ServiceMount:
        """Mount a copy of files for one container, made at each start."""
        volume = replace(self._empty(name, mounted.path), memory=bool(files_volume.secret_items))
        return ServiceMount(
            replace(mounted, volume=volume.name, read_only=False), volume, (VolumeStep("copy"),), files_volume
        )

    @staticmethod
    def _empty(name: str, target: str) -> PodVolume:
        return PodVolume(f"{label(name, 40)}-{short_hash(target)}", "emptyDir")

    @staticmethod
    def _image(name: str) -> PodVolume:
        return PodVolume(label(f"image-of-{name}", 60), "ownImage", name)

    def _configmap(self, source: str, files: tuple[ProjectFile, ...], place: str) -> ConfigMap:
        if source not in self.sources:
            slug = self.configmap_slugs.take(label(os.path.basename(source.rstrip("/")) or "files", 40))
            self.configmaps[slug] = make_configmap(self.secret_files, slug, source, files, place)
            self.sources[source] = slug
        return self.configmaps[self.sources[source]]

    def _nfs(self, name: str) -> PodVolume:
        options = {key: str(value) for key, value in self.system.volumes[name].driver_opts.items()}
        server = re.search(r"addr=([^,]+)", options.get("o", ""))
        path = options.get("device", "").lstrip(":") or "/"
        return PodVolume(label(name), "nfs", server=server[1] if server else "", path=path)

    def _tmpfs(self, text: str) -> ServiceMount:
        target, _, options = text.partition(":")
        size = re.search(r"(?:^|,)size=([^,]+)", options)
        volume = self._memory(target, size[1] if size else "")
        return ServiceMount(VolumeMount(volume.name, target), volume)

    @staticmethod
    def _memory(target: str, size: str) -> PodVolume:
        limit = to_memory(size) if SIZE.fullmatch(size) else ""
        return PodVolume(f"tmpfs-{short_hash(target)}", "emptyDir", memory=True, size=limit)

    def _config(self, ref: FileRef, service: Service) -> ServiceMount:
        config, slug = self.system.configs[ref.source], label(ref.source)
        mode = decide_mode(ref, service)
        target = ref.target or f"/{ref.source}"
        name = os.path.basename(target)
        if config.external:
            volume = PodVolume(label(f"config-{slug}"), "configMap", ref.source, slug, (KeyToPath("", name, mode),))
            return ServiceMount(VolumeMount(volume.name, target, name, read_only=True, single=True), volume)
        if slug not in self.configmaps:
            files = config.files or (ProjectFile(path="", content=str(config.content or "").encode()),)
            live = isinstance(config.content, Live)
            source = config.file if config.files else None
            made = make_configmap(
                self.secret_files, slug, source, files, f"configs.{ref.source}", "" if source else ref.source
            )
            self.configmaps[slug] = replace(made, name=ref.source, text=to_text(config.content)) if live else made
        files = tuple(
            file.model_copy(update={"mode": mode}) for file in config.files or (ProjectFile(path="", content=b""),)
        )
        volume, sub_path = configmap_volume(self.configmaps[slug], files, prefix="config-")
        return ServiceMount(VolumeMount(volume.name, target, sub_path, read_only=True, single=bool(sub_path)), volume)

    def _secret(self, ref: FileRef, service: Service) -> ServiceMount:
        target = ref.target or ref.source
        target = target if target.startswith("/") else f"/run/secrets/{target}"
        key = KeyToPath("", os.path.basename(target), decide_mode(ref, service))
        volume = PodVolume(label(f"secret-{ref.source}"), "secret", ref.source, label(ref.source), (key,))
        return ServiceMount(VolumeMount(volume.name, target, key.path, read_only=True, single=True), volume)


def _is_nfs(options: Mapping[str, str]) -> bool:
    return options.get("type", "").startswith("nfs") and "addr=" in options.get("o", "")
