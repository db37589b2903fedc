"""A system on an engine as it is, and what has become of a start."""

from __future__ import annotations

from collections.abc import Sequence

from tycho.docker_cli import DockerCli
from tycho.errors import OrchestratorError, StartFailed
from tycho.orchestrators.docker import labels, records
from tycho.orchestrators.docker.containers import Container, describe_services, is_new
from tycho.orchestrators.docker.failures import explain_failure
from tycho.orchestrators.docker.records import Record, list_names
from tycho.progress import describe_failure
from tycho.release import Identity, Release, State

LOGGED = 5  # lines of what failed that an error shows


async def describe_system(docker: DockerCli, record: Record, containers: Sequence[Container]) -> Release:
    """Describe a system by its record and its containers."""
    paused = labels.PAUSED in record.labels and bool(containers)
    stopped, ran = list_names(record, labels.STOPPED), list_names(record, labels.PAUSED)
    made = {container["Config"]["Labels"].get(labels.SERVICE) for container in containers if is_new(container)}

    def tell_still(service: str) -> str:
        return "stopped" if service in stopped else "paused" if paused and service in (*ran, *made) else ""

    services = describe_services(containers, tell_still)
    logged = []
    for service in services:
        log: tuple[str, ...] = ()
        if service.fatal:
            log = await _read_last_lines(docker, service.name, containers)
        logged.append(service.model_copy(update={"log": log}) if log else service)
    volumes = [] if containers else await records.list_volumes(docker, record.identity)
    state: State = "paused" if paused else "deployed" if containers else "kept" if volumes else "lost"
    return Release(
        identity=record.identity,
        state=state,
        created=record.created,
        updated=record.updated,
        compose=record.labels.get(labels.COMPOSE, ""),
        policies=record.labels.get(labels.POLICIES, ""),
        services=tuple(logged),
        volumes=tuple(volumes),
        paused=paused,
    )


async def _read_last_lines(docker: DockerCli, service: str, containers: Sequence[Container]) -> tuple[str, ...]:
    """Read the last lines of the first container of a service that failed."""
    for container in containers:
        if container["Config"]["Labels"].get(labels.SERVICE) == service and container["State"]["ExitCode"]:
            completed = await docker.run(["docker", "logs", "--tail", str(LOGGED), container["Id"]])
            return tuple(completed.lines[-LOGGED:])
    return ()


def explain_start(release: Release, lines: Sequence[str]) -> Exception:
    """Make the error for a start that Docker Compose gave up: the service that failed, if one did.

    Args:
        release: The system as it is now.
        lines: The last lines that Docker Compose wrote.
    """
    error = explain_failure("up", lines)
    if type(error) is not OrchestratorError:
        return error
    hint = f"correct it and run `tycho up` again; `tycho logs {release.identity.name}` shows what was written"
    if message := describe_failure(release):
        logged = "".join(f"\n  {service.name}  {line}" for service in release.services for line in service.log)
        return StartFailed(message + logged, hint=hint)
    late = [service for service in release.services if not service.done]
    if not late:
        return error
    reasons = "; ".join(f"{service.name}: {service.why}" for service in late)
    return StartFailed(f"{release.identity.name} cannot start: {reasons}", hint=f"{error.message}\n{hint}")


def describe_changes(identity: Identity, before: Sequence[Container], after: Sequence[Container]) -> tuple[str, ...]:
    """Say which services went; or that no container is another one than before."""
    if before and {container["Id"] for container in before} == {container["Id"] for container in after}:
        return (f"{identity.name} is up to date",)
    old, new = (
        {container["Config"]["Labels"][labels.SERVICE] for container in containers} for containers in (before, after)
    )
    return tuple(f"{name}: removed" for name in sorted(old - new))
