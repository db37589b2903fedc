"""One writer at a time, on a real API server: two sides, each with a clock of its own that the test turns."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import Kubectl
from tests.orchestrators.elsewhere import Elsewhere
from tycho import kinds
from tycho.errors import ClusterUnreachable, OperationInProgress
from tycho.kube.client import KubeClient
from tycho.kube.lease_holder import LeaseHolder
from tycho.orchestrators.helm import lease
from tycho.release import Identity

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]
HOLD = """
import asyncio, sys
from tycho.orchestrators import Target
from tycho.orchestrators.helm import lease
from tycho.kube.client import KubeClient
from tycho.release import Identity

async def hold(kubeconfig, namespace):
    identity = Identity(guid="0" * 32, name="one", release="one-0", namespace=namespace)
    async with lease.hold_lease(KubeClient(kubeconfig), identity):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold(*sys.argv[1:]))
"""


Side = Callable[[LeaseHolder], KubeClient]


@pytest.fixture
def identity(shared: str) -> Identity:
    return Identity(guid="0" * 32, name="one", release="one-0", namespace=shared)


@pytest.fixture
def side(kubeconfig: Path) -> Iterator[Side]:
    made: list[KubeClient] = []

    def make(holder: LeaseHolder) -> KubeClient:
        api = KubeClient(str(kubeconfig))
        api.lease_holder = holder
        made.append(api)
        return api

    yield make
    for api in made:
        api.close()


def path(identity: Identity) -> str:
    return kinds.LEASE.path(identity.namespace, f"tycho-{identity.release}")


def test_a_holder_is_a_random_name(side: Side, identity: Identity) -> None:
    async def story() -> None:
        names = []
        for _ in range(2):
            api = side(LeaseHolder())
            async with lease.hold_lease(api, identity):
                names.append((await api.get(path(identity)))["spec"]["holderIdentity"])
            assert await api.is_gone(path(identity))
        assert names[0] != names[1]
        assert not any(os.uname().nodename in name or str(os.getpid()) in name.split("/") for name in names)

    asyncio.run(story())


def test_a_second_request_of_the_same_service_is_refused_without_a_question(side: Side, identity: Identity) -> None:
    async def story() -> None:
        api = side(LeaseHolder())
        async with lease.hold_lease(api, identity):
            with pytest.raises(OperationInProgress, match="one-0 is being changed by another request"):
                async with lease.hold_lease(api, identity):
                    pass
        async with lease.hold_lease(api, identity):
            pass

    asyncio.run(story())


async def hang(side: KubeClient, identity: Identity, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """Hold a Lease until it is lost."""
    async with lease.hold_lease(side, identity):
        await meanwhile()
        await asyncio.Event().wait()


def test_one_that_is_renewed_is_never_taken(side: Side, identity: Identity) -> None:
    """However late its holder's clock is: a renewal that was seen counts, and no time that somebody wrote."""

    async def story() -> None:
        mine, theirs = Elsewhere("mine"), Elsewhere("theirs")
        api, other = side(mine), side(theirs)
        lines: list[str] = []

        async def renewed() -> None:
            before = (await api.get(path(identity)))["metadata"]["resourceVersion"]
            await mine.turn(lease.RENEW)
            while (await api.get(path(identity)))["metadata"]["resourceVersion"] == before:
                pass

        theirs.meanwhile = renewed  # type: ignore[method-assign]
        async with lease.hold_lease(api, identity):
            current = await api.get(path(identity))
            current["spec"]["renewTime"] = "2001-01-01T00:00:00.000000Z"
            await api.replace(path(identity), current)
            with pytest.raises(OperationInProgress, match="one-0 is being changed by somebody else"):
                async with lease.hold_lease(other, identity, lines.append):
                    pass
            assert lines == [f"one-0 is held by somebody else; looking whether he lives, up to {lease.DURATION} s"]
            assert theirs.time < lease.DURATION
            assert (await api.get(path(identity)))["spec"]["holderIdentity"] == "mine"

    asyncio.run(story())


