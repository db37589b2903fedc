"""`ports`: where a service answers outside the system."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tycho.chart.container import Expression, Ingress, ServicePort, Text
from tycho.chart.kinds import said
from tycho.chart.translate.text import to_text
from tycho.model import Service, template
from tycho.model.numbers import is_digits

LOOPBACK = re.compile(r"127\..*|::1|\[::1\]|localhost")
NODE_PORTS = range(30000, 32768)
"""What a cluster gives to nodes by default: a published port among these is asked for as it is."""


def translate_ports(service: Service) -> tuple[tuple[ServicePort, ...], str]:
    """Translate into ports of a Service, and its type: ClusterIP where all are bound to loopback, else ""."""
    inside = [bool(LOOPBACK.fullmatch(port.host_ip or "")) for port in service.ports]
    ports: dict[str, ServicePort] = {}
    slots: set[tuple[str, str, int]] = set()
    for port, loopback in zip(service.ports, inside, strict=True):
        number = _published(to_text(port.published), port.target)
        slot = (str(number), port.protocol, port.target)
        if (loopback and not all(inside)) or port.mode == "host" or slot in slots:
            continue  # a slot that is there already is one port at two addresses of the host
        slots.add(slot)
        name = base = port.name or f"{port.protocol}-{port.target}"
        count = 2
        while name in ports:
            name, count = f"{base}-{count}", count + 1
        node_port = number if isinstance(number, int) and number in NODE_PORTS else 0
        protocol = port.protocol.upper()
        ports[name] = ServicePort(name, number, port.target, protocol, node_port, _protocol(port.app_protocol))
    return tuple(ports.values()), "ClusterIP" if ports and all(inside) else ""


def _protocol(value: str | None) -> Text:
    """Convert an application protocol: with a dollar sign it is one that the chart expands."""
    text = "" if value is None else template(value)
    return Expression(text) if "$" in text else text


def _published(text: Text, target: int) -> int | Text:
    if isinstance(text, Expression):
        return text
    first = text.partition("-")[0]
    return (int(first) if is_digits(first) else 0) or target  # 0: any port will do


def translate_ingress(service: Service, common: Mapping[str, object], annotations: Mapping[str, str]) -> Ingress | None:
    """Translate into where an Ingress leads: what `x-tycho: {ingress: …}` says, else the first published TCP port.

    Args:
        service: The service.
        common: What the file says of every Ingress: className, tls.
        annotations: Of every Ingress, as far as they are allowed.
    """
    port = next((port.target for port in service.ports if port.protocol == "tcp"), 0)
    own = said(service).get("ingress")
    if not isinstance(own, Mapping) and not port:
        return None
    fields = own if isinstance(own, Mapping) else {}
    host = str(fields.get("host") or "")
    return Ingress(
        port=int(fields.get("port") or port or 80),
        path=str(fields.get("path") or "/"),
        hosts=(host,) if host else (),
        enabled=isinstance(own, Mapping),
        class_name=str(common.get("className") or ""),
        annotations=annotations,
        tls=tuple(common.get("tls") or ()),  # type: ignore[arg-type]
    )
