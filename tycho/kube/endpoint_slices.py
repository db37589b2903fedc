"""Who answers under the names of a release: its EndpointSlices, compared with the pods that ought to answer.

A pod that was replaced is called as long as a slice lists it; one that is ready is not called before a slice does. Pure
functions over what the API server returned; where slices may not be read, there are none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from tycho.kube.objects import KubeObject
from tycho.kube.readiness import is_running

SERVICE_NAME = "kubernetes.io/service-name"
REPLACED = "waiting until replaced pods get no more requests"
ABSENT = "waiting for its address"


def list_called(slices: Iterable[KubeObject]) -> Iterator[tuple[str, str]]:
    """List the pods that requests go to, each as the name of a Service and the pod's uid."""
    for obj in slices:
        service = (obj["metadata"].get("labels") or {}).get(SERVICE_NAME, "")
        for endpoint in obj.get("endpoints") or ():
            conditions, target = endpoint.get("conditions") or {}, endpoint.get("targetRef") or {}
            # One that ends and is called all the same is of a Service that publishes whatever state its pods are in:
            # it stays for as long as its pod takes to end.
            called = conditions.get("ready") is not False and not conditions.get("terminating")
            if called and target.get("kind") == "Pod":
                yield service, str(target.get("uid"))


def find_unsettled(
    services: Iterable[KubeObject], slices: Iterable[KubeObject], current: Mapping[str, KubeObject]
) -> Iterator[tuple[KubeObject, str]]:
    """Find Services behind which other pods are than there ought to be, each with what is waited for.

    Args:
        services: The release's.
        slices: The release's; a Service without any is left out.
        current: The pods of present templates, by uid.
    """
    listed = list(slices)
    called: dict[str, set[str]] = defaultdict(set)
    for listed_for, uid in list_called(listed):
        called[listed_for].add(uid)
    known = {(obj["metadata"].get("labels") or {}).get(SERVICE_NAME) for obj in listed}
    for service in services:
        name, selector = service["metadata"]["name"], service["spec"].get("selector")
        if name not in known or not selector:
            continue
        if called[name] - current.keys():
            yield service, REPLACED
        elif any(
            is_running(pod) and selector.items() <= (pod["metadata"].get("labels") or {}).items()
            for uid, pod in current.items()
            if uid not in called[name]
        ):
            yield service, ABSENT
