"""`ports`: each entry is one port or, for a range, several.

Source: Compose Specification, "ports"; docker/go-connections.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from tycho.compose.attribute import Convert, LongForm
from tycho.compose.context import Context, InvalidValue
from tycho.compose.converters import convert_entries
from tycho.compose.filesystem import InMemoryFileSystem
from tycho.compose.interpolation import split
from tycho.compose.sources import Sources
from tycho.compose.yaml_nodes import YamlNode, from_python
from tycho.model import Expr
from tycho.model.numbers import shorten

HINT = 'write "host:container", for example "8080:80"'
PROTOCOLS = ("tcp", "udp", "sctp")
Port = dict[str, Any]
MAX_PORTS = 20_000  # of all services together, ranges written out


def convert_ports(long: Convert) -> Convert:
    """Convert `ports` of a service; of two entries for one port the later counts.

    Args:
        long: Converts an entry in long syntax.
    """

    def convert_entry(ctx: Context, node: YamlNode, path: str) -> list[Port]:
        if isinstance(node.value, dict):
            return _convert_long(ctx, node, path, long)
        if isinstance(node.value, float):
            raise InvalidValue(f'"{node.value}" is not a port: invalid type float64 for port', HINT)
        return _convert_short(ctx, node, path)

    def convert(ctx: Context, node: YamlNode, path: str) -> list[Port]:
        ports: dict[tuple[Any, ...], Port] = {}
        for entry in convert_entries(ctx, node, path, convert_entry):
            for port in entry:
                host_ip = port.get("host_ip", "0.0.0.0")  # noqa: S104
                ports[(host_ip, str(port.get("published")), port["target"], port["protocol"])] = port
        return list(ports.values())

    return convert


def long_ports(long: Convert) -> LongForm:
    """Write ports in long syntax, unless a variable stands in the way."""
    convert = convert_ports(long)

    def write(node: YamlNode) -> YamlNode:
        ctx = Context(Sources(texts=(), directory="", env={}, files=InMemoryFileSystem()), {})
        ports = convert(ctx, node, "ports")
        return node if ctx.problems else from_python(ports, node)

    return write


def _convert_long(ctx: Context, node: YamlNode, path: str, long: Convert) -> list[Port]:
    known = len(ctx.problems)
    port = long(ctx, node, path)
    if "target" in port:
        if not _has_room(ctx, 1):
            return []
        return [{"protocol": "tcp", "mode": "ingress", **port}]
    target = f"{path}.target"
    if target in ctx.known_problem_paths or any(problem.path == target for problem in ctx.problems[known:]):
        return []
    raise InvalidValue(f"service ports {path} is missing a target port", "write target: 80")


def _convert_short(ctx: Context, node: YamlNode, path: str) -> list[Port]:
    text = node.value if isinstance(node.value, str) else str(node.value)
    *hosts, container = _split_parts(text)
    container, *protocol = split(container, "/")
    kind = str(protocol[0] or "tcp").lower() if protocol else "tcp"
    if not container:
        raise InvalidValue(f"no port specified: {text}<empty>", HINT)
    targets = _parse_range(container, text, "containerPort")
    if not targets[0]:
        raise InvalidValue(f"service ports {path} is missing a target port", HINT)
    published = hosts[-1] if hosts else ""
    between = _parse_range(published, text, "hostPort") if published else range(0)
    host_ip = ":".join(hosts[:-1])
    if host_ip:
        host_ip = host_ip.removeprefix("[").removesuffix("]")
        _check_address(host_ip, text)
    if between and len(targets) > 1 and len(between) != len(targets):
        raise InvalidValue(f"invalid ranges specified for container and host Ports: {container} and {published}", HINT)
    if kind not in PROTOCOLS:
        raise InvalidValue(f'"{text}" is not a port: invalid proto: {protocol[0]}', "write tcp, udp or sctp")
    if not _has_room(ctx, len(targets)):
        return []
    is_live = isinstance(published, Expr) and len(targets) == 1 and len(between) <= 1
    _record_variables(
        ctx, node, path, text, [container, *protocol, *hosts[:-1], *([] if is_live else [published])], published
    )
    common: Port = {"protocol": kind, "mode": "ingress", **({"host_ip": host_ip} if host_ip else {})}
    if is_live or (between and len(targets) == 1):
        numbers = "-".join(map(str, dict.fromkeys((*between[:1], *between[-1:]))))
        numbers = Expr(numbers, published.template) if is_live and isinstance(published, Expr) else numbers
        return [{"target": targets[0], "published": numbers, **common}]
    if between:
        return [{"target": a, "published": str(b), **common} for a, b in zip(targets, between, strict=True)]
    return [{"target": target, **common} for target in targets]


def _has_room(ctx: Context, count: int) -> bool:
    """Count ports before a range is written out; report once that there is no room."""
    full = ctx.ports > MAX_PORTS
    ctx.ports += count
    if full or ctx.ports <= MAX_PORTS:
        return not full
    message = f"more than {MAX_PORTS} ports in one project: a release must hold each of them"
    raise InvalidValue(message, "publish the ports that are called, and no whole ranges")


def _record_variables(ctx: Context, node: YamlNode, path: str, text: str, decided: list[str], published: str) -> None:
    """Record the variables of a short port: that of the published side stays open, the others are decided now."""
    if not isinstance(text, Expr):
        return
    expressions = [part.template for part in decided if isinstance(part, Expr)]
    if isinstance(published, Expr) and not any(part is published for part in decided):
        ctx.record_variables(node, path, published.template, live=True)
    elif not expressions:
        expressions = [text.template]
    for expression in expressions:
        ctx.record_variables(node, path, expression, live=False)


def _split_parts(body: str) -> list[str]:
    if match := re.match(r"(\[[^\]]*\]):", body):
        return [match[1], *split(body[match.end() :], ":")]
    return split(body, ":")


def _parse_range(text: str, whole: str, what: str) -> range:
    ends = str(text).split("-", 2)[:2]
    numbers = [int(end[-5:]) for end in ends if re.fullmatch(r"0*\d{1,5}", end, re.ASCII) and int(end[-5:]) < 65536]
    if len(numbers) != len(ends) or numbers[0] > numbers[-1]:
        raise InvalidValue(f'"{shorten(whole)}" is not a port: invalid {what}: {shorten(text)}', HINT)
    return range(numbers[0], numbers[-1] + 1)


def _check_address(text: str, whole: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise InvalidValue(f'"{whole}" is not a port: invalid ip address: {text}', HINT) from None
