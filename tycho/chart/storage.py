"""What containers mount: volumes, files of the project, configs, secrets, memory."""

from __future__ import annotations

import os.path
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from tycho.chart import filters
from tycho.chart.kinds import said, written
from tycho.chart.names import QUALIFIED, Names, label, short
from tycho.chart.plan import Claim, Item, Mounted, Tree, Volume
from tycho.chart.reserved import keep_allowed
from tycho.chart.secretfiles import Secrecy
from tycho.files import Reason, names_host
from tycho.model import File, FileRef, Live, Mount, Service, System, template
from tycho.model.rights import read_grants

REFUSED: Mapping[str, str] = {
    Reason.OUTSIDE: "outside", Reason.WITHHELD: "withheld", Reason.SYSTEM: "forbidden",
    "a link that leads out": "forbidden",
}  # fmt: skip
SIZE = re.compile(r"(?i)[0-9]+(\.[0-9]{1,15})? ?[kmgtp]?i?b?", re.ASCII)
CLOCKS = frozenset({"/etc/localtime", "/etc/timezone"})
PROPAGATION = {
    "rshared": "Bidirectional", "shared": "Bidirectional", "rslave": "HostToContainer", "slave": "HostToContainer"
}  # fmt: skip


def fate(service: Service, mount: Mount) -> str:
    """What a mount becomes: claim, empty, files, context, host, memory or image; or why it becomes nothing.

    That is: clock, pipe, forbidden (the host's), outside (beyond the project), unreadable, or withheld (never travels).
    """
    if mount.type == "volume":
        return "claim" if mount.source else "empty"
    if mount.type in ("tmpfs", "image"):
        return {"tmpfs": "memory"}.get(mount.type, mount.type)
    if mount.type != "bind":
        return "pipe"
    source = str(mount.source or "")
    if source in (said(service).get("hostPaths") or ()):
        return "host"
    if posixpath.normpath(source.replace("//", "/")) in CLOCKS:
        return "clock"
    if names_host(source) and mount.note != "no file system":
        return "forbidden"
    reason = mount.note.partition(":")[0]
    if reason in REFUSED:
        return REFUSED[reason]
    if _of_context(service, mount):
        return "context"
    if mount.files:
        return "files"
    if mount.files is not None or reason in (Reason.ABSENT, "no file system", ""):
        return "claim"
    return "context" if reason == Reason.LARGE else "unreadable"


def _of_context(service: Service, mount: Mount) -> bool:
    """Whether a folder is what the image is built of: the image holds it."""
    if not service.build or (mount.files and not mount.files[0].path):
        return False
    context, source = (os.path.normpath(str(path)) for path in (service.build.get("context", "."), mount.source))
    return (
        source == context or (context == "." and not source.startswith(("/", ".."))) or source.startswith(context + "/")
    )


