"""`deploy.resources`, `cpus`, `mem_limit`, `mem_reservation`, `gpus`, and what else bounds a container."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter

from tycho.chart.chart import ReportTarget
from tycho.chart.container import Text
from tycho.chart.expressions import SIZE, to_cpu, to_memory
from tycho.chart.translate.key_rule import (
    Assess,
    KeyRule,
    Rows,
    Table,
    approximated,
    ignored,
    read_fields,
    rejected,
    translated,
    whole,
)
from tycho.chart.translate.key_use import Field, KeyUse, container
from tycho.chart.yaml_writer import YamlValue
from tycho.model import Json, Live, Service

VENDORS = {"nvidia": "nvidia.com/gpu", "amd": "amd.com/gpu", "intel": "gpu.intel.com/i915"}
Amounts = Mapping[str, Text | int]

NODE = "it is a setting of the node, not of a container"
SHARES = 1024  # of a processor: Docker's default, and what Kubernetes makes of a requested one
PERIOD = 100_000  # microseconds; Docker's default
TURNS = "Kubernetes uses a period of 100 ms; the share of time is the same"
CPU = "a busy node divides its processors by the requests, or else by the limits"
SWAP = "there is no swap beside it"
SOFT = "it decides on which node a pod runs, and does not limit the container"
LIMITS = "Kubernetes has only limits and requests of processors and memory"


def translate_resources(service: Service) -> Mapping[str, Amounts]:
    """Translate into limits and requests."""
    sides: dict[str, dict[str, Text | int]] = read_fields(KEYS, service, "container").get("resources", {})  # type: ignore[assignment]
    if devices := count_gpus(service):
        sides["limits"] = {**sides.get("limits", {}), **devices}
    return {key: sides[key] for key in ("limits", "requests") if key in sides}


def count_gpus(service: Service) -> dict[str, Text | int]:
    """Count the devices asked for, by the name that their vendor's plugin gives them."""
    counts: dict[str, int] = {}
    for device in (*service.gpus, *service.deploy.resources.reservations.devices):
        fields = device if isinstance(device, Mapping) else {}
        name = VENDORS.get(str(fields.get("driver") or "nvidia"), "nvidia.com/gpu")
        count = fields.get("count", len(fields.get("device_ids") or ()) or 1)
        counts[name] = counts.get(name, 0) + (count if isinstance(count, int) and count > 0 else 1)
    return {**counts}


def read_quota(service: Service) -> YamlValue:
    """Read a number of processors from the time that a container has of each period; None where nothing bounds it."""
    quota, period = (int(value or 0) for value in (service.cpu_quota, service.cpu_period))
    return to_cpu(max(round(quota / (period or PERIOD), 3), 0.001)) if quota > 0 else None


def assess_quota(use: KeyUse) -> Rows:
    """Assess a quota and its period: they mean something together, where `cpus` says nothing."""
    service = use.service
    if service.cpus or service.deploy.resources.limits.cpus:
        yield "", ignored("cpus counts", "remove it")
    elif read_quota(service) is None:
        yield "", translated("nothing: without cpu_quota there is no limit")


def read_shares(service: Service) -> YamlValue:
    """Read the weight of a container as processors, as Kubernetes makes weights of these; at most the limit.

    Returns:
        None where nothing is said, or where a variable decides the limit: it might be lower.
    """
    limit, shares = _find_limit(service), int(service.cpu_shares or 0)
    if shares <= 0 or isinstance(limit, Live):
        return None
    processors = max(round(shares / SHARES, 3), 0.001)
    return to_cpu(min(processors, limit) if limit else processors)


def _find_limit(service: Service) -> float | None:
    """Find how many processors a service may use; None for any number."""
    limit = service.deploy.resources.limits.cpus or service.cpus
    if not limit and service.cpu_quota:
        return int(service.cpu_quota) / int(service.cpu_period or PERIOD)
    return limit


def assess_shares(use: KeyUse) -> Rows:
    """Assess a weight: processors that are reserved say it, too."""
    if use.service.deploy.resources.reservations.cpus:
        yield "", ignored("deploy.resources.reservations.cpus counts", "remove it")
    elif not use.service.cpu_shares:
        yield "", translated("nothing: it is the default")
    elif read_shares(use.service) is None:
        yield "", ignored("a variable decides the limit, which it may not exceed", "set reservations.cpus")


def assess_reserved(use: KeyUse) -> Rows:
    """Assess what is asked for: it is within the limit, as far as both are known."""
    limits, service = use.service.deploy.resources.limits, use.service
    limit = {int: limits.memory or service.mem_limit, float: limits.cpus or service.cpus}[
        float if isinstance(use.value, float) else int
    ]
    if limit and use.value > limit and not isinstance(limit, Live) and not isinstance(use.value, Live):
        yield "", rejected("it is more than the limit", "reserve at most as much as the limit")


def read_storage(size: Json) -> YamlValue:
    """Read how much a container may write beside its volumes; None where that is said of nothing."""
    return to_memory(str(size)) if size and SIZE.fullmatch(str(size)) else None


