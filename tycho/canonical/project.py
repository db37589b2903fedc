"""A system in Compose's canonical form, as `docker compose config` prints it, with every default.

Source: compose-go's `Project.MarshalJSON`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tycho.canonical.forms import (
    ALWAYS,
    HIDDEN,
    LIST,
    MAPPING,
    SERVICE,
    ExpressionText,
    Tree,
    full,
    grant,
    hook,
    hosts,
    limit,
    size,
    words,
)
from tycho.model import ComposeVolume, Config, Hook, Mount, Network, Project, Secret, Service, bare
from tycho.model.paths import is_bind, is_local, is_windows


def to_canonical(system: Project, path: Callable[[str], str], *, written: bool = False) -> Tree:
    """Convert a system to Compose's own canonical JSON.

    Args:
        system: What was loaded.
        path: Makes a path absolute.
        written: As a compose file rather than as Compose's JSON.

    Returns:
        `name`, `services`, `jobs`, and of the other sections what they use; extensions as they stand.
    """
    shown = Parts(path)
    services = {name: shown.service(entry) for name, entry in sorted(system.services.items())}
    users = [*system.services.values(), *(system.jobs.values() if written else ())]
    resources = {
        kind: {
            name: shown.resource(kind, system, name, entry)
            for name, entry in sorted(getattr(system, kind).items())
            if name in used
        }
        for kind in ("networks", "volumes", "secrets", "configs")
        if (used := _used(users, kind))
    }
    jobs = {name: shown.service(entry) for name, entry in sorted(system.jobs.items())}
    tree = {"name": system.name, "services": services, **full({**resources, "jobs": jobs}), **system.x}
    return {key: doubled(value) for key, value in (_written(system, tree) if written else tree).items()}


def _written(system: Project, tree: Tree) -> Tree:
    """What a compose file may hold, and Compose's JSON does not."""
    for root in ("services", "jobs"):
        for name, entry in tree.get(root, {}).items():
            kept = {key: value for key, value in entry.items() if value is not None}
            if "blkio_config" in kept:
                kept["blkio_config"] = getattr(system, root)[name].blkio_config
            if keys := kept.get("build", {}).get("ssh"):
                pairs = (key.partition(": ") for key in keys)
                kept["build"]["ssh"] = {name: file or None for name, _, file in pairs}
            if needed := kept.get("depends_on"):  # what is not enabled, and not required either
                there = {other: entry for other, entry in needed.items() if other in tree["services"]}
                kept.pop("depends_on")
                kept |= full({"depends_on": there})
            tree[root][name] = {**kept, **getattr(system, root)[name].x}
    return {**tree, **full({"models": system.models})}


def doubled(value: Any) -> Any:
    """Convert to plain values that load again as the same: `$` is `$$` in a compose file, but in expressions."""
    if isinstance(value, ExpressionText):
        return str.__str__(value)
    if isinstance(value, str):
        return str.__str__(value).replace("$", "$$")
    if isinstance(value, MAPPING):
        return {str.__str__(key): doubled(child) for key, child in value.items()}
    return [doubled(child) for child in value] if isinstance(value, LIST) else bare(value)


def _used(users: list[Service], kind: str) -> set[str]:
    """The names of a section that services use."""
    used: set[str] = set()
    for service in users:
        if kind == "volumes":
            used |= {entry.source for entry in service.volumes if entry.type == "volume" and entry.source}
        elif kind == "networks":
            used |= set(service.networks)
        else:
            used |= {grant.source for grant in getattr(service, kind)}
            if kind == "secrets":
                used |= {grant["source"] for grant in (service.build or {}).get("secrets", ())}
    return used


