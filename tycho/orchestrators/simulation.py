"""What would run of a chart, ready at once: services and their ports, as chart and values say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tycho.chart import Chart, list_references
from tycho.model.expression import evaluate
from tycho.model.numbers import is_digits
from tycho.release import CONN_STRING, WORKSPACE, Endpoint, ServiceStatus
from tycho.stored import merge_values
from tycho.suspension import is_paused, list_stopped
from tycho.urls import ANNOTATION

ADDRESS = "127.0.0.1"
NODE_PORTS = range(30000, 32768)
FIRST_PORT = NODE_PORTS.start


def simulate_services(chart: Chart, values: Mapping[str, Any], port: int) -> tuple[ServiceStatus, ...]:
    """Tell what would run, ready; ports are published as chart and values say."""
    variables = {name: str(value) for name, value in values.get("variables", {}).items() if value is not None}
    images = list_references(merge_values(chart.contents.defaults, values))
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
        still = "stopped" if name in list_stopped(values) else "paused" if is_paused(values) else ""
        replicas = 0 if still else values.get("services", {}).get(name, {}).get("replicas", 1)
        annotations = values.get("services", {}).get(name, {}).get("workloadAnnotations", {})
        statuses.append(
            ServiceStatus(
                name=name, kind="Deployment", ready=replicas, wanted=replicas, done=True, endpoints=endpoints,
                url=annotations.get(ANNOTATION, ""), image=images.get(name, ""), why=still,
                stopped=still == "stopped",
            )
        )  # fmt: skip
    return tuple(statuses)


def has_labels(chart: Chart, values: str, labels: Mapping[str, str]) -> bool:
    """Tell whether a service would have labels: those of the compose file, or of a caller."""
    merged = merge_values(chart.contents.defaults, json.loads(values))
    variables = {name: str(value) for name, value in (merged.get("variables") or {}).items() if value is not None}
    for service in (merged.get("services") or {}).values():
        written = {
            name: evaluate(str(text), variables)
            for part in (merged.get("defaults") or {}, service)
            for section in ("podAnnotations", "podLabels")
            for name, text in (part.get(section) or {}).items()
            if text is not None
        }
        if labels.items() <= written.items():
            return True
    return False


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
