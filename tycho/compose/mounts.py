"""What a service sees of files: `volumes`, `configs`, `secrets`, `devices`, `env_file`.

Source: Compose Specification, the sections of the same names; compose-go's `format` package.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from tycho.compose.context import Context, Unusable
from tycho.compose.converters import count, decided, each, flag, kept, listed, mapping, mode, section, size, text
from tycho.compose.paths import is_file, sections
from tycho.compose.yaml_nodes import Node

PROPAGATIONS = ("rprivate", "private", "rshared", "shared", "rslave", "slave")


def volumes(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    """`volumes` of a service: of two mounts at one target the later one stays, in the first one's place."""
    found = {mount["target"]: mount for mount in each(ctx, node, path, _volume)}
    for mount in found.values():
        mount["target"] = _clean(mount["target"])
    return list(found.values())


def _clean(target: str) -> str:
    return re.sub("^//+", "/", posixpath.normpath(target)) if target else target


def _volume(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    mount = _long(ctx, node, path) if isinstance(node.value, dict) else volume(text(ctx, node, path))
    if mount["type"] == "bind" and "source" not in mount:
        said = 'invalid mount config for type "bind": field Source must not be empty'
        raise Unusable(said, "source: ./folder")
    return mount


LONG = section({
    "type": text, "source": text, "target": text, "read_only": flag, "consistency": text,
    "bind": section({"propagation": text, "create_host_path": flag, "recursive": text, "selinux": text}),
    "volume": section({"labels": mapping(text, absent=""), "nocopy": flag, "subpath": text}),
    "tmpfs": section({"size": decided(size), "mode": mode}),
    "image": section({"subpath": text}),
})  # fmt: skip


def _long(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    found: dict[str, Any] = LONG(ctx, node, path)
    if "target" not in found or "type" not in found:
        raise Unusable(f"service volume {path} is missing a mount target", "type: volume, source: data, target: /data")
    if "bind" in found:
        found["bind"].setdefault("create_host_path", True)
    return found


def volume(said: str) -> dict[str, Any]:
    """A short volume, written out.

    Raises:
        Unusable: It is none.
    """
    if not said:
        raise Unusable("invalid empty volume spec", 'write "name:/path"')
    if len(said.encode()) <= 2:
        return {"type": "volume", "target": said}
    parts = sections(said)
    if "" in parts:
        raise Unusable(f"invalid spec: {said}: empty section between colons", 'write "source:/target"')
    if len(parts) > 3:
        raise Unusable(f"invalid spec: {said}: too many colons", 'write "source:/target:options"')
    if len(parts) == 1:
        return {"type": "volume", "target": _clean(said), "volume": {}}
    mount: dict[str, Any] = {"type": "volume", "source": parts[0], "target": _clean(parts[1])}
    for option in parts[2].split(",") if len(parts) > 2 else []:
        if option in ("ro", "rw"):
            mount["read_only"] = option == "ro"
        elif option == "nocopy":
            mount["volume"] = {"nocopy": True}
        elif option in ("z", "Z"):
            mount.setdefault("bind", {"create_host_path": True})["selinux"] = option
        elif option in PROPAGATIONS:
            mount.setdefault("bind", {"create_host_path": True})["propagation"] = option
    if is_file(parts[0]):
        mount["type"] = "bind"
        mount.setdefault("bind", {"create_host_path": True})
    else:
        mount.setdefault("volume", {})
    return mount


GRANT = section({"source": text, "target": text, "uid": text, "gid": text, "mode": mode})


def grants(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    """`configs` and `secrets` of a service, and `secrets` of a build."""
    return each(ctx, node, path, _grant)


def _grant(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    long = GRANT(ctx, node, path) if isinstance(node.value, dict) else {"source": text(ctx, node, path)}
    return {"source": "", **long}


DEVICE = section({"source": text, "target": text, "permissions": text})


def device(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    """`devices[]`: `source:target:permissions`, or the three by name."""
    if isinstance(node.value, dict):
        long: dict[str, Any] = DEVICE(ctx, node, path)
        if "target" not in long:
            raise Unusable(f"service device {path} is missing a mount target", "target: /dev/a")
        return long
    said = text(ctx, node, path)
    source, *rest = said.split(":")
    if len(rest) > 2:
        raise Unusable(f"confusing device mapping, please use long syntax: {said}", "source: /dev/a, target: /dev/b")
    target, permissions = [*rest, "", ""][:2]
    return {"source": source, "target": target or source, "permissions": permissions if len(rest) > 1 else "rwm"}


REQUEST = section({
    "capabilities": listed(), "driver": text, "device_ids": listed(), "options": mapping(text, absent=""),
    "count": lambda ctx, node, path: -1 if str(node.value).lower() == "all" else count(ctx, node, path),
})  # fmt: skip


def request(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    """A device request: all of them where no number and no id is given."""
    found: dict[str, Any] = REQUEST(ctx, node, path)
    if "count" in found and "device_ids" in found:
        raise Unusable('"count" and "device_ids" attributes are exclusive', "keep one of them")
    return found if "device_ids" in found else {"count": -1, **found}


def gpus(ctx: Context, node: Node, path: str) -> list[Any]:
    """`gpus`: `all`, or a list of requests."""
    return [{"count": -1}] if isinstance(node.value, str) else each(ctx, node, path, request)


ENV_FILE = section({"path": kept, "required": flag, "format": text})


def env_file(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    """`env_file[]`: what the file holds is read once all is known to be well."""
    return ENV_FILE(ctx, node, path) if isinstance(node.value, dict) else {"path": kept(ctx, node, path)}