@dataclass
class Store:
    """Collects what the pods of one system mount; the same source is one object, whoever mounts it."""

    system: System
    claims: dict[str, Claim] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # bind source -> claim or tree made for it
    claim_names: Names = field(default_factory=Names)
    claim_slugs: Names = field(default_factory=Names)
    tree_slugs: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        self.secrecy = Secrecy.of(self.system)
        self.tree_slugs = Names(label(name) for name in self.system.configs)
        for name, volume in self.system.volumes.items():
            if _remote(volume.driver_opts):
                continue
            about = said(volume)
            labels = keep_allowed(volume.labels, read_grants(self.system))
            notes = {key: template(value) for key, value in sorted(labels.items()) if QUALIFIED.fullmatch(key)}
            self.claims[self.claim_names.take(name)] = Claim(
                name=name,
                slug=self.claim_slugs.take(label(name)),
                size=str(about.get("size") or written(volume.driver_opts.get("size")) or "1Gi"),
                storage_class=str(about.get("class") or ""),
                access_modes=tuple(about.get("accessModes") or ("ReadWriteOnce",)),
                existing=written(volume.name) or name if volume.external else "",
                annotations=notes,
            )

    def held(self, volume: str) -> bool:
        """Whether one node alone may have a volume; nobody knows of one that exists already."""
        return "ReadWriteMany" not in self.claims[volume].access_modes

    def mounts(self, name: str, service: Service) -> Iterator[tuple[Mounted, Volume]]:
        """Every mount of a service with the volume behind it; the last of two at one path."""
        found: dict[str, tuple[Mounted, Volume]] = {}
        path = f"services.{name}" if name in self.system.services else f"jobs.{name}"
        dropped = [mount.target for mount in service.volumes if fate(service, mount) == "context"]
        for index, mount in enumerate(service.volumes):
            if fate(service, mount) == "empty" and any(mount.target.startswith(at + "/") for at in dropped):
                continue
            for pair in self._mount(name, service, mount, f"{path}.volumes[{index}]"):
                found[pair[0].path] = pair
        for other in service.volumes_from:
            source, _, mode = other.partition(":")
            for mounted, volume in (
                self.mounts(source, self.system.services[source]) if source in self.system.services else ()
            ):
                kept = mounted.read_only or mode == "ro"
                found.setdefault(mounted.path, (replace(mounted, read_only=kept), volume))
        for target in service.tmpfs:
            found[target.partition(":")[0]] = self._tmpfs(target)
        if service.shm_size is not None:
            own, place = filters.key(name), filters.key(f"services.{name}.shmSize")
            size = filters.Safe(f"(index .Values.services {own}).shmSize {place}")
            found["/dev/shm"] = Mounted("shm", "/dev/shm"), Volume("shm", "emptyDir", memory=True, size=size)  # noqa: S108
        for config in service.configs:
            for pair in self._config(config):
                found[pair[0].path] = pair
        for secret in service.secrets:
            pair = self._secret(secret)
            found[pair[0].path] = pair
        yield from found.values()

    def _mount(self, name: str, service: Service, mount: Mount, place: str) -> Iterator[tuple[Mounted, Volume]]:
        target, source = mount.target, str(mount.source or "")
        volume: Volume | None = None
        sub_path = str((mount.volume or mount.image or {}).get("subpath") or "")
        match fate(service, mount):
            case "claim" if mount.type == "volume" and source in self.system.volumes and source not in self.claims:
                volume = self._nfs(source)
            case "claim" if mount.type == "volume":
                volume = Volume(label(source), "claim", source, label(source))
            case "claim":
                claim = self._made(source)
                volume = Volume(claim.slug, "claim", claim.name, claim.slug)
            case "empty":
                volume = Volume(f"{label(name, 40)}-{short(target)}", "emptyDir")
            case "memory":
                size = (mount.tmpfs or {}).get("size")
                volume = self._memory(target, str(size) if size else "")
            case "image":
                volume = Volume(label(f"image-{source}", 60), "image", path=source)
            case "host":
                volume = Volume(label(f"host-{source}", 60), "hostPath", path=source)
            case "files":
                tree = self._tree(source, mount.files or (), place)
                yield from _files(tree, target, mount.files or ())
                return
        if volume:
            propagation = PROPAGATION.get(str((mount.bind or {}).get("propagation")), "")
            yield Mounted(volume.name, target, sub_path, mount.read_only, propagation), volume

    def _made(self, source: str) -> Claim:
        """A claim in the place of a folder that is not there yet."""
        if source not in self.sources:
            wanted = label(os.path.basename(source.rstrip("/")) or "folder", 40)
            name = self.claim_names.take(wanted)
            self.claims[name] = Claim(name=name, slug=self.claim_slugs.take(label(name)))
            self.sources[source] = name
        return self.claims[self.sources[source]]

    def _tree(self, source: str, files: tuple[File, ...], place: str) -> Tree:
        if source not in self.sources:
            slug = self.tree_slugs.take(label(os.path.basename(source.rstrip("/")) or "files", 40))
            self.trees[slug] = self._sorted(slug, source, files, place)
            self.sources[source] = slug
        return self.trees[self.sources[source]]

    def _sorted(self, slug: str, source: str | None, files: tuple[File, ...], place: str, name: str = "") -> Tree:
        """Files of one source, those that are secret apart; text of the compose file has no source."""
        keys = tuple(_keys(files, name or source or ""))
        secret = {key for key, file in zip(keys, files, strict=True) if source and self.secrecy.is_secret(source, file)}
        contents = dict(zip(keys, (file.content for file in files), strict=True))
        return Tree(
            name="",
            slug=slug,
            files={key: content for key, content in contents.items() if key not in secret},
            place=place,
            secrets={key: content for key, content in contents.items() if key in secret},
            keys=keys,
        )

    def _nfs(self, name: str) -> Volume:
        options = {key: str(value) for key, value in self.system.volumes[name].driver_opts.items()}
        server = re.search(r"addr=([^,]+)", options.get("o", ""))
        path = options.get("device", "").lstrip(":") or "/"
        return Volume(label(name), "nfs", server=server[1] if server else "", path=path)

    def _tmpfs(self, text: str) -> tuple[Mounted, Volume]:
        target, _, options = text.partition(":")
        size = re.search(r"(?:^|,)size=([^,]+)", options)
        return Mounted(self._memory(target, "").name, target), self._memory(target, size[1] if size else "")

    @staticmethod
    def _memory(target: str, size: str) -> Volume:
        limit = filters.Safe(f'{filters.key(size)} "size"') if SIZE.fullmatch(size) else ""
        return Volume(f"tmpfs-{short(target)}", "emptyDir", memory=True, size=limit)

    def _config(self, ref: FileRef) -> Iterator[tuple[Mounted, Volume]]:
        config, slug = self.system.configs[ref.source], label(ref.source)
        mode = 0o444 if ref.mode is None else ref.mode & 0o777
        target = ref.target or f"/{ref.source}"
        if config.external:
            item = Item("", os.path.basename(target), mode)
            volume = Volume(label(f"config-{slug}"), "configMap", ref.source, slug, (item,))
            yield Mounted(volume.name, target, item.path, read_only=True), volume
            return
        if slug not in self.trees:
            files = config.files or (File(path="", content=str(config.content or "").encode()),)
            live = isinstance(config.content, Live)
            source = config.file if config.files else None
            tree = self._sorted(slug, source, files, f"configs.{ref.source}", ref.source)
            self.trees[slug] = replace(tree, name=ref.source, live=True) if live else tree
        files = tuple(file.model_copy(update={"mode": mode}) for file in config.files or (File(path="", content=b""),))
        yield from _files(self.trees[slug], target, files, "config-")

    def _secret(self, ref: FileRef) -> tuple[Mounted, Volume]:
        target = ref.target or ref.source
        target = target if target.startswith("/") else f"/run/secrets/{target}"
        item = Item("", os.path.basename(target), 0o444 if ref.mode is None else ref.mode & 0o777)
        volume = Volume(label(f"secret-{ref.source}"), "secret", ref.source, label(ref.source), (item,))
        return Mounted(volume.name, target, item.path, read_only=True), volume


