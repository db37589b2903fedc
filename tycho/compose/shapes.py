"""The short forms, written out: ports, volumes, grants, dependencies, health checks, and what else has two shapes.

Source: Compose Specification, the sections of the same names; compose-go's `transform` and `format` packages.
"""

from __future__ import annotations

import ipaddress
import os
import re
from typing import Any

from tycho.compose.bind import (
    Context,
    Unusable,
    anything,
    count,
    each,
    flag,
    live,
    mapping,
    seconds,
    section,
    strings,
    text,
    words,
)
from tycho.compose.interpolate import split
from tycho.compose.merge import DEPENDENCY, keyed
from tycho.compose.source import MAX_FILE
from tycho.compose.tree import Node, plain
from tycho.model import Expr

PORT_HINT = 'write "host:container", for example "8080:80"'
PROTOCOLS = ("tcp", "udp", "sctp")


def ports(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    """`ports`: each entry one or, for a range, several; repeated ones collapse."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for entry in each(ctx, node, path, _port):
        for port in entry:
            key = (port.get("host_ip"), port.get("published"), port["target"], port["protocol"])
            found[key] = port
    return list(found.values())


def _port(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    if isinstance(node.value, dict):
        return [_long_port(ctx, node, path)]
    if isinstance(node.value, float):
        raise Unusable(f'"{node.value}" is not a port', PORT_HINT)
    said = node.value if isinstance(node.value, str) else str(node.value)
    if not said:
        raise Unusable("No port specified: <empty>", PORT_HINT)
    body, *protocol = split(said, "/", 1)
    kind = str(protocol[0]).lower() if protocol else "tcp"
    if kind not in PROTOCOLS:
        raise Unusable(f'"{said}" is not a port: invalid proto "{kind}"', "tcp, udp or sctp")
    *hosts, target = _port_parts(body)
    published = hosts[-1] if hosts else ""
    host_ip = ":".join(hosts[:-1]).strip("[]")
    if host_ip:
        _address(host_ip, said)
    targets, hostly = _range(target, said), _range(published, said) if published else None
    if isinstance(said, Expr):
        decided = [part for part in (target, host_ip, *map(str, protocol)) if isinstance(part, Expr)]
        if isinstance(published, Expr):
            ctx.reads(node, path, published.template, live=True)
        for part in decided:
            ctx.reads(node, path, part.template, live=False)
        if not decided and not isinstance(published, Expr):
            ctx.reads(node, path, said.template, live=False)
    common: dict[str, Any] = {"protocol": kind, "mode": "ingress"}
    if host_ip:
        common["host_ip"] = str.__str__(host_ip)
    if hostly and len(targets) == 1:
        shown = str.__str__(published) if len(hostly) > 1 else published
        return [{"target": targets[0], "published": shown, **common}]
    if hostly and len(hostly) != len(targets):
        raise Unusable(
            f"invalid ranges specified for container and host Ports: {target} and {published}", PORT_HINT
        )
    if hostly:
        return [{"target": a, "published": str(b), **common} for a, b in zip(targets, hostly, strict=True)]
    return [{"target": one, **common} for one in targets]


def _port_parts(body: str) -> list[str]:
    if match := re.match(r"(\[[0-9a-fA-F:.%]+\]):", body):
        return [match[1], *split(body[match.end() :], ":")]
    return split(body, ":")


def _range(said: str, whole: str) -> list[int]:
    first, _, last = str(said).partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()):
        raise Unusable(f'"{whole}" is not a port', PORT_HINT)
    low, high = int(first), int(last or first)
    if not 0 <= low <= high <= 65535:
        raise Unusable(f'"{whole}" is not a port: {said} is outside 0-65535', PORT_HINT)
    return list(range(low, high + 1))


def _address(said: str, whole: str) -> None:
    try:
        ipaddress.ip_address(said)
    except ValueError:
        raise Unusable(f'"{whole}" is not a port: invalid ip address "{said}"', PORT_HINT) from None


def _long_port(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    table = {
        "name": text, "mode": text, "host_ip": text, "target": count, "published": live, "protocol": text,
        "app_protocol": text,
    }  # fmt: skip
    found = section(table, x=False)(ctx, node, path)
    if "target" not in found:
        raise Unusable("is missing a target port", "target: 80")
    if found.get("host_ip"):
        _address(found["host_ip"], found["host_ip"])
    return {"protocol": "tcp", "mode": "ingress", **found}


def volumes(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    """`volumes` of a service: of two mounts at one target the later one stays, in the first one's place."""
    return list({mount["target"]: mount for mount in each(ctx, node, path, _volume)}.values())


def _volume(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    mount = _long_volume(ctx, node, path) if isinstance(node.value, dict) else _short_volume(ctx, node, path)
    mount["target"] = os.path.normpath(mount["target"]) if mount["target"] else mount["target"]
    if mount["type"] == "bind":
        if not mount.get("source"):
            raise Unusable(
                'invalid mount config for type "bind": field Source must not be empty', "source: ./folder"
            )
        mount["files"], mount["note"] = ctx.sources.files.tree(ctx.sources.path(str(mount["source"])))
    return mount


def _long_volume(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    table = {
        "type": text, "source": text, "target": text, "read_only": flag, "consistency": text,
        "bind": section({"propagation": text, "create_host_path": flag, "recursive": text, "selinux": text}),
        "volume": section({"labels": mapping(text, absent=""), "nocopy": flag, "subpath": text}),
        "tmpfs": section({"size": _bytes, "mode": _mode}), "image": section({"subpath": text}),
    }  # fmt: skip
    found = section(table, x=False)(ctx, node, path)
    if "type" not in found or "target" not in found:
        raise Unusable("a mount needs a type and a target", "type: volume, source: data, target: /data")
    if "bind" in found:
        found["bind"].setdefault("create_host_path", True)
    return found


def _bytes(ctx: Context, node: Node, path: str) -> int:
    from tycho.compose.bind import size

    return int(size(Context(ctx.sources), node.with_value(text(ctx, node, path)), path))


def _short_volume(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    said = text(ctx, node, path)
    if not said:
        raise Unusable("invalid empty volume spec", 'write "name:/path"')
    if len(said) <= 2 or (":" not in said) or re.fullmatch(r"[A-Za-z]:[\\/][^:]*", said):
        return {"type": "volume", "target": said}
    parts = re.findall(
        r"(?:(?<![^:])[A-Za-z]:(?=[\\/]))?[^:]*(?::|$)", said
    )  # a drive's colon separates nothing
    parts = [part.removesuffix(":") for part in parts if part] if ":" in said else [said]
    if said.endswith(":"):
        parts.append("")
    if len(parts) == 1:
        return {"type": "volume", "target": said}
    if "" in parts:
        raise Unusable(f"invalid spec: {said}: empty section between colons", 'write "source:/target"')
    if len(parts) > 3:
        raise Unusable(f"invalid spec: {said}: too many colons", 'write "source:/target:options"')
    source, target, *options = parts
    mount: dict[str, Any] = {"type": "volume", "source": source, "target": target}
    if source[0] in "./~" or re.match(r"[A-Za-z]:|\\\\", source):
        mount |= {"type": "bind", "bind": {"create_host_path": True}}
    for option in options[0].split(",") if options else []:
        if option in ("ro", "rw"):
            mount["read_only"] = option == "ro"
        elif option == "nocopy":
            mount.setdefault("volume", {})["nocopy"] = True
        elif option in ("z", "Z") and mount["type"] == "bind":
            mount["bind"]["selinux"] = option
        elif re.fullmatch(r"r?(private|shared|slave)", option) and mount["type"] == "bind":
            mount["bind"]["propagation"] = option
    return mount


def grants(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    """`configs` and `secrets` of a service."""
    found = each(ctx, node, path, _grant)
    return list({(one["source"], one.get("target")): one for one in found}.values())


def _grant(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    if not isinstance(node.value, dict):
        return {"source": text(ctx, node, path)}
    found = section({"source": text, "target": text, "uid": text, "gid": text, "mode": _mode}, x=False)(
        ctx, node, path
    )
    if "source" not in found:
        raise Unusable("a grant needs a source", "source: NAME")
    return found


def _mode(ctx: Context, node: Node, path: str) -> int:
    if isinstance(node.value, int):
        return node.value
    said = text(ctx, node, path)
    try:
        return int(said, 8)
    except ValueError:
        raise Unusable(f'"{said}" is not a file mode', 'write "0440"') from None


def dependencies(ctx: Context, node: Node, path: str) -> dict[str, dict[str, Any]]:
    """`depends_on`."""
    table = section({"condition": text, "required": flag, "restart": flag}, x=False)
    return {name: table(ctx, child, f"{path}.{name}") for name, child in _keyed(ctx, node, path, DEPENDENCY)}


def _keyed(ctx: Context, node: Node, path: str, default: dict[str, object] | None) -> list[tuple[str, Node]]:
    found = list(keyed(node, default).map.items())
    listed = {str(child.value): child for child in node.seq}
    for name, child in found:
        at = listed.get(name, child)
        ctx.lines[f"{path}.{name}"] = (at.file, at.line)
    return found


def attachments(ctx: Context, node: Node, path: str) -> dict[str, dict[str, Any]]:
    """`networks` of a service."""
    from tycho.compose.bind import ratio

    table = section({
        "aliases": strings(), "interface_name": text, "ipv4_address": text, "ipv6_address": text,
        "link_local_ips": strings(), "mac_address": text, "driver_opts": anything, "priority": ratio,
        "gw_priority": ratio, "use_service_name_alias": flag,
    })  # fmt: skip
    return {name: table(ctx, child, f"{path}.{name}") for name, child in _keyed(ctx, node, path, None)}


def models(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    """`models` of a service."""
    return {name: plain(child) or {} for name, child in _keyed(ctx, node, path, None)}


def healthcheck(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    """`healthcheck`: a string is for the shell."""
    table = {
        "test": _test, "disable": flag, "interval": seconds, "timeout": seconds, "start_period": seconds,
        "start_interval": seconds, "retries": count,
    }  # fmt: skip
    found: dict[str, Any] = section(table, x=False)(ctx, node, path)
    return found


def _test(ctx: Context, node: Node, path: str) -> list[str]:
    if not isinstance(node.value, list):
        return ["CMD-SHELL", live(ctx, node, path)]
    found = words(ctx, node, path) or []
    if found and found[0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise Unusable(
            'healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"', f'["CMD", "{found[0]}", …]'
        )
    return found


def env_files(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    """`env_file`: their content is read once all is known to be well."""
    found = strings(_env_file)(ctx, node, path)
    return list({one["path"]: one for one in found}.values())


def _env_file(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    if isinstance(node.value, dict):
        return section({"path": text, "required": flag, "format": text}, x=False)(ctx, node, path)
    return {"path": text(ctx, node, path)}


def hosts(ctx: Context, node: Node, path: str) -> dict[str, list[str]]:
    """`extra_hosts`: a mapping, or a list of `host=ip` or `host:ip`."""
    found: dict[str, list[str]] = {}
    if isinstance(node.value, list):
        for i, child in enumerate(node.seq):
            said = text(ctx, child, f"{path}[{i}]")
            host, separator, address = said.partition("=" if "=" in said else ":")
            if not separator:
                ctx.wrong(child, f"{path}[{i}]", f'"{said}" names no address', 'write "host=10.0.0.1"')
            found.setdefault(host, []).append(address.strip("[]"))
        return found
    for host, child in node.map.items():
        found[host] = strings()(ctx, child, f"{path}.{host}")
    return found


def build(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    """`build`: a string is its context."""
    said = {"context": text(ctx, node, path)} if isinstance(node.value, str) else anything(ctx, node, path)
    if isinstance(said, dict) and "dockerfile_inline" not in said:
        said.setdefault("dockerfile", "Dockerfile")
    if isinstance(said, dict):
        said.setdefault("context", ".")
    return dict(said or {"context": "."})


def hook(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    """`post_start`, `pre_stop`, `pre_start`."""
    table = {
        "command": words, "user": text, "privileged": flag, "working_dir": text, "environment": mapping(live),
        "image": live, "per_replica": flag,
    }  # fmt: skip
    found = section(table, x=False)(ctx, node, path)
    rest = {key: plain(child) for key, child in node.map.items() if key not in table}
    if "command" not in found and "image" not in found:
        raise Unusable("a hook needs a command", "command: [sh, -c, …]")
    return {"command": [], **found, **({"rest": rest} if rest else {})}


def gpus(ctx: Context, node: Node, path: str) -> list[Any]:
    """`gpus`: `all`, or a list of requests."""
    return [{"count": -1}] if node.value == "all" else list(anything(ctx, node, path))


def files_of(ctx: Context, path: str) -> tuple[Any, str]:
    """A file or a tree of a config or secret, and why there is none."""
    return ctx.sources.files.tree(ctx.sources.path(path))


TOO_LARGE = f"larger than {MAX_FILE >> 20} MiB"
