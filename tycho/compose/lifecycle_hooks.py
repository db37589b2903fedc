"""`pre_start` hooks: containers that begin with what their service says of its own container.

Source: Compose Specification, "pre_start"; compose-go's tests of its inheritance.
"""

from __future__ import annotations

from msgspec.structs import replace

from tycho.compose.attributes import CONTAINER, HOOK_KEYS, SERVICE
from tycho.compose.bound import BoundProject, Fields, change_hooks, change_services
from tycho.compose.extends import MAX_COPIED
from tycho.compose.merge import Unmergeable, merge
from tycho.compose.yaml_nodes import YamlNode, clone
from tycho.errors import Problem

OWN_KEYS = frozenset({*HOOK_KEYS, "image", "per_replica", "written"})


def inherit_hook_defaults(tree: YamlNode) -> list[Problem]:
    """Give each `pre_start` hook the attributes of its service's container, volumes aside; the tree itself changes."""
    problems: list[Problem] = []
    copied = 0
    for root in ("services", "jobs"):
        section = tree.get(root)
        for name, service in section.map.items() if section else ():
            hooks = service.get("pre_start")
            base = {key: child for key, child in service.map.items() if key in CONTAINER and key != "volumes"}
            size = sum(child.size for child in base.values()) if hooks else 0
            for i, own in enumerate(hooks.seq if hooks else ()):
                path = f"{root}.{name}.pre_start[{i}]"
                copied += size
                if copied > MAX_COPIED:
                    message = f"hooks take over more than {MAX_COPIED} values of their services"
                    return [*problems, own.problem(path, message, "run fewer hooks")]
                if not isinstance(own.value, dict):
                    continue
                written = own.with_value([own.with_value(key) for key in own.map])
                try:
                    whole = merge(clone(own.with_value(base)), own, path, SERVICE)
                except Unmergeable as error:
                    problems.append(error.problem)
                    continue
                hooks.value[i] = whole.with_value({**whole.map, "written": written})  # type: ignore[union-attr]
    return problems


def split_hooks(project: BoundProject) -> BoundProject:
    """Write hooks as the model has them: their own keys, and under `inherited` what any container may have."""

    def split(_: str, service: Fields) -> Fields:
        return change_hooks(service, lambda _, hook: _split_hook(hook))

    return replace(project, fields=change_services(project.fields, split))


def _split_hook(hook: Fields) -> Fields:
    inherited = {key: value for key, value in hook.items() if key not in OWN_KEYS}
    own = {key: value for key, value in hook.items() if key in OWN_KEYS}
    return {**own, "command": hook.get("command") or [], **({"inherited": inherited} if inherited else {})}
