"""How Kubernetes is told whether a container is ready: `healthcheck`, or `x-tycho.readinessProbe` in its place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from tycho.chart.kinds import said
from tycho.chart.yaml import Tree
from tycho.model import Healthcheck, Json, Service, template

ACTIONS: Mapping[str, Mapping[str, type]] = {
    "httpGet": {"path": str, "port": int, "scheme": str},
    "tcpSocket": {"port": int},
    "grpc": {"port": int, "service": str},
}
"""What a probe may do besides running a program. None of them names a host: a probe asks its own pod."""
LEAST = {
    "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 1, "successThreshold": 1, "initialDelaySeconds": 0
}  # fmt: skip
"""A probe's numbers, and the least that each may be."""
KEY = "readinessProbe"  # of x-tycho
PROBE = "{httpGet: {path: /ready, port: 8080}, periodSeconds: 5}"


def is_probe(value: Json) -> bool:
    """Tell whether a value is a probe in Kubernetes' words: one action, and times if they are given."""
    if not isinstance(value, Mapping):
        return False
    actions = set(value) - set(LEAST)
    return (
        len(actions) == 1
        and all(name in ACTIONS and _is_action(value[name], ACTIONS[name]) for name in actions)
        and all(_is_whole(value[name], least) for name, least in LEAST.items() if name in value)
    )


def _is_action(value: Json, fields: Mapping[str, type]) -> bool:
    if not isinstance(value, Mapping) or not set(value) <= set(fields) or not _is_whole(value.get("port"), 1, 65535):
        return False
    scheme = value.get("scheme", "HTTP")
    return scheme in ("HTTP", "HTTPS") and all(isinstance(value[key], fields[key]) for key in value)


def _is_whole(value: Json, least: int, most: int = 2**31 - 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def probes(service: Service) -> Iterator[tuple[str, Tree]]:
    """Translate into readiness: Compose never restarts a container for its health.

    Yields:
        `startupProbe` and `readinessProbe`, as far as there are such, as Kubernetes has them.
    """
    if own := said(service).get(KEY):
        yield "readinessProbe", dict(own) if isinstance(own, Mapping) else {}
        return
    check = service.healthcheck
    command = _command(check) if check else None
    if check is None or not command:
        return
    every: dict[str, Tree] = {"exec": {"command": command}}
    period = check.interval if check.interval is not None else 30
    timeout = _seconds(check.timeout if check.timeout is not None else 30)
    if check.start_interval is not None:
        # It ends with the first success; until then it may fail for ever, for nothing is restarted for its health.
        yield "startupProbe", every | {
            "periodSeconds": _seconds(check.start_interval), "timeoutSeconds": timeout, "failureThreshold": 2147483647
        }  # fmt: skip
    ready = every | {"periodSeconds": _seconds(period), "timeoutSeconds": timeout}
    ready["failureThreshold"] = check.retries or 3
    yield "readinessProbe", ready


def _command(check: Healthcheck) -> list[Tree]:
    if check.disable or not check.test:
        return []
    match check.test[0], check.test[1:]:
        case "CMD", words:
            return [template(word) for word in words]
        case "CMD-SHELL", words:
            return ["/bin/sh", "-c", *(template(word) for word in words)]
        case _:
            return []


def _seconds(number: float) -> int:
    return max(1, math.ceil(number))