def assess_storage(use: KeyUse) -> Rows:
    """Assess options of a container's own files: their size, and what else the engine's driver may take."""
    size = use.value.get("size", "")
    if size and not SIZE.fullmatch(str(size)):
        yield ".size", rejected(f'"{size}" is not a size', "write 10g")
    for name in sorted(set(use.value) - {"size"}):
        yield f".{name}", ignored(NODE, "remove it")
    if size:
        yield "", KEYS["storage_opt"]


def find_gpus(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the limits of devices."""
    for name in count_gpus(use.service):
        yield from container(f"resources.limits[{name}]")(use)


def assess_gpus(use: KeyUse) -> Rows:
    """Assess devices: they are counted, not chosen."""
    for index, device in enumerate(use.value):
        fields = device if isinstance(device, Mapping) else {}
        if fields.get("device_ids"):
            why = "a device plugin chooses them"
            yield f"[{index}].device_ids", approximated("as many devices", why, "write count", find_gpus)
        elif fields.get("count") in ("all", -1) or (not fields.get("count") and not fields.get("device_ids")):
            why = "a pod cannot request all devices of a node"
            yield f"[{index}].count", approximated("1 device", why, "set count", find_gpus)


def _amount(
    key: str, convert: Callable[..., Text], place: Field, but: str, assess: Assess | None = None
) -> tuple[str, KeyRule]:
    """Make the entry of a key that is a limit or a request as it stands."""
    read = attrgetter(key)
    words = f"{place.path} (live)"
    return key, translated(words, place, assess=assess, read=lambda service: convert(read(service)), but=but)


_CPU_LIMIT, _CPU_REQUEST = container("resources.limits.cpu"), container("resources.requests.cpu")
_MEMORY_LIMIT, _MEMORY_REQUEST = container("resources.limits.memory"), container("resources.requests.memory")
KEYS: Table = {
    "cpu_shares": approximated(
        "resources.requests.cpu",
        "a node reserves this amount; if no node has it free, the pod waits",
        "set deploy.resources.reservations.cpus, or remove it",
        _CPU_REQUEST,
        assess=assess_shares,
        read=read_shares,
    ),
    "cpu_quota": translated(
        "resources.limits.cpu", _CPU_LIMIT, assess=assess_quota, read=read_quota, but=f"{TURNS}; {CPU}"
    ),
    "cpu_period": translated("resources.limits.cpu, with cpu_quota", _CPU_LIMIT, assess=assess_quota),
    **dict(
        (
            _amount("cpus", to_cpu, _CPU_LIMIT, CPU),
            _amount("mem_limit", to_memory, _MEMORY_LIMIT, SWAP),
            _amount("mem_reservation", to_memory, _MEMORY_REQUEST, SOFT, assess_reserved),
            _amount("deploy.resources.limits.cpus", to_cpu, _CPU_LIMIT, CPU),
            _amount("deploy.resources.limits.memory", to_memory, _MEMORY_LIMIT, SWAP),
            ("deploy.resources.limits.pids", ignored(NODE, "set podPidsLimit of the kubelet")),
            _amount("deploy.resources.reservations.cpus", to_cpu, _CPU_REQUEST, CPU, assess_reserved),
            _amount("deploy.resources.reservations.memory", to_memory, _MEMORY_REQUEST, SOFT, assess_reserved),
        )
    ),
    "deploy.resources.reservations.generic_resources": whole(
        ignored("Swarm's resources have no names here", "set services.X.resources.limits")
    ),
    "deploy.resources.reservations.devices": whole(
        translated("resources.limits, by the vendor's name", find_gpus, assess=assess_gpus)
    ),
    "gpus": whole(translated("resources.limits, by the vendor's name", find_gpus, assess=assess_gpus)),
    "mem_swappiness": ignored(NODE, "remove it"),
    "memswap_limit": ignored("pods have no swap of their own", "set mem_limit"),
    "pids_limit": ignored(NODE, "set podPidsLimit of the kubelet"),
    "cpu_count": ignored(LIMITS, "set cpus"),
    "cpu_percent": ignored(LIMITS, "set cpus"),
    "cpu_rt_period": ignored(LIMITS, "set cpus"),
    "cpu_rt_runtime": ignored(LIMITS, "set cpus"),
    "cpuset": ignored("the node chooses processors", "ask for whole cpus, with a static CPU manager"),
    "oom_kill_disable": ignored("memory beyond the limit always ends the container", "set no mem_limit"),
    "oom_score_adj": ignored("Kubernetes derives it from requests and limits", "set deploy.resources"),
    "storage_opt": whole(
        approximated(
            "resources.limits.ephemeral-storage",
            "a pod that writes more is evicted and replaced; in Docker the write fails",
            "keep growing data in a volume",
            container("resources.limits.ephemeral-storage"),
            assess=assess_storage,
            read=lambda service: read_storage((service.storage_opt or {}).get("size")),
        )
    ),
    "blkio_config": whole(ignored(NODE, "choose a faster storage class")),
    "ulimits": whole(ignored("they are set for the node's runtime", "set them in the image's entrypoint, or on nodes")),
}
