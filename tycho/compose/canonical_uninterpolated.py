"""A merged tree with its variables left as they are: what `docker compose config --no-interpolate` prints.

Short forms are written out where no variable stands in the way; numbers and units stay the text they are.

Source: compose-go's `transform` package, and `normalize.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tycho.compose import normalize
from tycho.compose.casts import YES
from tycho.compose.context import Context, Unusable
from tycho.compose.go_scalars import printed
from tycho.compose.merge import DEPENDENCY, keyed
from tycho.compose.mounts import device, volume
from tycho.compose.ports import ports
from tycho.compose.sources import Sources
from tycho.compose.yaml_nodes import Node, plain
from tycho.model.paths import is_bind, is_local, is_windows

Tree = dict[str, Any]
RESOURCES = ("networks", "volumes", "configs", "secrets")


def verbatim(tree: Node, name: str, sources: Sources) -> Tree:
    """The tree in canonical form, as far as that goes without values.

    Args:
        tree: Merged, with every variable in place.
        name: The project's.
        sources: Where relative paths start.
    """
    found: Tree = {**plain(tree), "name": name}
    found.pop("version", None)
    lonely = False
    for root in ("services", "jobs"):
        for key, node in (tree.get(root) or Node({})).map.items():
            found[root][key] = _service(node, sources)
            lonely = lonely or "default" in found[root][key].get("networks", ())
    if lonely:
        found.setdefault("networks", {}).setdefault("default", None)
    for root in RESOURCES:
        for key, said in found.get(root, {}).items():
            found[root][key] = _resource(said or {}, key, name, sources)
    return found


def _service(node: Node, sources: Sources) -> Tree:
    found: Tree = {key: _written(key, child, sources) for key, child in node.map.items()}
    for key in ("command", "entrypoint"):
        if found.get(key, "") is None:
            del found[key]
    if not found.get("networks") and "network_mode" not in found and "provider" not in found:
        found["networks"] = {"default": None}
    for _, needed, restart in normalize.needed(found):
        one = {"condition": "service_started", "required": True, "restart": restart}
        found.setdefault("depends_on", {}).setdefault(needed, one)
    return found


def _written(key: str, node: Node, sources: Sources) -> Any:
    said = plain(node)
    show = FORMS.get(key)
    return show(node, said, sources) if show and said is not None else said


def _depends_on(node: Node, said: Any, sources: Sources) -> Any:
    return {name: {**DEPENDENCY, **one} for name, one in plain(keyed(node, DEPENDENCY)).items()}


def _keyed(node: Node, said: Any, sources: Sources) -> Any:
    return plain(keyed(node, None))


def _listed(node: Node, said: Any, sources: Sources) -> Any:
    return said if isinstance(said, list) else [said]


def _command(node: Node, said: Any, sources: Sources) -> Any:
    return None if said == [] else said


def _servers(node: Node, said: Any, sources: Sources) -> Any:
    return [one for one in _listed(node, said, sources) if one]


def _build(node: Node, said: Any, sources: Sources) -> Any:
    build = {"context": ".", **(said if isinstance(said, Mapping) else {"context": said})}
    found = {key: BUILD[key](value, sources) if key in BUILD else value for key, value in build.items()}
    return found if "dockerfile_inline" in found else {"dockerfile": "Dockerfile", **found}


def _context(said: Any, sources: Sources) -> Any:
    return _path(said, sources) if isinstance(said, str) and is_local(said) else said


def _arguments(said: Any, sources: Sources) -> Any:
    """Those that have a value here: no variable has one."""
    if isinstance(said, Mapping):
        return {key: value for key, value in said.items() if value is not None}
    return [one for one in said if "=" in str(one)]


def _contexts(said: Any, sources: Sources) -> Any:
    named = said if isinstance(said, Mapping) else dict(str(one).partition("=")[::2] for one in said)
    return {key: _context(value, sources) for key, value in named.items()}


def _keys(said: Any, sources: Sources) -> Any:
    pairs = said if isinstance(said, Mapping) else dict(str(one).partition("=")[::2] for one in said)
    return {name: _path(path, sources) if path else None for name, path in pairs.items()}


def _env_file(node: Node, said: Any, sources: Sources) -> Any:
    files = [one if isinstance(one, Mapping) else {"path": one} for one in _listed(node, said, sources)]
    return [{"required": True, **one, "path": _path(one["path"], sources)} for one in files]


def _paths(node: Node, said: Any, sources: Sources) -> Any:
    return [_path(one, sources) for one in _listed(node, said, sources)]


def _granted(said: Any) -> list[Mapping[str, Any]]:
    return [one if isinstance(one, Mapping) else {"source": one} for one in said]


def _configs(node: Node, said: Any, sources: Sources) -> Any:
    return _granted(said)


def _secrets(node: Node, said: Any, sources: Sources) -> Any:
    return [{"target": f"/run/secrets/{one['source']}", **one} for one in _granted(said)]


def _ports(node: Node, said: Any, sources: Sources) -> Any:
    ctx = Context(sources, {})
    found = ports(ctx, node, "ports")
    return said if ctx.problems else found


def _devices(node: Node, said: Any, sources: Sources) -> Any:
    return [_device(one, sources) for one in node.seq]


def _device(node: Node, sources: Sources) -> Any:
    said = plain(node)
    try:
        return said if isinstance(said, Mapping) else device(Context(sources, {}), node, "")
    except Unusable:
        return said


def _requests(node: Node, said: Any, sources: Sources) -> Any:
    return [{"count": "all"}] if isinstance(said, str) else [_request(one) for one in said]


def _request(said: Tree) -> Tree:
    return said if "count" in said or "device_ids" in said else {"count": "all", **said}


def _deploy(node: Node, said: Any, sources: Sources) -> Any:
    reserved = (said.get("resources") or {}).get("reservations") or {}
    if "devices" in reserved:
        reserved["devices"] = [_request(one) for one in reserved["devices"]]
    return said


def _develop(node: Node, said: Any, sources: Sources) -> Any:
    for one in said.get("watch") or ():
        one.update({key: [one[key]] for key in ("ignore", "include") if isinstance(one.get(key), str)})
        one["path"] = _path(one["path"], sources)
    return said


def _volumes(node: Node, said: Any, sources: Sources) -> Any:
    return [_mount(one if isinstance(one, Mapping) else volume(one), sources) for one in said]


def _mount(one: Any, sources: Sources) -> Any:
    shown = {key: value for key, value in one.items() if not (key == "read_only" and value is False)}
    if one.get("type") == "bind" and "source" in one:
        shown["source"] = _path(one["source"], sources)
    return shown


def _policy(node: Node, said: Any, sources: Sources) -> Any:
    return "missing" if said == "if_not_present" else said


def _path(path: str, sources: Sources) -> str:
    return path if is_windows(path) else sources.path(path)


def _resource(said: Tree, key: str, name: str, sources: Sources) -> Tree:
    external = said.get("external")
    if isinstance(external, Mapping):
        said = {**said, "external": True, **({"name": external["name"]} if "name" in external else {})}
    found = {"name": key if printed(said.get("external")).lower() in YES else f"{name}_{key}", **said}
    if isinstance(found.get("file"), str):
        found["file"] = _path(found["file"], sources)
    options = found.get("driver_opts") or {}
    if found.get("driver") == "local" and is_bind(options):
        found["driver_opts"] = {**options, "device": _path(options["device"], sources)}
    return found


BUILD: dict[str, Callable[[Any, Sources], Any]] = {
    "additional_contexts": _contexts,
    "args": _arguments,
    "context": _context,
    "provenance": lambda said, sources: printed(said),
    "sbom": lambda said, sources: printed(said),
    "secrets": lambda said, sources: _granted(said),
    "ssh": _keys,
}
FORMS: dict[str, Callable[[Node, Any, Sources], Any]] = {
    "build": _build,
    "command": _command,
    "configs": _configs,
    "depends_on": _depends_on,
    "deploy": _deploy,
    "develop": _develop,
    "devices": _devices,
    "dns": _servers,
    "entrypoint": _command,
    "env_file": _env_file,
    "gpus": _requests,
    "label_file": _paths,
    "models": _keyed,
    "networks": _keyed,
    "ports": _ports,
    "pull_policy": _policy,
    "secrets": _secrets,
    "volumes": _volumes,
}
