"""`deploy.replicas`, `scale`, `deploy.update_config`, `deploy.placement`, `platform`."""

from __future__ import annotations

import math

from tycho.chart.container import Text
from tycho.chart.translate.text import to_number
from tycho.chart.workload import Strategy
from tycho.model import Service


def translate_replicas(service: Service) -> int | Text:
    """Translate how many pods there are."""
    replicas = service.deploy.replicas if service.deploy.replicas is not None else service.scale
    return 1 if replicas is None else to_number(replicas)


def translate_strategy(service: Service, kind: str, *, held: bool) -> Strategy:
    """Translate how pods are replaced."""
    update = service.deploy.update_config
    step = max(1, update.parallelism or 1)
    first = kind == "DaemonSet" or update.order == "stop-first"  # two pods of a node want the same ports
    surge, unavailable = (0, step) if first and update.order != "start-first" else (step, 0)
    return Strategy(held, surge, unavailable, math.ceil(update.delay or 0))


def translate_platform(service: Service) -> dict[str, str]:
    """Translate `platform` into labels of nodes."""
    if not service.platform:
        return {}
    system, _, machine = service.platform.partition("/")
    return {"kubernetes.io/os": system} | ({"kubernetes.io/arch": machine.split("/")[0]} if machine else {})
