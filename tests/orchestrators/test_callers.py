"""The helm orchestrator and a real API server: what a caller is told, and what one with few rights can do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tycho.errors import Conflict, NotFound, OrchestratorError, StartFailed, WaitTimeout
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.ownership import Caller
from tycho.usernames import user_label

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]


def test_a_neighbour_never_answers_to_a_name_of_ours(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    kubectl("create", "service", "clusterip", "web", "--tcp=80", "-n", shared)

    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(Conflict, match='the Service "web" of the namespace'):
            await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        assert not await lifecycle.status()

    tell(story, shared)


def test_a_namespace_that_is_not_there(tell: Tell) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(NotFound, match='there is no namespace "nowhere"') as error:
            await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        assert error.value.hint == "run kubectl create namespace nowhere"

    tell(story, "nowhere")


@pytest.mark.parametrize(
    ("trouble", "timeout", "kind", "message"),
    [
        ("CreateContainerConfigError", 90, StartFailed, "the container's configuration is not complete"),
        ("NotReady", 2, WaitTimeout, "one is not ready after 2 s: web (not ready yet)"),
    ],
)
def test_what_cannot_start_is_left_for_a_look(
    tell: Tell, shared: str, trouble: str, timeout: float, kind: type[OrchestratorError], message: str
) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        sick = compiled(lifecycle, web(annotations={"tycho.dev/simulate": trouble}))
        for _ in range(2):  # the same again waits again
            with pytest.raises(kind) as error:
                await lifecycle.up(sick, wait_options=WaitOptions(timeout=timeout))
            assert message in error.value.message
        (release,) = await lifecycle.status(["one"])
        assert (release.state, release.revision, release.ready) == ("deployed", 1, False)
        assert (await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)).ready

    tell(story, shared)


def test_a_quota_is_named(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    kubectl("create", "quota", "none", "--hard=pods=0", "-n", shared)

    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(WaitTimeout, match="exceeded quota: none"):
            await lifecycle.up(compiled(lifecycle, web()), wait_options=WaitOptions(timeout=3))

    tell(story, shared)


def test_a_list_costs_the_same_for_any_number_of_systems(tell: Tell, shared: str) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        orchestrator = lifecycle.orchestrator
        assert isinstance(orchestrator, HelmOrchestrator)
        asked: list[str] = []
        call = orchestrator.api.call

        async def counted(method: str, path: str, *arguments: Any, **more: Any) -> Any:
            asked.append(path)
            return await call(method, path, *arguments, **more)

        orchestrator.api.call = counted  # type: ignore[method-assign]
        counts = []
        for number in (1, 2):
            await lifecycle.up(compiled(lifecycle, web(), f"system-{number}"), wait_options=QUICK)
            asked.clear()
            systems = await lifecycle.status()
            counts.append((len(systems), len(asked)))
        assert [systems for systems, _ in counts] == [1, 2]
        assert counts[0][1] == counts[1][1] <= 12

    tell(story, shared)


def test_labels_hold_what_no_label_can(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        release = await lifecycle.up(
            compiled(lifecycle, web()), caller=Caller("Ada <ada@example.com>"), wait_options=QUICK
        )
        assert release.identity.username == "Ada <ada@example.com>"
        path = "-o=jsonpath={.items[*].metadata.labels.username}"
        assert kubectl("get", "deployments", "-n", shared, path) == user_label("Ada <ada@example.com>")

    tell(story, shared)


def test_what_a_caller_with_one_role_can_do(
    tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path, tmp_path: Path
) -> None:
    """`-n` needs rights in that namespace alone; helm and the API are asked as that caller."""
    kubectl("create", "serviceaccount", "eve", "-n", shared)
    kubectl("create", "rolebinding", "eve", "-n", shared, "--clusterrole=edit", f"--serviceaccount={shared}:eve")
    kubectl("create", "role", "eve", "-n", shared, "--verb=*", "--resource=leases.coordination.k8s.io,events")
    kubectl("create", "rolebinding", "eve-too", "-n", shared, "--role=eve", f"--serviceaccount={shared}:eve")
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    config["users"] = [
        {"name": user["name"], "user": {"token": kubectl("create", "token", "eve", "-n", shared)}}
        for user in config["users"]
    ]
    own = tmp_path / "config"
    own.write_text(json.dumps(config))

    async def story(lifecycle: Lifecycle) -> None:
        release = await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        assert release.ready
        checks = {check.name: check for check in await lifecycle.orchestrator.doctor()}
        assert checks["rights"].message == f"may work in the namespace {shared}"

    tell(story, shared, kubeconfig=own)
