"""A kept view of the cluster: it answers as lists do, shows what was written, and survives being cut off."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tests.orchestrators.test_requests import count_requests
from tycho import kinds
from tycho.errors import ClusterUnreachable, NotFound, StartFailed, WaitTimeout
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Target, WaitOptions
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.orchestrators.helm.view import ClusterView

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]


@asynccontextmanager
async def viewed(lifecycle: Lifecycle) -> AsyncIterator[ClusterView]:
    """The view, once it is complete."""
    orchestrator = lifecycle.orchestrator
    assert isinstance(orchestrator, HelmOrchestrator)
    async with orchestrator.keep_view():
        view = orchestrator.source
        assert isinstance(view, ClusterView)
        async with asyncio.timeout(60):
            await view.begun()
        assert [name for name, feed in view.feeds.items() if not feed.synced.is_set()] == []
        yield view


async def start_some(lifecycle: Lifecycle) -> list[str]:
    """Systems that run, that cannot, that are not ready, and one of which volumes are left; their GUIDs."""
    jobs = {"once": {"image": "busybox", "restart": "no"}, "db": {"image": "postgres", "volumes": ["data:/data"]}}
    made = [
        await lifecycle.up(compiled(lifecycle, web(), "well"), wait_options=QUICK),
        await lifecycle.up(compiled(lifecycle, jobs, "jobs", volumes={"data": {}}), wait_options=QUICK),
        await lifecycle.up(compiled(lifecycle, jobs, "kept", volumes={"data": {}}), wait_options=QUICK),
    ]
    for trouble, error in (("ImagePullBackOff", StartFailed), ("NotReady", WaitTimeout)):
        sick = compiled(lifecycle, web(annotations={"tycho.dev/simulate": trouble}), trouble.lower())
        with pytest.raises(error):
            await lifecycle.up(sick, wait_options=WaitOptions(timeout=20 if error is StartFailed else 2))
    await lifecycle.down([made[2].identity.guid], wait_options=QUICK, keep_volumes=True, each=lambda removal: None)
    return [release.identity.guid for release in await lifecycle.status(services=False)]


async def read_all(lifecycle: Lifecycle) -> list[Any]:
    """Every answer of the verbs that look."""
    listed = await lifecycle.status()
    ids = [release.identity.guid for release in listed]
    names = [release.identity.name for release in listed]
    return [
        listed,
        await lifecycle.status(services=False),
        await lifecycle.status(ids),
        await lifecycle.status(names),
        [await lifecycle.find(release.identity.release) for release in listed],
    ]


@pytest.mark.parametrize("alone", [False, True], ids=["in all namespaces", "in one"])
def test_the_answers_are_those_of_lists(tell: Tell, shared: str, alone: bool) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        guids = await start_some(lifecycle)
        assert len(guids) == 5
        read = await read_all(lifecycle)
        states = {release.identity.name: (release.state, release.ready) for release in read[2]}
        assert states["imagepullbackoff"] == ("deployed", False)
        assert states["kept"][0] == "kept"
        async with viewed(lifecycle):
            asked = count_requests(lifecycle)
            assert await read_all(lifecycle) == read
            assert asked == []
        assert await read_all(lifecycle) == read

    tell(story, shared if alone else "")


def test_looks_at_once_ask_for_nothing(tell: Tell, shared: str) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        guid = (await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)).identity.guid
        async with viewed(lifecycle):
            asked = count_requests(lifecycle)
            found = await asyncio.gather(*(lifecycle.status([guid]) for _ in range(32)))
            assert all(release.ready for (release,) in found)
            assert asked == []

    tell(story, shared)


def test_who_writes_sees_it(tell: Tell, shared: str) -> None:
    """Each verb's next look shows what it did, though only watches are asked."""

    async def story(lifecycle: Lifecycle) -> None:
        async with viewed(lifecycle) as view:
            guid = (await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)).identity.guid
            for revision in (2, 3, 4):
                await lifecycle.up(compiled(lifecycle, web(str(revision))), wait_options=WaitOptions(wait=False))
                asked = count_requests(lifecycle)
                (release,) = await lifecycle.status([guid])
                assert release.revision == revision
                assert asked == []
            assert (await lifecycle.rollback(guid, wait_options=QUICK)).revision == 5
            assert [release.revision for release in await lifecycle.status()] == [5]
            await lifecycle.down([guid], wait_options=QUICK, each=lambda removal: None)
            asked = count_requests(lifecycle)
            assert await lifecycle.status() == []
            assert asked == []
            with pytest.raises(NotFound):
                await lifecycle.status([guid])
            assert all(feed.listings == 1 for feed in view.feeds.values())

    tell(story, shared)


def test_a_namespace_that_is_gone(tell: Tell) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        async with viewed(lifecycle):
            guid = (await lifecycle.up(compiled(lifecycle, web(), "gone"), wait_options=QUICK)).identity.guid
            await lifecycle.down([guid], wait_options=QUICK, each=lambda removal: None)
            assert guid not in {release.identity.guid for release in await lifecycle.status()}

    tell(story)


