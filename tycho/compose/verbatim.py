"""A merged tree with its variables left as they are: what `docker compose config --no-interpolate` prints.

Short forms are written out where no variable stands in the way; numbers and units stay the text they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tycho.compose.context import Context
from tycho.compose.merge import DEPENDENCY, keyed
from tycho.compose.mounts import volume
from tycho.compose.paths import is_local
from tycho.compose.ports import ports
from tycho.compose.source import Sources
from tycho.compose.tree import Node, plain

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
    if not found.get("networks") and "network_mode" not in found and "provider" not in found:
        found["networks"] = {"default": None}
    return found


def _written(key: str, node: Node, sources: Sources) -> Any:
    said = plain(node)
    show = FORMS.get(key)
    return show(node, said, sources) if show else said


def _depends_on(node: Node, said: Any, sources: Sources) -> Any:
    return {name: {**DEPENDENCY, **one} for name, one in plain(keyed(node, DEPENDENCY)).items()}


def _keyed(node: Node, said: Any, sources: Sources) -> Any:
    return plain(keyed(node, None))


def _build(node: Node, said: Any, sources: Sources) -> Any:
    build = {"context": ".", **(said if isinstance(said, Mapping) else {"context": said})}
    context = build["context"]
    found = {**build, "context": _path(context, sources) if is_local(context) else context}
    return found if "dockerfile_inline" in found else {"dockerfile": "Dockerfile", **found}


def _env_file(node: Node, said: Any, sources: Sources) -> Any:
    files = [one if isinstance(one, Mapping) else {"path": one} for one in (said if isinstance(said, list) else [said])]
    return [{"required": True, **one, "path": _path(one["path"], sources)} for one in files]


def _paths(node: Node, said: Any, sources: Sources) -> Any:
    return [_path(one, sources) for one in (said if isinstance(said, list) else [said])]


def _grants(default: Callable[[Any], Tree]) -> Callable[[Node, Any, Sources], Any]:
    def show(node: Node, said: Any, sources: Sources) -> Any:
        long = [one if isinstance(one, Mapping) else {"source": one} for one in said]
        return [{**default(one["source"]), **one} for one in long]

    return show


def _ports(node: Node, said: Any, sources: Sources) -> Any:
    ctx = Context(sources, {})
    found = ports(ctx, node, "ports")
    return said if ctx.problems else found


def _volumes(node: Node, said: Any, sources: Sources) -> Any:
    return [_mount(one if isinstance(one, Mapping) else volume(one), sources) for one in said]


def _mount(one: Any, sources: Sources) -> Any:
    if isinstance(one, Mapping) and one.get("type") == "bind" and "source" in one:
        return {**one, "source": _path(one["source"], sources)}
    return one


def _path(path: str, sources: Sources) -> str:
    return path if path.startswith("$") else sources.path(path)


def _resource(said: Tree, key: str, name: str, sources: Sources) -> Tree:
    found = {"name": key if said.get("external") is True else f"{name}_{key}", **said}
    if isinstance(found.get("file"), str):
        found["file"] = _path(found["file"], sources)
    return found


FORMS: dict[str, Callable[[Node, Any, Sources], Any]] = {
    "build": _build,
    "configs": _grants(lambda source: {}),
    "depends_on": _depends_on,
    "env_file": _env_file,
    "label_file": _paths,
    "models": _keyed,
    "networks": _keyed,
    "ports": _ports,
    "secrets": _grants(lambda source: {"target": f"/run/secrets/{source}"}),
    "volumes": _volumes,
}
