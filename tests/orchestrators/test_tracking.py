"""What waits for one system: watches of that system alone, and what happens where there are none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tests.orchestrators.test_requests import count_requests
from tests.orchestrators.test_watches import wired
from tycho import kinds
from tycho.errors import StartFailed, WaitTimeout
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.release import Release

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]
AT_ONCE = WaitOptions(wait=False)
SICK = {"annotations": {"tycho.dev/simulate": "NotReady"}}
MOST = 60  # requests: two lists of each kind that is looked at, one more of each that is watched, and what finds the id


class Looks(list[Release]):
    """What a wait has shown."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def options(self, timeout: float = 90) -> WaitOptions:
        return WaitOptions(timeout=timeout, watch=self._add)

    async def reach(self, count: int) -> None:
        """Wait until there are so many."""
        while len(self) < count:
            self._more.clear()
            await self._more.wait()

    def _add(self, release: Release) -> None:
        self.append(release)
        self._more.set()


def count_streams(lifecycle: Lifecycle) -> list[str]:
    """Every watch from now on, by its path and selector."""
    orchestrator = lifecycle.orchestrator
    assert isinstance(orchestrator, HelmOrchestrator)
    begun: list[str] = []
    stream = orchestrator.api.stream

    def counted(path: str, **options: Any) -> Any:
        begun.append(f"{path} {options.get('labelSelector', '')}")
        return stream(path, **options)

    orchestrator.api.stream = counted  # type: ignore[method-assign]
    return begun


def test_a_wait_asks_once_however_long_it_is(tell: Tell, shared: str) -> None:
    """Its looks read what watches tell; these are limited to the system."""

    async def story(lifecycle: Lifecycle) -> None:
        looks = Looks()
        await lifecycle.up(compiled(lifecycle, web(**SICK)), wait_options=AT_ONCE)
        asked, begun = count_requests(lifecycle), count_streams(lifecycle)
        with pytest.raises(WaitTimeout, match="one is not ready after 6 s: web"):
            await lifecycle.wait("one", wait_options=looks.options(6))
        assert len(looks) > 10
        assert len(asked) + len(begun) <= MOST
        assert all(path.startswith(("/api/v1/namespaces/", "/apis/")) and f"/{shared}/" in path for path in begun)
        release = looks[0].identity.release
        assert [
            path for path in begun if "/events " not in path and "/secrets " not in path and release not in path
        ] == []

    tell(story, shared)


def test_a_change_ends_a_wait(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    """What is not named is not waited for, and does not fail it; what is, does."""

    async def story(lifecycle: Lifecycle) -> None:
        broken = {"image": "x", "annotations": {"tycho.dev/simulate": "CrashLoopBackOff"}}
        services = {**web(**SICK), "broken": broken}
        guid = (await lifecycle.up(compiled(lifecycle, services), wait_options=AT_ONCE)).identity.guid
        looks = Looks()
        waiting = asyncio.create_task(lifecycle.wait(guid, ["web"], wait_options=looks.options()))
        await looks.reach(3)
        await lifecycle.up(compiled(lifecycle, {**web(), "broken": broken}), wait_options=AT_ONCE)
        release = await waiting
        assert [(service.name, service.done) for service in release.services] == [("web", True), ("broken", False)]
        with pytest.raises(StartFailed, match="one cannot start: broken: back-off restarting"):
            await lifecycle.wait(guid, wait_options=QUICK)

    tell(story, shared)


def test_an_api_server_that_is_away_for_a_while(tell: Tell, shared: str, kubeconfig: Path, tmp_path: Path) -> None:
    """A wait goes on when it is back, and sees what happened meanwhile."""

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, web(**SICK)), wait_options=AT_ONCE)
        async with wired(kubeconfig, tmp_path, shared) as (far, wire):
            looks = Looks()
            waiting = asyncio.create_task(far.wait("one", wait_options=looks.options()))
            async with asyncio.timeout(60):
                await looks.reach(4)
                wire.carries = False
                wire.cut()
                await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
                for _ in range(300):
                    await wire.refusals.acquire()
                assert not waiting.done()
                wire.carries = True
                assert (await waiting).ready

    tell(story, shared)


def test_who_may_not_watch_looks(tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path, tmp_path: Path) -> None:
    kubectl("create", "serviceaccount", "reader", "-n", shared)
    kubectl("create", "role", "reader", "-n", shared, "--verb=get,list", "--resource=*.*")
    kubectl("create", "rolebinding", "reader", "-n", shared, "--role=reader", f"--serviceaccount={shared}:reader")
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    token = kubectl("create", "token", "reader", "-n", shared)
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    (tmp_path / "config").write_text(json.dumps(config))

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, web(**SICK)), wait_options=AT_ONCE)
        target = type(lifecycle.target)(kubeconfig=str(tmp_path / "config"), namespace=shared)
        weak = Lifecycle(HelmOrchestrator(target), target)
        looks = Looks()
        asked = count_requests(weak)
        waiting = asyncio.create_task(weak.wait("one", wait_options=looks.options()))
        await looks.reach(3)
        assert len([path for path in asked if kinds.POD.path(shared) in path]) > 2
        await lifecycle.up(compiled(lifecycle, web()), wait_options=AT_ONCE)
        assert (await waiting).ready
        await weak.orchestrator.close()

    tell(story, shared)


def test_looks_at_all_judge_what_has_changed(tell: Tell, shared: str) -> None:
    """Of what is as it was, the same object is shown; and all is as lists have it."""

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        await lifecycle.up(compiled(lifecycle, web(labels={"team": "blue"}), "other"), wait_options=QUICK)
        async with aclosing(lifecycle.follow()) as looks, aclosing(lifecycle.follow(labels={"team": "blue"})) as blue:  # type: ignore[type-var]
            first, other = await anext(looks)
            assert [release.identity.name for release in await anext(blue)] == ["other"]
            await lifecycle.up(compiled(lifecycle, web("2")), wait_options=AT_ONCE)
            async for now in looks:
                if now[0] != first:
                    break
            assert now[1] is other
            async for now in looks:
                if now[0].ready:
                    break
            assert now == await lifecycle.status()
            await lifecycle.up(compiled(lifecycle, web(), "other"), wait_options=AT_ONCE)
            async for now in blue:
                if not now:
                    break
            await lifecycle.up(compiled(lifecycle, web(), "third"), wait_options=AT_ONCE)
            await lifecycle.down(["one"], wait_options=QUICK, each=lambda removal: None)
            async for now in looks:
                if [release.identity.name for release in now] == ["other", "third"]:
                    break
            async for now in looks:
                if all(release.ready for release in now):
                    break
            assert now == await lifecycle.status()

    tell(story, shared)
