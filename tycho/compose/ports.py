"""`ports`: each entry one port or, for a range, several; of two for one thing the later stays.

Source: Compose Specification, "ports"; docker/go-connections.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from tycho.compose.context import Context, Unusable
from tycho.compose.converters import count, each, live, section, text
from tycho.compose.interpolation import split
from tycho.compose.yaml_nodes import Node
from tycho.model import Expr
from tycho.model.numbers import shorten

HINT = 'write "host:container", for example "8080:80"'
PROTOCOLS = ("tcp", "udp", "sctp")
MAX_PORTS = 20_000  # of all services together, ranges written out


def ports(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    """`ports` of a service."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for entry in each(ctx, node, path, _port):
        for port in entry:
            host = port.get("host_ip", "0.0.0.0")  # noqa: S104
            found[(host, str(port.get("published")), port["target"], port["protocol"])] = port
    return list(found.values())


def _port(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    if isinstance(node.value, dict):
        return _long(ctx, node, path)
    if isinstance(node.value, float):
        raise Unusable(f'"{node.value}" is not a port: invalid type float64 for port', HINT)
    return _short(ctx, node, path)


LONG = section({
    "name": text, "mode": text, "host_ip": text, "target": count, "published": live, "protocol": text,
    "app_protocol": live,
})  # fmt: skip


def _long(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    known = len(ctx.problems)
    found = LONG(ctx, node, path)
    if "target" in found:
        if not _has_room(ctx, 1):
            return []
        return [{"protocol": "tcp", "mode": "ingress", **found}]
    target = f"{path}.target"
    if target in ctx.wrong_before or any(problem.path == target for problem in ctx.problems[known:]):
        return []
    raise Unusable(f"service ports {path} is missing a target port", "target: 80")


def _short(ctx: Context, node: Node, path: str) -> list[dict[str, Any]]:
    said = node.value if isinstance(node.value, str) else str(node.value)
    *hosts, container = _parts(said)
    container, *protocol = split(container, "/")
    kind = str(protocol[0] or "tcp").lower() if protocol else "tcp"
    if not container:
        raise Unusable(f"no port specified: {said}<empty>", HINT)
    targets = _range(container, said, "containerPort")
    if not targets[0]:
        raise Unusable(f"service ports {path} is missing a target port", HINT)
    published = hosts[-1] if hosts else ""
    between = _range(published, said, "hostPort") if published else range(0)
    host_ip = ":".join(hosts[:-1])
    if host_ip:
        host_ip = host_ip.removeprefix("[").removesuffix("]")
        _address(host_ip, said)
    if between and len(targets) > 1 and len(between) != len(targets):
        raise Unusable(f"invalid ranges specified for container and host Ports: {container} and {published}", HINT)
    if kind not in PROTOCOLS:
        raise Unusable(f'"{said}" is not a port: invalid proto: {protocol[0]}', "tcp, udp or sctp")
    if not _has_room(ctx, len(targets)):
        return []
    is_live = isinstance(published, Expr) and len(targets) == 1 and len(between) <= 1
    _read(ctx, node, path, said, [container, *protocol, *hosts[:-1], *([] if is_live else [published])], published)
    common: dict[str, Any] = {"protocol": kind, "mode": "ingress", **({"host_ip": host_ip} if host_ip else {})}
    if is_live or (between and len(targets) == 1):
        shown = "-".join(map(str, dict.fromkeys((*between[:1], *between[-1:]))))
        shown = Expr(shown, published.template) if is_live and isinstance(published, Expr) else shown
        return [{"target": targets[0], "published": shown, **common}]
    if between:
        return [{"target": a, "published": str(b), **common} for a, b in zip(targets, between, strict=True)]
    return [{"target": one, **common} for one in targets]


def _has_room(ctx: Context, count: int) -> bool:
    """Count ports before a range is written out; whether there is room is told once."""
    full = ctx.ports > MAX_PORTS
    ctx.ports += count
    if full or ctx.ports <= MAX_PORTS:
        return not full
    message = f"more than {MAX_PORTS} ports in one project: a release must hold each of them"
    raise Unusable(message, "publish the ports that are called, and no whole ranges")


def _read(ctx: Context, node: Node, path: str, said: str, decided: list[str], published: str) -> None:
    """Note the variables of a short port: that of the published side is live, the others are decided now."""
    if not isinstance(said, Expr):
        return
    baked = [part.template for part in decided if isinstance(part, Expr)]
    if isinstance(published, Expr) and not any(part is published for part in decided):
        ctx.reads(node, path, published.template, live=True)
    elif not baked:
        baked = [said.template]
    for template in baked:
        ctx.reads(node, path, template, live=False)


def _parts(body: str) -> list[str]:
    if found := re.match(r"(\[[^\]]*\]):", body):
        return [found[1], *split(body[found.end() :], ":")]
    return split(body, ":")


def _range(said: str, whole: str, what: str) -> range:
    ends = str(said).split("-", 2)[:2]
    numbers = [int(end[-5:]) for end in ends if re.fullmatch(r"0*\d{1,5}", end, re.ASCII) and int(end[-5:]) < 65536]
    if len(numbers) != len(ends) or numbers[0] > numbers[-1]:
        raise Unusable(f'"{shorten(whole)}" is not a port: invalid {what}: {shorten(said)}', HINT)
    return range(numbers[0], numbers[-1] + 1)


def _address(said: str, whole: str) -> None:
    try:
        ipaddress.ip_address(said)
    except ValueError:
        raise Unusable(f'"{whole}" is not a port: invalid ip address: {said}', HINT) from None
