"""Which objects of a system belong to which of its compose services.

A pod may hold several services (`network_mode: service:…`): it carries the name of the first one, and the containers of
the others carry theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tycho.errors import NotFound
from tycho.kube.objects import KubeObject, get_annotations
from tycho.orchestrators.helm.workloads import name
from tycho.release import Identity

CONTAINERS = "tycho.dev/containers"  # of a pod that holds several services: their containers


def list_services(workloads: Iterable[KubeObject]) -> list[str]:
    """List the services that workloads run, in no order but the workloads'."""
    listed: dict[str, None] = {}
    for workload in workloads:
        listed[name(workload)] = None
        _, *others = list_containers(pod_template(workload)) or ("",)
        listed.update(dict.fromkeys(others))
    return list(listed)


def check_services(identity: Identity, workloads: Iterable[KubeObject], services: Sequence[str]) -> None:
    """Refuse services that a system does not have.

    Raises:
        NotFound: Names them, and those that there are.
    """
    known = list_services(workloads)
    unknown = [service for service in services if service not in known]
    if unknown:
        raise no_service(identity, unknown, known)


def no_service(identity: Identity, unknown: Sequence[str], known: Sequence[str]) -> NotFound:
    """Make the error for services that a system does not have."""
    noun = "service" if len(unknown) == 1 else "services"
    return NotFound(f"{identity.name} has no {noun} {', '.join(unknown)}", hint=f"it has: {', '.join(known) or 'none'}")


def select_containers(pods: Iterable[KubeObject], services: Sequence[str]) -> Iterator[tuple[KubeObject, str]]:
    """Yield the pods and containers of services; of all when there are none.

    Args:
        pods: Of the system.
        services: Compose names.
    """
    for pod in pods:
        for container in list_containers(pod):
            if not services or name(pod) in services or container in services:
                yield pod, container


def list_containers(pod: KubeObject) -> list[str]:
    """List the containers of a pod, or of a pod's template, that are services: the one that it is named for first.

    Those that others start after are among its init containers, and so are some that are no services.
    """
    if written := get_annotations(pod).get(CONTAINERS):
        return written.split(",")
    return [container["name"] for container in pod.get("spec", {}).get("containers") or ()]


def pod_template(workload: KubeObject) -> KubeObject:
    """Return the template of the pods that a workload makes; a CronJob has it one step further down."""
    spec = workload.get("spec", {})
    template: KubeObject = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
    return {"metadata": {}, **template}
