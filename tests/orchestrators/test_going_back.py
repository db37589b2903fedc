"""An upgrade that fails is undone where that is asked for: the error says both, and what ran before runs again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tests.orchestrators.test_helm import until
from tycho.errors import NotSupported, OrchestratorError, StartFailed, UsageError, WaitTimeout
from tycho.lifecycle import Lifecycle
from tycho.lifecycle.starting import check_rollback
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import HelmOrchestrator, releases
from tycho.release import Identity

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]
UNDO = replace(QUICK, rollback=True)
BROKEN = {"tycho.dev/simulate": "InvalidImageName"}
BACK = r"; went back to revision 1 \(now revision 3\)$"


async def read_manifests(lifecycle: Lifecycle, identity: Identity, *revisions: int) -> list[str]:
    assert isinstance(lifecycle.orchestrator, HelmOrchestrator)
    api = lifecycle.orchestrator.api
    return [(await releases.read_payload(api, identity, revision))["manifest"] for revision in revisions]


@pytest.mark.parametrize("asked", ["by the caller", "by the file"])
def test_an_upgrade_that_fails_is_undone(tell: Tell, shared: str, asked: str) -> None:
    by_caller = asked == "by the caller"
    keys = {} if by_caller else {"deploy": {"update_config": {"failure_action": "rollback"}}}

    async def story(lifecycle: Lifecycle) -> None:
        first = await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        broken = compiled(lifecycle, web("2", annotations=BROKEN, **keys))
        with pytest.raises(StartFailed, match=BACK):
            await lifecycle.up(broken, wait_options=UNDO if by_caller else QUICK)
        (release,) = await lifecycle.status([first.identity.guid])
        assert (release.ready, release.revision) == (True, 3)
        before, after = await read_manifests(lifecycle, first.identity, 1, 3)
        assert before == after

    tell(story, shared)


def test_one_that_is_not_ready_in_time_is_undone_in_a_time_of_its_own(tell: Tell, shared: str) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        never = compiled(lifecycle, web("2", annotations={"tycho.dev/simulate": "NotReady"}))
        with pytest.raises(WaitTimeout, match=BACK):
            await lifecycle.up(never, wait_options=WaitOptions(timeout=12, rollback=True))
        assert (await lifecycle.status(name="one"))[0].ready

    tell(story, shared)


def test_one_that_helm_cannot_make_is_undone(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        services = len(kubectl("get", "services", "-n", shared, "-o", "name").split())
        kubectl("create", "quota", "few", "-n", shared, f"--hard=services={services}")
        where = "get", "quota", "few", "-n", shared, "-o", "jsonpath=used: {.status.used}"
        await until(lambda: "services" in kubectl(*where))
        more = web("2") | {"api": {"image": "nginx:1", "ports": ["81"], "expose": ["81"]}}
        with pytest.raises(OrchestratorError, match=f"the quota of the namespace is exhausted.*{BACK}"):
            await lifecycle.up(compiled(lifecycle, more), wait_options=UNDO)
        (release,) = await lifecycle.status(name="one")
        assert [service.name for service in release.services] == ["web"]
        assert release.ready

    tell(story, shared)


def test_a_first_start_is_left_for_a_look(tell: Tell, shared: str) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(StartFailed) as failed:
            await lifecycle.up(compiled(lifecycle, web(annotations=BROKEN)), wait_options=UNDO)
        assert "went back" not in failed.value.message
        (release,) = await lifecycle.status(name="one")
        assert (release.revision, release.state) == (1, "deployed")

    tell(story, shared)


def test_what_nobody_waits_for_is_not_undone() -> None:
    with pytest.raises(UsageError, match="it takes waiting to know of a failure"):
        check_rollback(WaitOptions(wait=False, rollback=True), ())
    with pytest.raises(NotSupported, match="keeps no revisions"):
        check_rollback(UNDO, ("rollback",))
    check_rollback(UNDO, ())
