"""What others do to a release, and what a cluster does to a verb: the next `up` brings all into the right state."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tests.orchestrators.test_watches import wired
from tycho.errors import ClusterUnreachable, Conflict, OrchestratorError, WaitTimeout
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.release import Release

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]
AWAY = 20.0 if settings.default.max_examples >= 1000 else 2.0  # seconds for which nobody answers
LATE = {"tycho.dev/simulate-delay": "3s"}


def test_an_api_server_that_is_away_for_a_while(tell: Tell, shared: str, kubeconfig: Path, tmp_path: Path) -> None:
    """An `up` that waits goes on when it is back."""

    async def story(lifecycle: Lifecycle) -> None:
        async with wired(kubeconfig, tmp_path, shared) as (far, wire):
            cut = asyncio.Event()

            def restore() -> None:
                wire.carries = True

            def watch(release: Release) -> None:
                if not cut.is_set():
                    cut.set()
                    wire.carries = False
                    wire.cut()
                    asyncio.get_running_loop().call_later(AWAY, restore)

            options = WaitOptions(timeout=90, watch=watch)
            release = await far.up(compiled(far, web(annotations=LATE)), wait_options=options)
            assert cut.is_set()
            assert release.ready

    tell(story, shared)


def test_an_api_server_that_goes_away_under_helm(
    tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path, tmp_path: Path
) -> None:
    """The verb fails, and says that nobody answers; the next one goes on from what there is."""

    async def story(lifecycle: Lifecycle) -> None:
        async with wired(kubeconfig, tmp_path, shared) as (far, wire):
            starting = asyncio.create_task(far.up(compiled(far, web()), wait_options=WaitOptions(timeout=5)))
            while not await lifecycle.status(name="one", services=False) and not starting.done():
                pass
            wire.carries = False
            wire.cut()
            with pytest.raises(OrchestratorError) as failed:
                await starting
            assert isinstance(failed.value, ClusterUnreachable | WaitTimeout)
            wire.carries = True
            # The Lease that could not be given back is this side's own.
            release = await far.up(compiled(far, web("2")), wait_options=QUICK)
            assert (release.ready, release.state) == (True, "deployed")

    tell(story, shared)


def test_a_release_that_helm_and_kubectl_touch(
    tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path, helm: Path
) -> None:
    """A plain `helm upgrade` is a revision like any; a field that kubectl took is named, and not overwritten."""

    def count() -> int:
        (deployment,) = json.loads(kubectl("get", "deployments", "-n", shared, "-o", "json"))["items"]
        return int(deployment["spec"]["replicas"])

    async def story(lifecycle: Lifecycle) -> None:
        first = await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        release = first.identity.release
        kubectl("scale", f"deployment/{release}-web", "--replicas=3", "-n", shared)
        with pytest.raises(Conflict, match=r"kubectl has changed \.spec\.replicas since"):
            await lifecycle.up(compiled(lifecycle, web("2", scale=2)), wait_options=QUICK)
        assert count() == 3
        kubectl("scale", f"deployment/{release}-web", "--replicas=2", "-n", shared)
        second = await lifecycle.up(compiled(lifecycle, web("2", scale=2)), wait_options=QUICK)
        assert (second.revision, second.ready, count()) == (3, True, 2)
        chart = await asyncio.to_thread(write_chart, lifecycle, kubeconfig)
        done = await asyncio.to_thread(
            subprocess.run,
            [helm, "upgrade", release, chart, "-n", shared, "--reuse-values", "--kubeconfig", kubeconfig],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert (await lifecycle.find("one")).revision == 4
        last = await lifecycle.up(compiled(lifecycle, web("4", scale=2)), wait_options=QUICK)
        assert (last.revision, last.ready) == (5, True)
        states = [revision.state for revision in await lifecycle.history("one")]
        assert states == ["superseded", "failed", "superseded", "superseded", "deployed"]

    def write_chart(lifecycle: Lifecycle, near: Path) -> Path:
        folder = near.parent / f"plain-{shared}"
        compiled(lifecycle, web("3", scale=2)).artifact.write(folder)
        return folder

    tell(story, shared)


def test_ten_at_once_on_ten_systems(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        names = [f"ten-{number}" for number in range(10)]
        systems = [compiled(lifecycle, {"web": {"image": "nginx:1"}}, name) for name in names]
        started = await asyncio.gather(*(lifecycle.up(system, wait_options=QUICK) for system in systems))
        assert [release.identity.name for release in started] == names
        assert all(release.ready for release in started)
        removals = await lifecycle.down(
            [release.identity.guid for release in started], wait_options=QUICK, each=lambda removal: None
        )
        assert [removal.error for removal in removals] == [None] * 10
        assert kubectl("get", "deployments,secrets,leases", "-n", shared, "-o", "name") == ""

    tell(story, shared)