def test_one_that_is_not_renewed_is_taken_after_its_duration(side: Side, identity: Identity) -> None:
    """Not before, although it says that it was renewed in another century; and its holder is stopped."""

    async def story() -> None:
        mine, theirs = Elsewhere("mine"), Elsewhere("theirs")
        api, other = side(mine), side(theirs)

        async def meanwhile() -> None:
            current = await api.get(path(identity))
            current["spec"]["renewTime"] = "2001-01-01T00:00:00.000000Z"
            await api.replace(path(identity), current)
            async with lease.hold_lease(other, identity):
                assert lease.DURATION < theirs.time <= lease.DURATION + 2 * lease.LOOK
                await mine.turn(lease.RENEW)
                await asyncio.Event().wait()

        with pytest.raises(OperationInProgress, match="one-0 was taken over by somebody else"):
            await hang(api, identity, meanwhile)
        task = asyncio.current_task()
        assert task
        assert not task.cancelling()

    asyncio.run(story())


def test_what_a_loser_does_not_hold_he_does_not_delete(side: Side, identity: Identity) -> None:
    async def story() -> None:
        mine, theirs = Elsewhere("mine"), Elsewhere("theirs")
        api, other = side(mine), side(theirs)
        taken, done = asyncio.Event(), asyncio.Event()

        async def take() -> None:
            async with lease.hold_lease(other, identity):
                taken.set()
                await done.wait()

        async def meanwhile() -> None:
            taking.append(asyncio.create_task(take()))
            await taken.wait()
            await mine.turn(lease.RENEW)

        taking: list[asyncio.Task[None]] = []
        with pytest.raises(OperationInProgress):
            await hang(api, identity, meanwhile)
        assert (await api.get(path(identity)))["spec"]["holderIdentity"] == "theirs"
        done.set()
        await taking[0]
        assert await api.is_gone(path(identity))

    asyncio.run(story())


def test_one_that_somebody_deletes_stops_its_verb(side: Side, identity: Identity, kubectl: Kubectl) -> None:
    async def story() -> None:
        mine = Elsewhere("mine")

        async def meanwhile() -> None:
            kubectl("delete", "lease", "tycho-one-0", "-n", identity.namespace)
            await mine.turn(lease.RENEW)

        with pytest.raises(OperationInProgress, match="was taken over"):
            await hang(side(mine), identity, meanwhile)

    asyncio.run(story())


def test_one_that_somebody_labels_is_still_ours(side: Side, identity: Identity, kubectl: Kubectl) -> None:
    async def story() -> None:
        mine = Elsewhere("mine")
        api = side(mine)
        async with lease.hold_lease(api, identity):
            before = (await api.get(path(identity)))["spec"]["renewTime"]
            kubectl("label", "lease", "tycho-one-0", "-n", identity.namespace, "seen=yes")
            while (await api.get(path(identity)))["spec"]["renewTime"] == before:
                await mine.turn(lease.RENEW)
        assert await api.is_gone(path(identity))

    asyncio.run(story())


def test_who_cannot_renew_stops_before_others_begin(side: Side, identity: Identity) -> None:
    """The API server is out of his reach; he does not wait until he is told."""

    async def story() -> None:
        mine = Elsewhere("mine")
        api = side(mine)

        async def unreachable(path: str, body: Any) -> Any:
            raise ClusterUnreachable("no answer")

        async def meanwhile() -> None:
            api.replace = unreachable  # type: ignore[method-assign]
            for _ in range(int(lease.YIELD / lease.RENEW)):
                await mine.turn(lease.RENEW)

        with pytest.raises(OperationInProgress, match="was taken over"):
            await hang(api, identity, meanwhile)
        assert mine.time == lease.YIELD < lease.DURATION - lease.HURRY

    asyncio.run(story())


def test_a_process_that_was_killed_on_this_machine_is_known_at_once(
    side: Side, identity: Identity, kubeconfig: Path
) -> None:
    argv = [sys.executable, "-c", HOLD, str(kubeconfig), identity.namespace]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"

    async def refused() -> None:
        with pytest.raises(OperationInProgress, match="by another process of this machine"):
            async with lease.hold_lease(side(Elsewhere("mine")), identity):
                pass

    async def taken() -> None:
        async with lease.hold_lease(side(Elsewhere("mine")), identity):  # its clock stands: it waits for nothing
            pass

    asyncio.run(refused())
    process.kill()
    process.communicate()
    asyncio.run(taken())
