"""Helm is killed at random moments: the next verb finds nothing in its way, and brings all into the right state."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tests.orchestrators.test_helm import use
from tycho.errors import OrchestratorError
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]
log = logging.getLogger(__name__)
DEEP = settings.default.max_examples >= 1000
ROUNDS = 30 if DEEP else 2  # each kills helm in the middle of six verbs
LONGEST = 0.6  # seconds within which helm is killed; most of its runs take less
OF_NAMESPACE = {"serviceaccount/default", "configmap/kube-root-ca.crt"}  # the cluster makes these in every namespace
LEFT = "all,secrets,configmaps,leases,pvc,serviceaccounts,networkpolicies"


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_the_next_verb_ends_in_a_right_state(
    tell: Tell, shared: str, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, helm: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - to be told again, not to be secret
    moment, accept = tmp_path / "moment", WaitOptions(wait=False, timeout=90)
    moment.write_text("300")
    killed = f'case "$1" in install|upgrade|rollback|uninstall) exec timeout -s KILL $(cat {moment}) {helm} "$@";; esac'

    def list_all() -> set[str]:
        return set(kubectl("get", LEFT, "-n", shared, "-o", "name").split()) - OF_NAMESPACE

    def list_images() -> set[str]:
        return set(kubectl("get", "deployments", "-n", shared, "-o", "jsonpath={..image}").split())

    async def cut(verb: Awaitable[Any]) -> None:
        moment.write_text(f"{chance.uniform(0.01, LONGEST):.3f}")
        try:
            await verb
            log.warning("not cut short")
        except OrchestratorError as error:
            log.warning("cut short after %s s: %s", moment.read_text(), error)
        moment.write_text("300")

    async def story(lifecycle: Lifecycle) -> None:
        use(monkeypatch, tmp_path / "helm", f'{killed}; exec {helm} "$@"')

        async def start(tag: str) -> None:
            release = await lifecycle.up(compiled(lifecycle, web(tag)), wait_options=QUICK)
            assert (release.ready, release.state) == (True, "deployed")
            assert list_images() == {f"nginx:{tag}"}
            states = [revision.state for revision in await lifecycle.history("one")]
            assert states.count("deployed") == 1
            assert "pending" not in states

        for tag in ("1", "2"):
            await cut(lifecycle.up(compiled(lifecycle, web(tag)), wait_options=accept))
            await start(tag)
        await cut(lifecycle.rollback("one", wait_options=accept))
        await start("3")
        await cut(lifecycle.pause("one", wait_options=accept))
        paused = await lifecycle.pause("one", wait_options=QUICK)
        assert (paused.ready, paused.state, paused.paused) == (True, "paused", True)
        await cut(lifecycle.resume("one", wait_options=accept))
        resumed = await lifecycle.resume("one", wait_options=QUICK)
        assert (resumed.ready, resumed.state, resumed.paused) == (True, "deployed", False)
        await start("4")
        await cut(lifecycle.down(["one"], wait_options=QUICK, each=lambda removal: None))
        if await lifecycle.status(name="one", services=False):
            (removal,) = await lifecycle.down(["one"], wait_options=QUICK, each=lambda removal: None)
            assert removal.error is None

    tell(story, shared)
    assert list_all() == set()