class Wire:
    """Carries bytes to the API server, until it is cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: list[Any] = []
        self.carries = True

    async def begin(self) -> int:
        self.server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return int(self.server.sockets[0].getsockname()[1])

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.carries:
            writer.transport.abort()
            return
        self._tasks.append(asyncio.current_task())
        beyond, there = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, there}
        await asyncio.gather(self._carry(reader, there), self._carry(beyond, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.transport.abort()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def end(self) -> None:
        self.carries = False
        self.server.close()
        self.cut()
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def wired(kubeconfig: Path, folder: Path, namespace: str) -> AsyncIterator[tuple[Lifecycle, Wire]]:
    """The verbs, over a wire that can be cut."""
    text = kubeconfig.read_text()
    (port,) = set(re.findall(r"https://127\.0\.0\.1:([0-9]+)", text))
    wire = Wire(int(port))
    (folder / "config").write_text(text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{await wire.begin()}"))
    target = Target(kubeconfig=str(folder / "config"), namespace=namespace)
    lifecycle = Lifecycle(HelmOrchestrator(target), target)
    try:
        yield lifecycle, wire
    finally:
        await lifecycle.orchestrator.close()
        await wire.end()


def test_a_wire_that_is_cut(tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path, tmp_path: Path) -> None:
    """The view begins while nobody answers; once somebody does it is complete, and nothing that happened is missed."""

    async def story(lifecycle: Lifecycle) -> None:
        guid = (await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)).identity.guid
        async with wired(kubeconfig, tmp_path, shared) as (far, wire):
            wire.carries = False
            orchestrator = far.orchestrator
            assert isinstance(orchestrator, HelmOrchestrator)
            async with orchestrator.keep_view():
                with pytest.raises(ClusterUnreachable):
                    await far.status([guid])
                wire.carries = True
                view = orchestrator.source
                assert isinstance(view, ClusterView)
                async with asyncio.timeout(90):
                    await view.begun()
                    assert await far.status() == await lifecycle.status()
                    for tag in ("2", "3"):
                        for feed in view.feeds.values():
                            feed.synced.clear()
                        wire.cut()
                        release = await lifecycle.up(compiled(lifecycle, web(tag)), wait_options=QUICK)
                        await asyncio.gather(*(feed.synced.wait() for feed in view.feeds.values()))
                        await view.reach(release.identity)
                        assert await far.status([guid]) == await lifecycle.status([guid])
                    # It went on from where it was.
                    assert {feed.listings for feed in view.feeds.values()} == {1}

    tell(story, shared)


def compact(kubeconfig: Path, revision: int) -> None:
    """Have the cluster's etcd forget what was before, as an API server does every five minutes."""
    folder = kubeconfig.parent
    port = json.loads((folder / "state.json").read_text())["ports"]["etcd"]
    context = ssl.create_default_context(cafile=folder / "pki/etcd-ca.crt")
    context.load_cert_chain(folder / "pki/etcd-client.crt", folder / "pki/etcd-client.key")
    body = json.dumps({"revision": str(revision), "physical": True}).encode()
    with urlopen(f"https://127.0.0.1:{port}/v3/kv/compaction", body, context=context) as answer:
        assert answer.status == 200


def test_a_moment_that_nobody_remembers(tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path) -> None:
    """A watch that would go on from before what etcd knows is refused with 410, and all is listed anew."""
    event = (
        '{"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "Tried", "metadata": {"name": "NAME"},'
        ' "involvedObject": {"kind": "Pod", "name": "web", "namespace": "' + shared + '"}}'
    )

    async def story(lifecycle: Lifecycle) -> None:
        kubectl("create", "-n", shared, "-f", "-", input=event.replace("NAME", "gone"))
        async with viewed(lifecycle) as view:
            feed = view.feeds[kinds.EVENT.name, shared]
            assert len(feed.store) == 1
            compact(kubeconfig, feed.version)
            feed.synced.clear()
            feed.version = 1
            feed.cut()
            kubectl("delete", "event", "gone", "-n", shared)
            kubectl("create", "-n", shared, "-f", "-", input=event.replace("NAME", "late"))
            async with asyncio.timeout(60):
                await feed.synced.wait()
                await feed.reach(shared, "")
            (held,) = await view.list(kinds.EVENT, shared)
            assert held["metadata"]["name"] == "late"
            assert feed.listings == 2

    tell(story, shared)


def test_what_may_not_be_watched_is_listed(
    tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path, tmp_path: Path
) -> None:
    """Of a caller with rights in one namespace alone, who may not watch there either."""
    kubectl("create", "serviceaccount", "reader", "-n", shared)
    kubectl("create", "role", "reader", "-n", shared, "--verb=get,list", "--resource=*.*")
    kubectl("create", "rolebinding", "reader", "-n", shared, "--role=reader", f"--serviceaccount={shared}:reader")
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    token = kubectl("create", "token", "reader", "-n", shared)
    config["users"] = [{"name": one["name"], "user": {"token": token}} for one in config["users"]]
    (tmp_path / "config").write_text(json.dumps(config))

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        target = Target(kubeconfig=str(tmp_path / "config"), namespace=shared)
        weak = HelmOrchestrator(target)
        async with weak.keep_view():
            assert isinstance(weak.source, ClusterView)
            async with asyncio.timeout(60):
                await weak.source.begun()
            assert not any(feed.synced.is_set() for feed in weak.source.feeds.values())
            (release,) = await weak.list()
            assert release.services
        await weak.close()

    tell(story, shared)
