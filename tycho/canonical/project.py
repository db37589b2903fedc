"""A system in Compose's canonical form, as `docker compose config` prints it, with every default.

Source: compose-go's `Project.MarshalJSON`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tycho.canonical.forms import (
    ALWAYS,
    HIDDEN,
    SERVICE,
    Expression,
    Tree,
    full,
    grant,
    hook,
    hosts,
    limit,
    size,
    words,
)
from tycho.model import Config, Hook, Mount, Network, Project, Secret, Service, Volume, bare
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
    services = {name: shown.service(one) for name, one in sorted(system.services.items())}
    users = [*system.services.values(), *(system.jobs.values() if written else ())]
    resources = {
        kind: {
            name: shown.resource(kind, system, name, one)
            for name, one in sorted(getattr(system, kind).items())
            if name in used
        }
        for kind in ("networks", "volumes", "secrets", "configs")
        if (used := _used(users, kind))
    }
    jobs = {name: shown.service(one) for name, one in sorted(system.jobs.items())}
    found = {"name": system.name, "services": services, **full({**resources, "jobs": jobs}), **system.x}
    return {key: doubled(value) for key, value in (_written(system, found) if written else found).items()}


def _written(system: Project, found: Tree) -> Tree:
    """What a compose file may hold, and Compose's JSON does not."""
    for root in ("services", "jobs"):
        for name, one in found.get(root, {}).items():
            kept = {key: value for key, value in one.items() if value is not None}
            if "blkio_config" in kept:
                kept["blkio_config"] = getattr(system, root)[name].blkio_config
            if keys := kept.get("build", {}).get("ssh"):
                pairs = (key.partition(": ") for key in keys)
                kept["build"]["ssh"] = {name: file or None for name, _, file in pairs}
            if needed := kept.get("depends_on"):  # what is not enabled, and not required either
                there = {other: one for other, one in needed.items() if other in found["services"]}
                kept.pop("depends_on")
                kept |= full({"depends_on": there})
            found[root][name] = {**kept, **getattr(system, root)[name].x}
    return {**found, **full({"models": system.models})}


def doubled(value: Any) -> Any:
    """Convert to plain values that load again as the same: `$` is `$$` in a compose file, but in expressions."""
    if isinstance(value, Expression):
        return str.__str__(value)
    if isinstance(value, str):
        return str.__str__(value).replace("$", "$$")
    if isinstance(value, Mapping):
        return {str.__str__(key): doubled(one) for key, one in value.items()}
    return [doubled(one) for one in value] if isinstance(value, list | tuple) else bare(value)


def _used(users: list[Service], kind: str) -> set[str]:
    """The names of a section that services use."""
    found: set[str] = set()
    for service in users:
        if kind == "volumes":
            found |= {one.source for one in service.volumes if one.type == "volume" and one.source}
        elif kind == "networks":
            found |= set(service.networks)
        else:
            found |= {grant.source for grant in getattr(service, kind)}
            if kind == "secrets":
                found |= {grant["source"] for grant in (service.build or {}).get("secrets", ())}
    return found


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

    def service(self, one: Service) -> Tree:
        """A service or job."""
        found: Tree = {"command": words(one.command), "entrypoint": words(one.entrypoint)}
        for key in type(one).model_fields:
            value = getattr(one, key)
            if key in found or key in HIDDEN or (key not in one.model_fields_set):
                continue
            if show := SERVICE.get(key) or getattr(self, f"_{key}", None):
                value = show(value)
            if value or (value is not None and key in ALWAYS):
                found[key] = value
        environment = self.environment(one)
        return {**found, **({"environment": environment} if environment else {})}

    def environment(self, one: Service) -> Tree:
        """What is set, env files below."""
        found: Tree = {}
        for file in one.env_file:
            found |= file.entries or {}
        return dict(sorted({**found, **one.environment}.items()))

    def _build(self, part: Mapping[str, Any]) -> Tree:
        found = dict(part)
        found["context"] = self.context(part["context"])
        contexts = part.get("additional_contexts", {})
        found["additional_contexts"] = {key: self.context(value) for key, value in contexts.items()}
        found["ssh"] = [f"{key}: {self.path(value)}" if value else key for key, value in part.get("ssh", {}).items()]
        found["extra_hosts"] = hosts(part.get("extra_hosts", {}))
        found["secrets"] = [grant(one) for one in part.get("secrets", ())]
        found["shm_size"] = size(part.get("shm_size"))
        found["ulimits"] = {key: limit(value) for key, value in part.get("ulimits", {}).items()}
        return full(found)

    def _develop(self, part: Mapping[str, Any]) -> Tree:
        watches = [
            {**full(one), "path": self.path(one["path"]), "action": one.get("action", ""),
             "exec": hook(one.get("exec", {}))}
            for one in part.get("watch", ())
        ]  # fmt: skip
        return full({"watch": watches})

    def _volumes(self, part: tuple[Mount, ...]) -> list[Tree]:
        return [self._mount(one) for one in part]

    def _mount(self, one: Mount) -> Tree:
        source = self.path(one.source) if one.type == "bind" else one.source
        found = {**full({"type": one.type, "source": source, "target": one.target, "read_only": one.read_only,
                          "consistency": one.consistency})}  # fmt: skip
        for key in ("bind", "volume", "tmpfs", "image"):
            if (said := getattr(one, key)) is not None:
                found[key] = full({**said, **({"size": size(said.get("size"))} if key == "tmpfs" else {})})
        return found

    def _pre_start(self, part: tuple[Hook, ...]) -> list[Tree]:
        shown = []
        for one in part:
            said = {
                key: getattr(one, key) for key in one.model_fields_set - {"rest", "per_replica", "command", "written"}
            }
            whole = self.service(Service(command=one.command or None, **said, **one.rest))
            shown.append({**whole, **full({"per_replica": one.per_replica})})
        return shown

    def resource(self, kind: str, system: Project, name: str, one: Any) -> Tree:
        """An entry of a section beside the services."""
        shown = {**full({"name": self.name(system, name, one)}), **_shared(one)}
        match kind:
            case "networks":
                return {**shown, **_network(one)}
            case "volumes":
                return {**shown, **self._volume(one)}
            case _:
                return {**shown, **self._filed(one)}

    def name(self, system: Project, name: str, one: Any) -> str | None:
        """What an entry is called outside of the project."""
        given: str = one.name or (name if one.external else f"{system.name}_{name}")
        return given

    def _volume(self, one: Volume) -> Tree:
        """A volume; one that is a bind mount in disguise has a path."""
        options = one.driver_opts
        if one.driver == "local" and is_bind(options):
            return {"driver_opts": {**options, "device": self.path(options["device"])}}
        return {}

    def _filed(self, one: Config | Secret) -> Tree:
        """A config or secret; what a secret holds is not shown."""
        found = full({"file": self.path(one.file), "environment": one.environment,
                        "template_driver": one.template_driver})  # fmt: skip
        if isinstance(one, Config) and not one.environment:
            found |= full({"content": one.content})
        return found


def _shared(one: Any) -> Tree:
    """What all resources share."""
    return full({key: getattr(one, key) for key in ("external", "driver", "driver_opts", "labels")})


def _network(one: Network) -> Tree:
    ipam = one.ipam or {}
    shown = full({**ipam, "config": [full(pool) for pool in ipam.get("config", ())]})
    found = full({"internal": one.internal, "attachable": one.attachable})
    switches = {key: getattr(one, key) for key in ("enable_ipv4", "enable_ipv6") if getattr(one, key) is not None}
    return {"ipam": shown, **found, **switches}
