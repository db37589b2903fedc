"""What a service sees of files: `volumes`, `configs`, `secrets`, `devices`, `env_file`, in short and long syntax.

Source: Compose Specification, the sections of the same names; compose-go's `format` package.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Any

from tycho.compose.attribute import Convert, LongForm
from tycho.compose.context import Context, InvalidValue
from tycho.compose.converters import convert_entries, source_string, string
from tycho.compose.paths import is_file, split_volume
from tycho.compose.yaml_nodes import YamlNode, from_python, to_python

PROPAGATIONS = ("rprivate", "private", "rshared", "shared", "rslave", "slave")
Fields = dict[str, Any]


def either(short: Callable[[str], Fields], long: Convert) -> Convert:
    """Convert what is a text in short syntax, and a mapping in long syntax."""

    def convert(ctx: Context, node: YamlNode, path: str) -> Any:
        return long(ctx, node, path) if isinstance(node.value, dict) else short(string(ctx, node, path))

    return convert


def long_entry(short: Callable[[str], Fields]) -> LongForm:
    """Write an entry of a list in long syntax; one that no value makes valid stays as it is."""

    def write(node: YamlNode) -> YamlNode:
        try:
            return node if isinstance(node.value, dict) else from_python(short(str(node.value)), node)
        except InvalidValue:
            return node

    return write


def convert_volumes(entry: Convert) -> Convert:
    """Convert `volumes` of a service: of two mounts at one target the later one counts, in the first one's place."""

    def convert(ctx: Context, node: YamlNode, path: str) -> list[Fields]:
        mounts = {mount["target"]: mount for mount in convert_entries(ctx, node, path, entry)}
        for mount in mounts.values():
            mount["target"] = _clean(mount["target"])
        return list(mounts.values())

    return convert


def _clean(target: str) -> str:
    return re.sub("^//+", "/", posixpath.normpath(target)) if target else target


def convert_mount(long: Convert) -> Convert:
    """Convert an entry of `volumes`."""

    def convert(ctx: Context, node: YamlNode, path: str) -> Fields:
        mount: Fields = either(parse_volume, long)(ctx, node, path)
        if "target" not in mount or "type" not in mount:
            hint = "write type: volume, source: data, target: /data"
            raise InvalidValue(f"service volume {path} is missing a mount target", hint)
        if isinstance(node.value, dict) and "bind" in mount:
            mount["bind"].setdefault("create_host_path", True)
        if mount["type"] == "bind" and "source" not in mount:
            message = 'invalid mount config for type "bind": field Source must not be empty'
            raise InvalidValue(message, "write source: ./folder")
        return mount

    return convert


def parse_volume(text: str) -> Fields:
    """Parse a volume in short syntax.

    Raises:
        InvalidValue: It has too many parts, or empty ones.
    """
    if not text:
        raise InvalidValue("invalid empty volume spec", 'write "name:/path"')
    if len(text.encode()) <= 2:
        return {"type": "volume", "target": text}
    parts = split_volume(text)
    if "" in parts:
        raise InvalidValue(f"invalid spec: {text}: empty section between colons", 'write "source:/target"')
    if len(parts) > 3:
        raise InvalidValue(f"invalid spec: {text}: too many colons", 'write "source:/target:options"')
    if len(parts) == 1:
        return {"type": "volume", "target": _clean(text), "volume": {}}
    mount: Fields = {"type": "volume", "source": parts[0], "target": _clean(parts[1])}
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


def long_mount(node: YamlNode) -> YamlNode:
    """Write a mount in long syntax, without the default of `read_only`."""
    mount = long_entry(parse_volume)(node)
    if mount.map and (read_only := mount.get("read_only")) and read_only.value is False:
        return mount.with_value({key: child for key, child in mount.map.items() if key != "read_only"})
    return mount


def parse_reference(text: str) -> Fields:
    """Parse a reference to a config or secret in short syntax: its name."""
    return {"source": text}


def convert_reference(long: Convert) -> Convert:
    """Convert an entry of `configs` or `secrets`."""
    convert = either(parse_reference, long)
    return lambda ctx, node, path: {"source": "", **convert(ctx, node, path)}


def long_secret(node: YamlNode) -> YamlNode:
    """Write a reference to a secret in long syntax, with its default target."""
    secret = long_entry(parse_reference)(node)
    target = from_python(f"/run/secrets/{to_python(secret).get('source', '')}", node)
    return secret.with_value({"target": target, **secret.map})


def parse_device(text: str) -> Fields:
    """Parse `source:target:permissions`."""
    source, *parts = text.split(":")
    if len(parts) > 2:
        raise InvalidValue(
            f"confusing device mapping, please use long syntax: {text}", "write source: /dev/a, target: /dev/b"
        )
    target, permissions = [*parts, "", ""][:2]
    return {"source": source, "target": target or source, "permissions": permissions if len(parts) > 1 else "rwm"}


def convert_device(long: Convert) -> Convert:
    """Convert an entry of `devices`."""

    def convert(ctx: Context, node: YamlNode, path: str) -> Fields:
        device: Fields = either(parse_device, long)(ctx, node, path)
        if "target" not in device:
            raise InvalidValue(f"service device {path} is missing a mount target", "write target: /dev/a")
        return device

    return convert


def convert_request(long: Convert) -> Convert:
    """Convert a request of devices: all of them where no number and no id is given."""

    def convert(ctx: Context, node: YamlNode, path: str) -> Fields:
        request: Fields = long(ctx, node, path)
        if "count" in request and "device_ids" in request:
            raise InvalidValue('"count" and "device_ids" attributes are exclusive', "keep one of them")
        return request if "device_ids" in request else {"count": -1, **request}

    return convert


def convert_gpus(entry: Convert) -> Convert:
    """Convert `gpus`: `all`, or a list of requests."""
    return lambda ctx, node, path: (
        [{"count": -1}] if isinstance(node.value, str) else convert_entries(ctx, node, path, entry)
    )


def long_request(node: YamlNode) -> YamlNode:
    """Write a request of devices with its default."""
    if "count" in node.map or "device_ids" in node.map:
        return node
    return node.with_value({"count": node.with_value("all"), **node.map})


def long_gpus(node: YamlNode) -> YamlNode:
    """Write `all` as a list of one request."""
    return from_python([{"count": "all"}], node) if isinstance(node.value, str) else node


def convert_env_file(long: Convert) -> Convert:
    """Convert an entry of `env_file`, whose file is read later."""
    return lambda ctx, node, path: (
        long(ctx, node, path) if isinstance(node.value, dict) else {"path": source_string(ctx, node, path)}
    )


def long_env_file(node: YamlNode) -> YamlNode:
    """Write an entry of `env_file` in long syntax, with its default."""
    long = node if isinstance(node.value, dict) else node.with_value({"path": node})
    return long.with_value({"required": node.with_value(value=True), **long.map})
