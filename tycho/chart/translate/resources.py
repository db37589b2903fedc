"""`deploy.resources`, `cpus`, `mem_limit`, `mem_reservation`, `gpus`."""

from __future__ import annotations

from collections.abc import Mapping

from tycho.chart.container import Text
from tycho.chart.translate.text import to_cpu, to_memory
from tycho.model import Resource, Service

VENDORS = {"nvidia": "nvidia.com/gpu", "amd": "amd.com/gpu", "intel": "gpu.intel.com/i915"}
Amounts = Mapping[str, Text | int]


def translate_resources(service: Service) -> Mapping[str, Amounts]:
    """Translate into limits and requests: `deploy.resources`, and the older keys beside it."""
    limits = _amounts(service.deploy.resources.limits, service.cpus, service.mem_limit) | count_gpus(service)
    requests = _amounts(service.deploy.resources.reservations, None, service.mem_reservation)
    return {key: side for key, side in (("limits", limits), ("requests", requests)) if side}


def count_gpus(service: Service) -> dict[str, Text | int]:
    """Count the devices asked for, by the name that their vendor's plugin gives them."""
    counts: dict[str, int] = {}
    for device in (*service.gpus, *service.deploy.resources.reservations.devices):
        fields = device if isinstance(device, Mapping) else {}
        name = VENDORS.get(str(fields.get("driver") or "nvidia"), "nvidia.com/gpu")
        count = fields.get("count", len(fields.get("device_ids") or ()) or 1)
        counts[name] = counts.get(name, 0) + (count if isinstance(count, int) and count > 0 else 1)
    return {**counts}


def _amounts(side: Resource, cpus: float | None, memory: int | None) -> dict[str, Text | int]:
    cpus = side.cpus if side.cpus is not None else cpus
    memory = side.memory if side.memory is not None else memory
    amounts: dict[str, Text | int] = {}
    if cpus is not None and (quantity := to_cpu(cpus)):
        amounts["cpu"] = quantity
    if memory is not None and (quantity := to_memory(memory)):
        amounts["memory"] = quantity
    return amounts