class Parts:
    """Shows the parts of a system that hold paths.

    Args:
        absolute: Makes a path absolute.
    """

    def __init__(self, absolute: Callable[[str], str]) -> None:
        self.absolute = absolute

    def path(self, path: str | None) -> str | None:
        """An absolute path."""
        return self.absolute(path) if path and path[0] != "/" and not is_windows(path) else path

    def context(self, path: str) -> str:
        """A build context: a folder, or whatever else it is."""
        return (self.path(path) or "") if is_local(path) else path

    def service(self, service: Service) -> Tree:
        """A service or job."""
        fields: Tree = {"command": words(service.command), "entrypoint": words(service.entrypoint)}
        written = service.model_fields_set - HIDDEN - fields.keys()
        for key in type(service).model_fields:
            if key not in written:
                continue
            value = getattr(service, key)
            if show := SERVICE.get(key) or getattr(self, f"_{key}", None):
                value = show(value)
            if value or (value is not None and key in ALWAYS):
                fields[key] = value
        environment = self.environment(service)
        return {**fields, **({"environment": environment} if environment else {})}

    def environment(self, service: Service) -> Tree:
        """What is set, env files below."""
        entries: Tree = {}
        for file in service.env_file:
            entries |= file.entries or {}
        return dict(sorted({**entries, **service.environment}.items()))

    def _build(self, part: Mapping[str, Any]) -> Tree:
        build = dict(part)
        build["context"] = self.context(part["context"])
        contexts = part.get("additional_contexts", {})
        build["additional_contexts"] = {key: self.context(value) for key, value in contexts.items()}
        build["ssh"] = [f"{key}: {self.path(value)}" if value else key for key, value in part.get("ssh", {}).items()]
        build["extra_hosts"] = hosts(part.get("extra_hosts", {}))
        build["secrets"] = [grant(secret) for secret in part.get("secrets", ())]
        build["shm_size"] = size(part.get("shm_size"))
        build["ulimits"] = {key: limit(value) for key, value in part.get("ulimits", {}).items()}
        return full(build)

    def _develop(self, part: Mapping[str, Any]) -> Tree:
        watches = [
            {**full(watch), "path": self.path(watch["path"]), "action": watch.get("action", ""),
             "exec": hook(watch.get("exec", {}))}
            for watch in part.get("watch", ())
        ]  # fmt: skip
        return full({"watch": watches})

    def _volumes(self, part: tuple[Mount, ...]) -> list[Tree]:
        return [self._mount(mount) for mount in part]

    def _mount(self, mount: Mount) -> Tree:
        source = self.path(mount.source) if mount.type == "bind" else mount.source
        fields = {**full({"type": mount.type, "source": source, "target": mount.target, "read_only": mount.read_only,
                          "consistency": mount.consistency})}  # fmt: skip
        for key in ("bind", "volume", "tmpfs", "image"):
            if (options := getattr(mount, key)) is not None:
                fields[key] = full({**options, **({"size": size(options.get("size"))} if key == "tmpfs" else {})})
        return fields

    def _pre_start(self, part: tuple[Hook, ...]) -> list[Tree]:
        shown = []
        for hook_part in part:
            fields = {
                key: getattr(hook_part, key)
                for key in hook_part.model_fields_set - {"inherited", "per_replica", "command", "written"}
            }
            whole = self.service(Service(command=hook_part.command or None, **fields, **hook_part.inherited))
            shown.append({**whole, **full({"per_replica": hook_part.per_replica})})
        return shown

    def resource(self, kind: str, system: Project, name: str, element: Any) -> Tree:
        """An entry of a section beside the services."""
        shown = {**full({"name": self.name(system, name, element)}), **_shared(element)}
        match kind:
            case "networks":
                return {**shown, **_network(element)}
            case "volumes":
                return {**shown, **self._volume(element)}
            case _:
                return {**shown, **self._filed(element)}

    def name(self, system: Project, name: str, element: Any) -> str | None:
        """What an entry is called outside of the project."""
        given: str = element.name or (name if element.external else f"{system.name}_{name}")
        return given

    def _volume(self, element: ComposeVolume) -> Tree:
        """A volume; one that is a bind mount in disguise has a path."""
        options = element.driver_opts
        if element.driver == "local" and is_bind(options):
            return {"driver_opts": {**options, "device": self.path(options["device"])}}
        return {}

    def _filed(self, element: Config | Secret) -> Tree:
        """A config or secret; what a secret holds is not shown."""
        fields = full({"file": self.path(element.file), "environment": element.environment,
                        "template_driver": element.template_driver})  # fmt: skip
        if isinstance(element, Config) and not element.environment:
            fields |= full({"content": element.content})
        return fields


def _shared(element: Any) -> Tree:
    """What all resources share."""
    return full({key: getattr(element, key) for key in ("external", "driver", "driver_opts", "labels")})


def _network(element: Network) -> Tree:
    ipam = element.ipam or {}
    shown = full({**ipam, "config": [full(pool) for pool in ipam.get("config", ())]})
    fields = full({"internal": element.internal, "attachable": element.attachable})
    switches = {
        key: getattr(element, key) for key in ("enable_ipv4", "enable_ipv6") if getattr(element, key) is not None
    }
    return {"ipam": shown, **fields, **switches}
