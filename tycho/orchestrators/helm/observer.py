"""What looks at a release tell together and none of them alone: how long containers run, which pods were replaced."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from tycho.kube.endpoint_slices import list_called
from tycho.kube.readiness import identify, list_lasting
from tycho.orchestrators.helm.snapshots import with_services
from tycho.orchestrators.helm.workloads import ClusterSnapshot
from tycho.release import Release

FOLLOWS = 1.5  # seconds: kube-proxy writes its rules once a second at most, and takes a moment for it
FOLLOWING = "waiting for nodes to send requests to the new pods"


class Observer:
    """Remembers what looks at one release have shown, for as long as a verb waits for it.

    Args:
        pods: The pods that were there before the verb changed anything: the service of each, by its uid.
    """

    def __init__(self, pods: Mapping[str, str] | None = None) -> None:
        self._before = dict(pods or {})
        self._sighted: dict[str, float] = {}  # a container's run -> when a look had seen it first, in monotonic seconds
        self._called: frozenset[tuple[str, str]] | None = None  # Services and the pods behind them
        self._since = 0.0  # when a look had first seen these

    def judge(self, release: Release, seen: ClusterSnapshot) -> Release:
        """Return a release with its services as this look and those before it show them."""
        ours = seen.select(release.identity.release, release.identity.namespace)
        for pod in ours.pods:
            for status in list_lasting(pod):
                if "running" in status.get("state", {}):
                    self._sighted.setdefault(identify(pod, status), seen.ended)
        sighted = {run: seen.began - first for run, first in self._sighted.items()}
        release = with_services(release, replace(seen, sighted=sighted))
        if not self._before or seen.simulated:  # no port of a simulated node answers anyway
            return release
        called = frozenset(list_called(ours.slices)) or frozenset(("", uid) for uid in _list_current(ours))
        if called != self._called:
            self._called, self._since = called, seen.ended
        if seen.began - self._since >= FOLLOWS:
            return release
        replaced = self._find_replaced(ours)
        services = tuple(
            service.model_copy(update={"done": False, "why": FOLLOWING})
            if service.done and service.name in replaced
            else service
            for service in release.services
        )
        return release.model_copy(update={"services": services})

    def _find_replaced(self, ours: ClusterSnapshot) -> set[str]:
        """Find the services that have other pods than before."""
        gone = self._before.keys() - _list_current(ours)
        return {self._before[uid] for uid in gone}


def _list_current(ours: ClusterSnapshot) -> set[str]:
    kept_up = {workload["metadata"]["uid"] for workload in ours.workloads if workload["kind"] != "Job"}
    current = ours.find_current()
    return {pod["metadata"]["uid"] for uid in kept_up for pod in current[uid]}
