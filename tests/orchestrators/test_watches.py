"""Watches that are cut, refused or limited: what a view shows is true all the same, and nothing is lost."""

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
from starlette.testclient import TestClient

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tests.orchestrators.test_requests import count_requests
from tests.orchestrators.test_view import viewed
from tycho import kinds
from tycho.api import create_app
from tycho.errors import ClusterUnreachable
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Target
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.orchestrators.helm.view import ClusterView

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]


def test_the_service_starts_before_its_cluster() -> None:
    target = Target(kubeconfig="/nonexistent/kubeconfig")
    app = create_app(Lifecycle(HelmOrchestrator(target), target))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.post("/system/status", json={}).status_code == ClusterUnreachable.http_status


class Wire:
    """Carries bytes to the API server, until it is cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: list[Any] = []
        self.carries = True
        self.refusals = asyncio.Semaphore(0)  # one for each connection that it did not carry

    async def begin(self) -> int:
        self.server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return int(self.server.sockets[0].getsockname()[1])

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.carries:
            self.refusals.release()
            writer.transport.abort()
            return
        self._tasks.append(asyncio.current_task())
        beyond, there = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, there}
        await asyncio.gather(self._carry(reader, there), self._carry(beyond, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
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
    (configuration,) = kubeconfig.parent.glob("clusters/*/kwok.yaml")
    (port,) = set(re.findall(r"^ *etcdPort: (\d+)$", configuration.read_text(), re.MULTILINE))
    pki = configuration.parent / "pki"
    context = ssl.create_default_context(cafile=pki / "ca.crt")
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
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
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
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


def test_some_namespaces(tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path) -> None:
    """Of who names namespaces, those are watched, and what is elsewhere is not listed."""
    other = f"{shared}-other"
    kubectl("create", "namespace", other)

    async def story(lifecycle: Lifecycle) -> None:
        for namespace in (shared, other):
            target = Target(kubeconfig=str(kubeconfig), namespace=namespace)
            beside = Lifecycle(HelmOrchestrator(target), target)
            await beside.up(compiled(beside, web(), "here"), wait_options=QUICK)
            await beside.orchestrator.close()
        await lifecycle.up(compiled(lifecycle, web(), "elsewhere"), wait_options=QUICK)
        orchestrator = lifecycle.orchestrator
        assert isinstance(orchestrator, HelmOrchestrator)
        async with orchestrator.keep_view([shared, other]):
            assert isinstance(orchestrator.source, ClusterView)
            async with asyncio.timeout(60):
                await orchestrator.source.begun()
            asked = count_requests(lifecycle)
            listed = await lifecycle.status(name="here")
            assert {release.identity.namespace for release in listed} == {shared, other}
            assert all(release.ready for release in listed)
            for release in listed:
                assert await lifecycle.status([release.identity.guid]) == [release]
            assert asked == []

    tell(story)
    kubectl("delete", "namespace", other, "--wait=false")
