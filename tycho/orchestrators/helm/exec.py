"""Running a program in a container of a service."""

from __future__ import annotations

from collections.abc import Sequence

from tycho import kinds
from tycho.errors import NotFound
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.kube.remote_command import run_command
from tycho.orchestrators import ExecRequest, Streams
from tycho.orchestrators.helm.restart import list_workloads
from tycho.orchestrators.helm.services import check_services, select_containers
from tycho.orchestrators.helm.workloads import INSTANCE
from tycho.release import Identity


async def execute(api: KubeClient, identity: Identity, service: str, program: ExecRequest, streams: Streams) -> int:
    """Run a program in a container of a service.

    Args:
        api: The cluster.
        identity: Which system.
        service: Which service of it.
        program: What to run.
        streams: What it reads from and writes to.

    Returns:
        Its exit code; 126 or 127 when it cannot be run.

    Raises:
        NotFound: No such service, or no container of it runs.
        OrchestratorError: The cluster does not allow it, or the connection ended before the program did.
    """
    pod, container = await _find_container(api, identity, service, program.index)
    return await run_command(
        api, identity.namespace, pod, container, command_line(program), streams, program=program.command[0]
    )


def command_line(program: ExecRequest) -> Sequence[str]:
    """Write a program with its environment and its folder as one command: Kubernetes has no fields for them.

    Example:
        >>> command_line(Program(("id",), {"A": "1"}, workdir="/tmp"))
        ('env', '-C', '/tmp', 'A=1', 'id')
    """
    folder = ("-C", program.workdir) if program.workdir else ()
    variables = tuple(f"{name}={value}" for name, value in program.environment.items())
    # `env` of coreutils and of BusyBox sets variables; a folder only the former, which its exit code 125 shows.
    return ("env", *folder, *variables, *program.command) if folder or variables else program.command


async def find_containers(api: KubeClient, identity: Identity, service: str) -> list[tuple[KubeObject, str]]:
    """Find the pods of a service that run, the oldest first, each with its container.

    Args:
        api: The cluster.
        identity: Which system.
        service: Which service of it.

    Raises:
        NotFound: No such service, or no container of it runs.
    """
    pods = await api.list(kinds.POD.path(identity.namespace), labelSelector=f"{INSTANCE}={identity.release}")
    alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    running = [pod for pod in alive if pod.get("status", {}).get("phase") == "Running"]
    running.sort(key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
    containers: dict[str, tuple[KubeObject, str]] = {}
    for pod, container in select_containers(running, (service,)):
        # The first container is the service's own, unless another one bears its name.
        if pod["metadata"]["name"] not in containers or container == service:
            containers[pod["metadata"]["name"]] = pod, container
    if not containers:
        check_services(identity, await list_workloads(api, identity), (service,))
        hint = f"`tycho status --services {identity.name}` says why"
        raise NotFound(f"no container of {service} runs", hint=hint)
    return list(containers.values())


async def _find_container(api: KubeClient, identity: Identity, service: str, index: int) -> tuple[str, str]:
    """Find the pod and the container that a service's number means."""
    containers = await find_containers(api, identity, service)
    if index > len(containers):
        raise NotFound(f"{service} has no container {index}", hint=f"--index goes from 1 to {len(containers)}")
    pod, container = containers[index - 1]
    return pod["metadata"]["name"], container
