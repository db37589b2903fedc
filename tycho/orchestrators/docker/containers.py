"""How far the services of a system are, by the state and the health of their containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from tycho.orchestrators.docker import labels
from tycho.orchestrators.docker.records import parse_time
from tycho.release import Endpoint, ServiceStatus
from tycho.settings import environment, settings
from tycho.text import printable

Container = Mapping[str, Any]
ANY = ("", "0.0.0.0", "::")  # noqa: S104 - what the engine writes for all of its addresses
LOCAL = "127.0.0.1"
SHOWN = 200  # characters of what a health check wrote


def describe_services(containers: Sequence[Container], still: Callable[[str], str]) -> tuple[ServiceStatus, ...]:
    """Describe the services of a system, by name.

    Args:
        containers: All of its containers, as the engine inspects them.
        still: Tells of a service why it stands still: "paused" or "stopped"; "" where it does not.
    """
    services: dict[str, list[Container]] = {}
    for container in containers:
        services.setdefault(container["Config"]["Labels"].get(labels.SERVICE, ""), []).append(container)
    described = (_describe(name, services[name]) for name in sorted(services))
    return tuple(_mark_still(service, still(service.name), services[service.name]) for service in described)


def _mark_still(service: ServiceStatus, state: str, containers: Sequence[Container]) -> ServiceStatus:
    """Describe a service that stands still: done as soon as none of its containers runs."""
    running = sum(map(is_running, containers))
    if not state:
        return service
    why = f"{state}; {running} container{'s' * (running > 1)} to end" if running else state
    changes = {"kind": "Container", "ready": 0, "wanted": 0, "why": why, "fatal": False, "done": not running,
               "stopped": state == "stopped"}  # fmt: skip
    return service.model_copy(update=changes)


def is_new(container: Container) -> bool:
    """Return whether a container was never started."""
    return bool(container["State"]["Status"] == "created")


def is_running(container: Container) -> bool:
    """Return whether a container runs, or is being started again."""
    return bool(container["State"]["Running"] or container["State"].get("Restarting"))


def _describe(name: str, containers: Sequence[Container]) -> ServiceStatus:
    reasons = {container["Id"]: _explain(container) for container in containers}
    late = [container for container in containers if reasons[container["Id"]] is not None]
    ended = all(container["State"]["Status"] == "exited" for container in containers)
    done = not late
    endpoints = {endpoint: None for container in containers for endpoint in _list_endpoints(name, container)}
    host = containers[0]["HostConfig"]
    limits = {
        "cpu": f"{host['NanoCpus'] / 1e9:g}" if host.get("NanoCpus") else "",
        "memory": str(host["Memory"]) if host.get("Memory") else "",
    }
    return ServiceStatus(
        name=name,
        kind="Job" if done and ended else "Container",
        ready=len(containers) - len(late),
        wanted=len(containers),
        restarts=sum(container.get("RestartCount", 0) for container in containers),
        endpoints=tuple(endpoints),
        why=(reasons[late[0]["Id"]] or "") if late else "",
        fatal=any(_is_fatal(container) for container in late),
        done=done,
        limits={key: amount for key, amount in limits.items() if amount},
        image=str(containers[0]["Config"].get("Image", "")),
    )


def has_labels(containers: Sequence[Container], labels: Mapping[str, str]) -> bool:
    """Tell whether one of these containers has labels."""
    return any(labels.items() <= container["Config"]["Labels"].items() for container in containers)


def _explain(container: Container) -> str | None:
    """Say why a container is not ready; None where it is, or has done its work."""
    state = container["State"]
    status = state["Status"]
    if state.get("Restarting"):
        return f"restarting: exit {state['ExitCode']}"
    if status == "running":
        return _explain_health(state)
    if status == "exited":
        return f"exit {state['ExitCode']}" if state["ExitCode"] or _is_restarted(container) else None
    if status == "created":
        if state.get("Error"):
            return printable(str(state["Error"]))[:SHOWN]
        written = container["Config"]["Labels"].get(labels.DEPENDS_ON, "")
        others = sorted(entry.partition(":")[0] for entry in written.split(",") if entry)
        return f"waiting for {', '.join(others)}" if others else "not started"
    return str(status)


def _explain_health(state: Mapping[str, Any]) -> str | None:
    health = state.get("Health") or {}
    match health.get("Status", "none"):
        case "healthy":
            return None
        case "starting":
            return "not healthy yet"
        case "unhealthy":
            output = str((health.get("Log") or [{}])[-1].get("Output", "")).strip()
            return f"unhealthy: {printable(output)[:SHOWN]}" if output else "unhealthy"
    started = parse_time(state.get("StartedAt", ""))
    quiet = started and (datetime.now(UTC) - started).total_seconds() >= settings().quiet_time
    return None if quiet else "just started"


def _is_restarted(container: Container) -> bool:
    """Return whether the engine starts a container again whatever it ended with."""
    return container["HostConfig"]["RestartPolicy"]["Name"] in ("always", "unless-stopped")


def _is_fatal(container: Container) -> bool:
    """Return whether a container has failed, and nobody starts it again."""
    state = container["State"]
    ended = state["Status"] == "exited" and bool(state["ExitCode"]) and not state.get("Restarting")
    return (ended and not _is_restarted(container)) or bool(state["Status"] == "created" and state.get("Error"))


def _list_endpoints(name: str, container: Container) -> list[Endpoint]:
    """List where a container's ports are published on the engine's machine."""
    host = urlsplit(environment().get("DOCKER_HOST", "")).hostname
    endpoints = []
    for key, bindings in sorted((container["NetworkSettings"].get("Ports") or {}).items()):
        target = int(key.partition("/")[0])
        for binding in bindings or ():
            port, address = int(binding["HostPort"]), binding["HostIp"]
            if address == "::" and any(other["HostIp"] == "0.0.0.0" for other in bindings):  # noqa: S104
                continue
            where = (host or LOCAL) if address in ANY else address
            endpoints.append(Endpoint(service=name, ip_address=where, port=port, target=target, published=port))
    return endpoints
