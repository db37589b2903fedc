"""A system as a compose file whose variables are open: what each value was written as, and only what was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tycho.canonical.forms import LIST, MAPPING, ExpressionText, Tree, full, grant, words
from tycho.canonical.project import Parts, doubled
from tycho.model import Attachment, Config, EnvFile, Hook, Live, Mount, Node, Project, Reworded, Service, template

SECTIONS = ("networks", "volumes", "configs", "secrets")
OF_HOOKS = ("command", "user", "privileged", "working_dir", "image", "per_replica")
ALONE = {"default": Attachment()}  # what a service is on that says nothing of networks
BESIDE = frozenset({"files", "entries"})  # what other files hold


def to_compose_file(system: Project) -> Tree:
    """Convert a system to a compose file.

    Args:
        system: What was loaded, perhaps changed since.

    Returns:
        Plain values. Short forms are written out, paths are as the file has them, what reads a variable is its
        expression, and of defaults, of the content of files and of the caller's environment there is nothing.
    """
    system = system.model_copy(update={key: _opened(getattr(system, key)) for key in ("services", "jobs", *SECTIONS)})
    parts = _OpenParts(lambda path: path)
    tree: Tree = {"name": system.name}
    for section in ("services", "jobs"):
        tree |= full({section: {name: parts.service(part) for name, part in getattr(system, section).items()}})
    for section in SECTIONS:
        entries = {
            name: parts.resource(section, system, name, part) or None for name, part in getattr(system, section).items()
        }
        if section == "networks" and not entries.get("default", True):
            del entries["default"]
        tree |= full({section: entries})
    return {key: doubled(value) for key, value in {**tree, **system.x}.items()}


class _OpenParts(Parts):
    """Shows what was written alone; every path is relative to the project, or absolute."""

    def service(self, service: Service) -> Tree:
        """A service or job."""
        shown = {**super().service(service), **service.x}
        if deploy := shown.pop("deploy", None):
            shown |= full({"deploy": full({**deploy, "resources": full(deploy["resources"])})})
        written: Tree = {
            "env_file": [_env_file(part) for part in service.env_file],
            "ports": [_without(port, mode="ingress", protocol="tcp") for port in shown.get("ports", ())],
            "secrets": [grant(part) for part in service.secrets],
            "extra_hosts": {host: addresses[0] if len(addresses) == 1 else list(addresses)
                            for host, addresses in service.extra_hosts.items()},
            "depends_on": {name: _without(part, required=True) for name, part in shown.get("depends_on", {}).items()},
            "post_start": [{"command": words(part.command)} for part in service.post_start],
            "pre_stop": [{"command": words(part.command)} for part in service.pre_stop],
            "networks": {name: part or None for name, part in shown.get("networks", {}).items()},
        }  # fmt: skip
        if service.networks == ALONE:
            del written["networks"], shown["networks"]
        shown = {key: value for key, value in shown.items() if key not in written and value is not None}
        shown |= full(written)
        return {key: shown[key] for key in (*Service.model_fields, *service.x) if key in shown}

    def environment(self, service: Service) -> Tree:
        """What the file itself sets; an entry that is the caller's has no value."""
        return {**service.environment, **dict.fromkeys(service.environment_pass)}

    def name(self, system: Project, name: str, element: Any) -> str | None:
        """What the file calls an entry."""
        given: str | None = element.name
        return given

    def resource(self, kind: str, system: Project, name: str, element: Any) -> Tree:
        """An entry of a section beside the services."""
        shown = {**full(super().resource(kind, system, name, element)), **element.x}
        if isinstance(element, Config) and element.content is not None and not element.environment:
            shown["content"] = element.content  # an empty one, too
        return shown

    def _mount(self, mount: Mount) -> Tree:
        shown = full(super()._mount(mount))
        return _without(shown, bind={"create_host_path": True})

    def _pre_start(self, part: Sequence[Hook]) -> list[Tree]:
        return [self._own(hook) for hook in part]

    def _own(self, hook: Hook) -> Tree:
        """What a hook says itself; the rest it has from its service."""
        written = {key: getattr(hook, key) for key in OF_HOOKS if key in hook.written}
        environment = {**hook.environment, **dict.fromkeys(hook.inherited.get("environment_pass", ()))}
        return full({**written, "command": words(hook.command), "environment": environment})


def _env_file(file: EnvFile) -> Tree:
    optional = {} if file.required else {"required": False}
    return {"path": file.path, **optional, **full({"format": file.format})}


def _without(part: Tree, **defaults: object) -> Tree:
    """Leave out what is the default anyway."""
    return {key: value for key, value in part.items() if key not in defaults or value != defaults[key]}


def _opened(value: Any) -> Any:
    """Put expressions in the place of values that were read from variables, at any depth; the same where none were."""
    if isinstance(value, Live):
        return ExpressionText(template(value))  # type: ignore[arg-type]
    if isinstance(value, str):
        return value
    if isinstance(value, MAPPING):
        entries = {key: _opened(entry) for key, entry in value.items()}
        return entries if any(entry is not value[key] for key, entry in entries.items()) else value
    if isinstance(value, LIST):
        if value and isinstance(value[0], Reworded):
            return ExpressionText(value[0].line)
        opened_entries = tuple(map(_opened, value))
        return (
            opened_entries
            if any(after is not before for after, before in zip(opened_entries, value, strict=True))
            else value
        )
    if isinstance(value, Node):
        fields = {key: getattr(value, key) for key in value.model_fields_set - BESIDE}
        changed = {key: opened for key, before in fields.items() if (opened := _opened(before)) is not before}
        return value.model_copy(update=changed) if changed else value
    return value
