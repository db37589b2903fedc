"""A removal goes before all else: whoever waits for a system that shall go, or works on it, ends, and says so."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tests.orchestrators.elsewhere import Elsewhere
from tests.orchestrators.test_lease import Side, hang, identity, path, side
from tycho.errors import NotFound, OperationInProgress
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Target, WaitOptions
from tycho.orchestrators.helm import HelmOrchestrator, lease
from tycho.release import Identity, Release
from tycho.settings import settings
from tycho.time_limit import limit_time

__all__ = ["identity", "side"]  # fixtures
pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]
NEVER = web(annotations={"tycho.dev/simulate": "NotReady"})


def test_a_holder_ends_for_a_removal(side: Side, identity: Identity) -> None:
    async def story() -> None:
        mine, theirs = Elsewhere("mine"), Elsewhere("theirs")
        api, other = side(mine), side(theirs)
        lines: list[str] = []

        async def renewed() -> None:
            if mine.time == 0:
                await mine.turn(lease.RENEW)

        theirs.meanwhile = renewed  # type: ignore[method-assign]

        async def remove() -> None:
            async with lease.hold_lease(other, identity, lines.append, removes=True):
                assert (await api.get(path(identity)))["spec"]["holderIdentity"] == "theirs"

        async def meanwhile() -> None:
            removing.append(asyncio.create_task(remove()))

        removing: list[asyncio.Task[None]] = []
        with pytest.raises(OperationInProgress, match="one-0 is being removed by somebody else"):
            await hang(api, identity, meanwhile)
        await removing[0]
        assert lines == ["one-0 is being changed by somebody else, who is asked to end that"]
        assert await api.is_gone(path(identity))

    asyncio.run(story())


def test_a_removal_ends_no_other(side: Side, identity: Identity) -> None:
    """Of this side and of another one, the second is refused; so is whoever has no time left to wait."""

    async def story() -> None:
        mine, theirs = Elsewhere("mine"), Elsewhere("theirs")
        api, other = side(mine), side(theirs)

        async def renewed() -> None:
            before = (await api.get(path(identity)))["metadata"]["resourceVersion"]
            await mine.turn(lease.RENEW)
            while (await api.get(path(identity)))["metadata"]["resourceVersion"] == before:
                pass

        async with lease.hold_lease(api, identity, removes=True):
            with pytest.raises(OperationInProgress, match="by another request"):
                async with lease.hold_lease(api, identity, removes=True):
                    pass
            theirs.meanwhile = renewed  # type: ignore[method-assign]
            with pytest.raises(OperationInProgress, match="by somebody else"):
                async with lease.hold_lease(other, identity, removes=True):
                    pass
        async with lease.hold_lease(api, identity):
            with pytest.raises(OperationInProgress), limit_time(0):
                async with lease.hold_lease(api, identity, removes=True):
                    pass

    asyncio.run(story())


def make_slow(helm: Path, folder: Path, verb: str = "install", *, after: bool = False) -> Path:
    """A helm that says of a verb that it begins, or has done it, and waits until it may go on."""
    slow, waits = folder / "helm", f"echo begun > {folder}/begun; read go < {folder}/go"
    runs = f'{helm} "$@"; {waits}' if after else f'{waits}; {helm} "$@"'
    slow.write_text(f"""#!/bin/sh
if [ "$1" = {verb} ]; then {runs}; else exec {helm} "$@"; fi
""")
    slow.chmod(0o755)
    for name in ("begun", "go"):
        os.mkfifo(folder / name)
    return slow


def test_what_was_made_meanwhile_goes_too(
    tell: Tell, kubectl: Kubectl, helm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the removal is asked for there is nothing but a namespace; its volumes are kept, as it was asked for."""
    slow = make_slow(helm, tmp_path)

    async def story(lifecycle: Lifecycle) -> None:
        monkeypatch.setenv("TYCHO_HELM", str(slow))
        settings.cache_clear()
        guid = "7" * 32
        services = web(volumes=["data:/data"], annotations=NEVER["web"]["annotations"])
        starting = asyncio.create_task(
            lifecycle.up(compiled(lifecycle, services, volumes={"data": {}}), guid=guid, wait_options=QUICK)
        )
        await asyncio.to_thread((tmp_path / "begun").read_text)
        removing = asyncio.create_task(
            lifecycle.down([guid], keep_volumes=True, wait_options=QUICK, each=lambda removal: None)
        )
        held = ("get", "leases", "-n", "one-77777777", "-o", "yaml")
        while not removing.done() and lease.WISH not in await asyncio.to_thread(kubectl, *held):
            pass
        await asyncio.to_thread((tmp_path / "go").write_text, "go\n")
        with pytest.raises(OperationInProgress, match="is being removed by somebody else"):
            await starting
        (removal,) = await removing
        assert removal.error is None
        assert removal.release
        assert removal.release.notes[0].startswith("kept volume data (1Gi)")
        kinds = "deployments,services,secrets,leases,pvc"
        assert kubectl("get", kinds, "-n", "one-77777777", "-o", "name") == "persistentvolumeclaim/one-77777777-data\n"

    tell(story)