def _remote(options: Mapping[str, str]) -> bool:
    return options.get("type", "").startswith("nfs") and "addr=" in options.get("o", "")


def _keys(files: tuple[File, ...], source: str) -> Iterator[str]:
    """A ConfigMap's key for each file: its path, as far as a key may be called so."""
    taken = Names()
    for file in files:
        plain = re.sub(r"[^-._a-zA-Z0-9]", "_", file.path or os.path.basename(source.rstrip("/")) or "content")
        plain = plain if len(plain) <= 200 and not plain.startswith(".") else f"f{short(file.path)}{plain[-100:]}"
        yield taken.take(plain)


def _files(
    tree: Tree, target: str, files: tuple[File, ...], prefix: str = "files-"
) -> Iterator[tuple[Mounted, Volume]]:
    keys = tree.keys
    name = label(f"{prefix}{tree.slug}")

    def volume(items: tuple[Item, ...]) -> Volume:
        plain = tuple(item for item in items if item.key not in tree.secrets)
        secret = tuple(item for item in items if item.key in tree.secrets)
        kind = ("projected" if plain else "secretFiles") if secret else "configMap"
        return Volume(name, kind, "", tree.slug, plain, secret)

    if len(files) == 1 and not files[0].path:
        item = Item(keys[0], os.path.basename(target.rstrip("/")), files[0].mode)
        yield (
            Mounted(name, target, item.path, read_only=True),
            volume((item,)),
        )
        return
    items = tuple(Item(key, file.path, file.mode) for key, file in zip(keys, files, strict=True))
    yield Mounted(name, target, read_only=True), volume(items)
