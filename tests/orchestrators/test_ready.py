"""What `up` waits for on a cluster: the quiet time of what has no health check, and that others are out of the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import Kubectl, compiled
from tycho.errors import StartFailed
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.release import Release, ServiceStatus
from tycho.settings import settings

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]
CHECKED = {"healthcheck": {"test": ["CMD", "true"]}}
STARTED = "started; ready once it has run for 1 s"


@pytest.fixture
def quiet(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> Tell:
    """With a quiet time, which other tests do without."""
    monkeypatch.setenv("TYCHO_QUIET_TIME", "1")
    settings.cache_clear()
    return tell


def simulate(what: str) -> dict[str, str]:
    return {"tycho.dev/simulate": what}


def watched(looks: list[Release], name: str) -> list[ServiceStatus]:
    """A service as each look showed it."""
    return [service for look in looks for service in look.services if service.name == name]


def test_a_quiet_time_is_for_what_has_no_health_check(quiet: Tell, shared: str) -> None:
    looks: list[Release] = []
    services = {"bare": {"image": "x"}, "checked": {"image": "x", **CHECKED}}

    async def story(lifecycle: Lifecycle) -> None:
        wait_options = WaitOptions(timeout=90, watch=looks.append)
        release = await lifecycle.up(compiled(lifecycle, services), wait_options=wait_options)
        assert release.ready
        bare, checked = watched(looks, "bare"), watched(looks, "checked")
        assert STARTED in [status.why for status in bare]
        assert STARTED not in [status.why for status in checked]
        looks.clear()
        while not (await lifecycle.status([release.identity.guid]))[0].ready:
            pass  # its own looks have seen it for longer than the times that the API server shows can tell
        again = await lifecycle.up(compiled(lifecycle, services), wait_options=wait_options)
        assert again.notes == ("one is up to date (revision 1)",)
        assert len(looks) == 1  # what has run for a while is ready at the first look

    quiet(story, shared)


def test_what_ends_within_it_is_never_called_ready(quiet: Tell, shared: str) -> None:
    looks: list[Release] = []

    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(StartFailed, match='ends: back-off restarting: exit 1 "simulated"'):
            await lifecycle.up(
                compiled(lifecycle, {"ends": {"image": "x", "annotations": simulate("Ends")}}),
                wait_options=WaitOptions(timeout=90, watch=looks.append),
            )
        assert [status.done for status in watched(looks, "ends")] == [False] * len(looks)

    quiet(story, shared)


def test_restarts_are_told_of_what_is_ready(tell: Tell, shared: str) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        services = {"again": {"image": "x", "annotations": simulate("Restarted")}}
        release = await lifecycle.up(compiled(lifecycle, services), wait_options=WaitOptions(timeout=90))
        (service,) = release.services
        assert (service.done, service.restarts) == (True, 3)
        assert service.why == 'restarted 3 times: exit 1 "simulated"'

    tell(story, shared)


def test_slices_that_the_caller_may_not_read(
    tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path, tmp_path: Path
) -> None:
    """They are as if there were none: who may run systems in a namespace needs no further right."""
    resources = (
        "pods,services,secrets,configmaps,serviceaccounts,persistentvolumeclaims,events,deployments.apps,"
        "statefulsets.apps,daemonsets.apps,replicasets.apps,jobs.batch,cronjobs.batch,ingresses.networking.k8s.io,"
        "networkpolicies.networking.k8s.io,poddisruptionbudgets.policy,leases.coordination.k8s.io,"
        "roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io"
    )
    kubectl("create", "serviceaccount", "ned", "-n", shared)
    kubectl("create", "role", "ned", "-n", shared, "--verb=*", f"--resource={resources}")
    kubectl("create", "rolebinding", "ned", "-n", shared, "--role=ned", f"--serviceaccount={shared}:ned")
    asked = ("auth", "can-i", "list", "endpointslices.discovery.k8s.io", "-n", shared)
    assert kubectl(*asked, f"--as=system:serviceaccount:{shared}:ned", rc=1).strip() == "no"
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    token = kubectl("create", "token", "ned", "-n", shared)
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    own = tmp_path / "config"
    own.write_text(json.dumps(config))

    async def story(lifecycle: Lifecycle) -> None:
        services = {"web": {"image": "x", "ports": ["80"]}}
        assert (await lifecycle.up(compiled(lifecycle, services), wait_options=WaitOptions(timeout=90))).ready

    tell(story, shared, kubeconfig=own)
