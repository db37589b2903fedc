"""`ports`, `expose`: where a service answers outside the system, and where its peers call it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from tycho.chart.chart import ReportTarget
from tycho.chart.container import Expression, Ingress, ServicePort, Text
from tycho.chart.expressions import to_text
from tycho.chart.manifests import has_service
from tycho.chart.names import DNS_LABEL
from tycho.chart.translate.key_rule import KeyRule, Rows, Table, approximated, rejected, translated
from tycho.chart.translate.key_use import KeyUse, container, peers, published
from tycho.chart.workload_kind import tycho_extension
from tycho.model import Live, Service, template
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
    own, url = tycho_extension(service).get("ingress"), tycho_extension(service).get("url")
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
        has_url=url in ("keep", "strip"),
    )


CUT_OFF = "its Service has a fixed address, and answers only at the ports that are known"
NAMELESS = "a job without a known port has no Service"
MORE = "add ports with expose, or set x-tycho: {headless: true} to open all of them"
STRANGERS = "every pod can connect to a published port, also one that shares no network with the service"
FORWARD = "kubectl port-forward reaches it"
INSIDE = "it is bound to loopback, so it is not published outside"
WORDS = "Service <name>-published, and the Service that peers call"
NODES = (
    "a load balancer uses this port; without one, nodes use it only if it is in 30000-32767, else one that the"
    " cluster chooses"
)
EXPOSED = re.compile(r"(?P<first>[0-9]{1,5})(-(?P<last>[0-9]{1,5}))?(/(tcp|udp|sctp))?")


def assess_ports(use: KeyUse) -> Rows:
    """Assess ports that mean another thing in a cluster, each on its own."""
    if use.name in use.layout.enclosed:
        yield "", translated("nothing: all its networks are internal, so Docker publishes no port either")
        return
    inside = [bool(LOOPBACK.fullmatch(port.host_ip or "")) for port in use.value]
    for index, port in enumerate(use.value):
        at = f"[{index}]"
        if port.mode == "host":
            yield at, translated("hostPort", container(f"ports[{port.protocol}-{port.target}].hostPort"))
        elif inside[index] and not all(inside):
            yield at, approximated("port of the Service that peers call", INSIDE, FORWARD, peers())
        elif inside[index]:
            yield at, approximated("Service of type ClusterIP", INSIDE, FORWARD, published("spec.type"))
        elif port.host_ip and port.host_ip not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            why, remedy = "a Service has addresses of its own", "name clients in service metadata"
            yield at, approximated("published at every address", why, remedy, published())
        elif "-" in str(port.published or ""):
            live = isinstance(port.published, Live)
            words = "the first port" if live else f"port {str(port.published).partition('-')[0]}"
            yield at, approximated(words, "a Service has one port, not a range", "choose one port", published())
        elif port.name and not DNS_LABEL.fullmatch(port.name):
            why = f'"{port.name}" is not a DNS label'
            yield f"{at}.name", rejected(why, "use lower-case letters, digits and dashes")
    if use.value:
        yield "", translated(WORDS, find_ports, but=STRANGERS if _has_strangers(use) else "")


def _has_strangers(use: KeyUse) -> bool:
    """Tell whether another service is on none of a service's networks."""
    own = use.service.networks.keys()
    return bool(own) and any(networks and own.isdisjoint(networks) for networks in use.layout.attachments)


def find_ports(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the Services that have a service's ports, and the ports of its container."""
    yield from container("ports")(use)
    if use.container.published:
        yield from published()(use)
    if has_service(use.pod) and not use.pod.headless:
        yield from peers()(use)


def find_exposed(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the ports that peers call."""
    yield from container("ports")(use)
    if has_service(use.pod) and not use.pod.headless:
        yield from peers()(use)


def assess_expose(use: KeyUse) -> Rows:
    """Assess `expose`: ports, each alone or as a range."""
    for index, text in enumerate(use.value):
        match = EXPOSED.fullmatch(str(text).lower())
        if not match or not 1 <= int(match["first"]) <= int(match["last"] or match["first"]) <= 65535:
            yield f"[{index}]", rejected(f'"{text}" is not a port', 'write "80", "53/udp" or "8000-8010"')


def assess_calls(use: KeyUse) -> KeyRule | None:
    """Assess where peers can call a service: Compose lets every call through, a Service those at the ports it lists."""
    ports = use.pod.ports
    if not has_service(use.pod):
        return translated("nothing: no Service", but=NAMELESS, remedy="add expose: that gives it one")
    if use.pod.headless:
        return None
    words = f"peers can call it at {', '.join(str(port.number) for port in ports)}"
    places = tuple(peers(f"spec.ports[{port.name}]") for port in ports)
    if numbers := [str(port.number) for port in ports if port.guessed == "call"]:
        why = f"others call it at {', '.join(numbers)}, which the file does not expose"
        return approximated(words, why, f"write expose: {json.dumps(numbers)}", *places)
    return translated(words, *places, but=CUT_OFF, remedy=MORE)


KEYS: Table = {
    "ports": translated(WORDS, find_ports, assess=assess_ports),
    "ports[].target": translated("targetPort", published()),
    "ports[].published": translated(
        "port of the published Service (live)", published(), but=NODES, remedy="tycho status shows where"
    ),
    "ports[].protocol": translated("protocol", published()),
    "ports[].host_ip": approximated(
        "Service of type ClusterIP for loopback, else every address",
        "a Service has addresses of its own",
        "set services.X.service.type and loadBalancerSourceRanges",
        published(),
    ),
    "ports[].mode": translated("hostPort for host, where a policy lets it pass", container("ports")),
    "ports[].name": translated("name of the port", published()),
    "ports[].app_protocol": translated("appProtocol (live)", published()),
    "expose": translated("port of the Service that peers call", find_exposed, assess=assess_expose),
}