def test_what_a_removal_that_was_cut_short_has_left_is_found(
    tell: Tell, shared: str, kubectl: Kubectl, helm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a namespace of others, after helm and before the volumes: also where these were kept once."""
    slow = make_slow(helm, tmp_path, "uninstall", after=True)

    async def story(lifecycle: Lifecycle) -> None:
        system = compiled(lifecycle, web(volumes=["data:/data"]), volumes={"data": {}})
        await lifecycle.up(system, wait_options=QUICK)
        await lifecycle.down(["one"], keep_volumes=True, wait_options=QUICK, each=lambda removal: None)
        await lifecycle.up(system, wait_options=QUICK)
        with monkeypatch.context() as patch:
            patch.setenv("TYCHO_HELM", str(slow))
            settings.cache_clear()
            removing = asyncio.create_task(lifecycle.down(["one"], wait_options=QUICK, each=lambda removal: None))
            await asyncio.to_thread((tmp_path / "begun").read_text)
            removing.cancel()
            await asyncio.to_thread((tmp_path / "go").write_text, "go\n")
            with pytest.raises(asyncio.CancelledError):
                await removing
        settings.cache_clear()
        (left,) = await lifecycle.status(name="one", services=False)
        assert (left.state, left.volumes) == ("lost", ("data",))
        with pytest.raises(NotFound, match="one does not run; a start or removal of it was cut short"):
            await lifecycle.pause("one", wait_options=QUICK)
        (removal,) = await lifecycle.down(["one"], wait_options=QUICK, each=lambda removal: None)
        assert removal.error is None
        assert kubectl("get", "all,pvc,secrets,leases", "-n", shared, "-o", "name") == ""

    tell(story, shared)


@pytest.mark.parametrize("verb", ["up", "restart"])
def test_a_wait_ends_when_the_system_is_removed(tell: Tell, kubectl: Kubectl, kubeconfig: Path, verb: str) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        waits = asyncio.Event()

        def watch(release: Release) -> None:
            waits.set()

        if verb == "restart":
            await lifecycle.up(compiled(lifecycle, NEVER, "waits"), wait_options=WaitOptions(wait=False))
        options = WaitOptions(timeout=90, watch=watch)
        calls = {
            "up": lambda: lifecycle.up(compiled(lifecycle, NEVER, "waits"), wait_options=options),
            "restart": lambda: lifecycle.restart("waits", wait_options=options),
        }
        waiting = asyncio.create_task(calls[verb]())
        await waits.wait()
        target = Target(kubeconfig=str(kubeconfig))
        other = Lifecycle(HelmOrchestrator(target), target)
        (removal,) = await other.down(["waits"], wait_options=QUICK, each=lambda removal: None)
        assert removal.error is None
        with pytest.raises(OperationInProgress, match="is being removed by somebody else"):
            await waiting
        await other.orchestrator.close()
        assert "waits-" not in kubectl("get", "namespaces", "-o", "name")

    tell(story)


def test_a_helm_that_works_comes_to_its_end_first(
    tell: Tell, shared: str, kubectl: Kubectl, helm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one process, as the service has it: another verb is refused, the removal waits and then finds all."""
    slow = make_slow(helm, tmp_path)

    async def story(lifecycle: Lifecycle) -> None:
        monkeypatch.setenv("TYCHO_HELM", str(slow))
        monkeypatch.setattr(lease, "RENEW", 0.5)
        settings.cache_clear()
        guid, orchestrator = "6" * 32, lifecycle.orchestrator
        assert isinstance(orchestrator, HelmOrchestrator)
        starting = asyncio.create_task(lifecycle.up(compiled(lifecycle, web()), guid=guid, wait_options=QUICK))
        await asyncio.to_thread((tmp_path / "begun").read_text)
        identity = Identity(guid=guid, name="one", release="one-66666666", namespace=shared)
        with pytest.raises(OperationInProgress, match="is being changed by another request"):
            await lifecycle.up(compiled(lifecycle, web()), guid=guid, wait_options=QUICK)
        removing = asyncio.create_task(remove(orchestrator.api, identity))
        while not starting.cancelling():  # noqa: ASYNC110 - its Lease tells it, at its next renewal
            await asyncio.sleep(0.05)
        assert not starting.done()
        await asyncio.to_thread((tmp_path / "go").write_text, "go\n")
        with pytest.raises(OperationInProgress, match="is being removed by somebody else"):
            await starting
        await removing
        (removal,) = await lifecycle.down([guid], wait_options=QUICK, each=lambda removal: None)
        assert removal.error is None
        assert kubectl("get", "all,secrets,leases", "-n", shared, "-o", "name") == ""

    async def remove(api: Any, identity: Identity) -> None:
        async with lease.hold_lease(api, identity, removes=True):
            revisions = kubectl("get", "secrets", "-n", shared, "-l", "owner=helm,status=deployed", "-o", "name")
            assert revisions.split() == ["secret/sh.helm.release.v1.one-66666666.v1"]

    tell(story, shared)
