"""What would run of a chart, ready at once: services and their ports, as chart and values say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tycho.chart import Chart
from tycho.model.expression import evaluate
from tycho.model.numbers import is_digits
from tycho.release import CONN_STRING, WORKSPACE, Endpoint, ServiceStatus
from tycho.urls import ANNOTATION

ADDRESS = "127.0.0.1"
NODE_PORTS = range(30000, 32768)
FIRST_PORT = NODE_PORTS.start


def simulate_services(chart: Chart, values: Mapping[str, Any], port: int) -> tuple[ServiceStatus, ...]:
    """Tell what would run, ready; ports are published as chart and values say."""
    variables = {name: str(value) for name, value in values.get("variables", {}).items() if value is not None}
    statuses = []
    for name in chart.contents.services:
        ports = [
            (_read_port(published, variables) or target, target)
            for published, target in _list_published(chart, values, name)
        ]
        endpoints = tuple(
            Endpoint(
                service=name,
                ip_address=ADDRESS,
                port=published if published in NODE_PORTS else port + place,
                target=target,
                published=published,
            )
            for place, (published, target) in enumerate(ports)
        )
        port += len(endpoints)
        replicas = values.get("services", {}).get(name, {}).get("replicas", 1)
        annotations = values.get("services", {}).get(name, {}).get("workloadAnnotations", {})
        statuses.append(
            ServiceStatus(
                name=name, kind="Deployment", ready=replicas, wanted=replicas, done=True, endpoints=endpoints,
                url=annotations.get(ANNOTATION, ""),
            )
        )  # fmt: skip
    return tuple(statuses)


def find_names(chart: Chart, values: Mapping[str, Any]) -> tuple[str, str]:
    """Find what a portal calls a system, and how a program connects to it; "" for what is not said."""
    workspace = str(((values.get("defaults") or {}).get("podLabels") or {}).get(WORKSPACE, ""))
    services = chart.contents.defaults["services"].values()
    annotations = [service.get("workloadAnnotations") or {} for service in services]
    return workspace, next((str(notes[CONN_STRING]) for notes in annotations if CONN_STRING in notes), "")


def _list_published(chart: Chart, values: Mapping[str, Any], name: str) -> list[tuple[int | str, int]]:
    """List published and target ports of a service: those of the chart, as far as the values do not say otherwise."""
    service = values.get("services", {}).get(name, {}).get("service", {})
    ports: dict[str, Any] = {**chart.contents.published.get(name, {})}
    if "ports" in service and service["ports"] is None:
        return []
    for key, entry in service.get("ports", {}).items():
        ports[key] = entry and (entry["port"], entry["targetPort"])
    return [pair for pair in ports.values() if pair]


def _read_port(port: int | str, env: Mapping[str, str]) -> int:
    """Read a published port, which may be an expression; 0 where the cluster is to choose."""
    text = evaluate(str(port), env)
    return int(text) if is_digits(text) else 0
