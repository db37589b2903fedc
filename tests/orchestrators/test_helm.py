"""The helm orchestrator and a real API server: what goes on from where others stopped, and what is never left."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tycho.errors import Conflict, NotFound, OrchestratorError, WaitTimeout
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import process
from tycho.ownership import Caller
from tycho.settings import settings

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]
ADA = Caller("ada")


def use(monkeypatch: pytest.MonkeyPatch, program: Path, script: str) -> None:
    """Put a helm of one's own before the real one."""
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("TYCHO_HELM", str(program))
    settings.cache_clear()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("way", ["killed", "cancelled"])
@pytest.mark.parametrize("before", ["nothing", "a good revision"])
def test_up_goes_on_after_a_helm_that_was_cut_short(
    tell: Tell, shared: str, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, helm: Path,
    way: str, before: str,
) -> None:  # fmt: skip
    never = web("2", annotations={"tycho.dev/simulate": "NotReady"})
    monkeypatch.setattr(process, "WRITING", 1.0)  # this helm waits for what never becomes ready
    pids = tmp_path / "pid"
    waits = f'case "$1" in install|upgrade) echo $$ > {pids}; exec {helm} "$@" --wait;; esac; exec {helm} "$@"'

    def pending() -> bool:
        return "pending" in kubectl("get", "secrets", "-n", shared, "-l", "owner=helm", "-L", "status")

    async def story(lifecycle: Lifecycle) -> None:
        if before != "nothing":
            await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        use(monkeypatch, tmp_path / "helm", waits)
        starting = asyncio.create_task(lifecycle.up(compiled(lifecycle, never), wait_options=QUICK))
        await until(pending)
        if way == "killed":
            os.kill(int(pids.read_text()), signal.SIGKILL)
            with pytest.raises(OrchestratorError):
                await starting
        else:
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting
        assert not Path(f"/proc/{pids.read_text().strip()}").exists()
        monkeypatch.setenv("TYCHO_HELM", str(helm))
        settings.cache_clear()
        release = await lifecycle.up(compiled(lifecycle, web("3")), wait_options=QUICK)
        assert release.ready
        if way == "killed":
            assert "cut short" in release.notes[0]
        history = await lifecycle.history("one")
        assert [revision.state for revision in history if revision.state not in ("superseded", "failed")] == [
            "deployed"
        ]

    tell(story, shared)


def test_a_start_that_comes_to_nothing_leaves_nothing(
    tell: Tell, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, helm: Path
) -> None:
    refuses = (
        f'case "$1" in version|template) exec {helm} "$@";; esac; echo "Error: INSTALLATION FAILED: no" >&2; exit 1'
    )

    async def story(lifecycle: Lifecycle) -> None:
        use(monkeypatch, tmp_path / "helm", refuses)
        with pytest.raises(OrchestratorError, match="no"):
            await lifecycle.up(compiled(lifecycle, web(), "nothing"), wait_options=QUICK)
        await until(lambda: "nothing-" not in kubectl("get", "namespaces", "-o", "name"))

    tell(story)


def test_what_somebody_took_away_is_made_again(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        first = await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        name = f"{first.identity.release}-web"
        kubectl("delete", "deployment", name, "-n", shared)
        again = await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        assert again.notes == (f"made again what was gone: Deployment {name}",)
        assert (again.ready, again.revision) == (True, 2)

    tell(story, shared)


def test_what_cannot_be_changed_is_made_anew(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    opened = {"db": {"image": "db", "expose": ["5432"]}}
    closed = {"db": {**opened["db"], "deploy": {"endpoint_mode": "dnsrr"}}}

    def address() -> str:
        where = "-n", shared, "-l", "app.kubernetes.io/component=db"
        return kubectl("get", "service", *where, "-o", "jsonpath={.items[*].spec.clusterIP}")

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, closed), wait_options=QUICK)
        assert address() == "None"
        release = await lifecycle.up(compiled(lifecycle, opened), wait_options=QUICK)
        assert release.notes == ("re-created db's network name; db was not restarted",)
        assert address() not in ("", "None")
        await lifecycle.rollback("one", wait_options=QUICK)
        assert address() == "None"

    tell(story, shared)


def test_a_port_of_the_nodes_that_is_taken(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    """Nothing is made, and the owner is named; so it is where somebody else is quicker."""
    services = {"web": {"image": "nginx:1", "ports": ["30777:80"]}}
    kubectl("create", "service", "nodeport", "theirs", "-n", shared, "--tcp=80", "--node-port=30777")

    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(Conflict) as taken:
            await lifecycle.up(compiled(lifecycle, services), wait_options=QUICK)
        assert taken.value.message == (
            "port 30777, which web publishes, is taken on this cluster by the Service theirs in namespace " + shared
        )
        assert not await lifecycle.status(name="one")

    tell(story, shared)


def test_a_volume_never_shrinks(tell: Tell, shared: str) -> None:
    def sized(size: str) -> dict[str, Any]:
        return {"services": web(volumes=["data:/data"]), "volumes": {"data": {"driver_opts": {"size": size}}}}

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, **sized("2Gi")), wait_options=QUICK)
        with pytest.raises(Conflict, match="cannot change its size to a smaller one"):
            await lifecycle.up(compiled(lifecycle, **sized("1Gi")), wait_options=QUICK)
        assert (await lifecycle.find("one")).revision == 1

    tell(story, shared)


def test_a_job_that_is_done_stays_done_when_one_goes_back(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    def jobs() -> set[str]:
        return set(kubectl("get", "jobs", "-n", shared, "-o", "jsonpath={.items[*].metadata.uid}").split())

    def migrate(what: str) -> dict[str, Any]:
        return {"job": {"image": "m", "command": [what], "restart": "no"}}

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, migrate("one")), wait_options=QUICK)
        first = jobs()
        lines: list[str] = []
        wait_options = WaitOptions(timeout=QUICK.timeout, tell=lines.append)
        release = await lifecycle.up(compiled(lifecycle, migrate("two")), wait_options=wait_options)
        assert lines == ["job runs again: its job is not the one that has run"]
        both = jobs()
        assert release.services[0].done
        assert first < both
        back = await lifecycle.rollback("one", 1, wait_options=QUICK)
        assert back.services[0].done
        assert jobs() == both
        await lifecycle.down(["one"], wait_options=QUICK, each=lambda removal: None)
        assert jobs() == set()

    tell(story, shared)


def test_nothing_is_left(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    kinds = kubectl("api-resources", "--verbs=list", "--namespaced", "-o", "name").split()
    asked = ",".join(kind for kind in kinds if not kind.startswith("events"))

    def everything() -> set[str]:
        return set(kubectl("get", asked, "-n", shared, "-o", "name").split())

    whole: dict[str, Any] = {
        "services": {
            "web": {"image": "nginx:1", "ports": ["80"], "environment": {"A": "${A:-b}"}, "depends_on": {
                "db": {"condition": "service_healthy"}}},
            "db": {"image": "db", "volumes": ["data:/data"], "healthcheck": {"test": ["CMD", "true"]}},
            "job": {"image": "m", "restart": "no"},
        },
        "volumes": {"data": {}},
    }  # fmt: skip

    async def story(lifecycle: Lifecycle) -> set[str]:
        await lifecycle.up(compiled(lifecycle, **whole), wait_options=QUICK)
        return everything()

    before = everything()
    during = tell(story, shared)
    assert {"PersistentVolumeClaim", "Job"} <= {"PersistentVolumeClaim" if "claim" in entry else "Job" if "job" in entry
                                                else entry for entry in during - before}  # fmt: skip
    assert everything() == before


@pytest.mark.parametrize("own", [True, False], ids=["own namespace", "shared namespace"])
def test_kept_volumes_are_used_again(tell: Tell, shared: str, kubectl: Kubectl, own: bool) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        system = compiled(lifecycle, web(volumes=["data:/data"]), "keeps", volumes={"data": {}})
        first = await lifecycle.up(system, caller=ADA, wait_options=QUICK)
        identity, lines = first.identity, list[str]()
        namespace, claims = identity.namespace, ("get", "pvc", "-n", identity.namespace, "-o")
        where = {"ids": ["keeps"], "caller": ADA, "each": lambda removal: None}
        (removal,) = await lifecycle.down(
            **where, wait_options=WaitOptions(timeout=90, tell=lines.append), keep_volumes=True
        )
        assert lines[0] == "keeps: removing it; its volumes will be kept: data (1Gi)"
        assert removal.release
        assert removal.release.notes == (
            f"kept volume data (1Gi) in namespace {namespace}",
            f"`tycho up` uses them again; `tycho down {identity.guid[:8]}` deletes them",
        )
        left = kubectl("get", "all,pvc,configmap,secret", "-n", namespace, "-o", "name").split()
        assert left == [f"persistentvolumeclaim/{identity.release}-data", "configmap/kube-root-ca.crt"]
        claim = kubectl(*claims, "jsonpath={.items[*].metadata.uid}")
        (kept,) = await lifecycle.status(name="keeps")
        assert (kept.state, kept.volumes, kept.identity, kept.ready) == ("kept", ("data",), identity, False)
        who: dict[str, Any] = {"caller": ADA, "wait_options": QUICK}
        rollback, restart = lifecycle.rollback("keeps", **who), lifecycle.restart("keeps", **who)
        for verb in (lifecycle.history("keeps"), rollback, restart, anext(lifecycle.logs("keeps"))):
            with pytest.raises(NotFound, match="keeps does not run; its volumes are kept: data"):
                await verb
        with pytest.raises(Conflict, match=r"volumes of a system keeps are kept here \(data\): it is ada's"):
            await lifecycle.up(system, caller=Caller("eve"), wait_options=QUICK)
        again = await lifecycle.up(system, caller=ADA, wait_options=QUICK)
        assert (again.identity, again.state) == (identity, "deployed")
        assert kubectl(*claims, "jsonpath={.items[*].metadata.uid}") == claim
        await lifecycle.down(**where, wait_options=QUICK, keep_volumes=True)
        (removal,) = await lifecycle.down(**where, wait_options=QUICK)
        assert removal.release
        assert removal.release.notes == ("deleted volume data (1Gi)",)
        assert list(await lifecycle.status(name="keeps")) == []
        assert kubectl(*claims, "name") == ""

    tell(story, "" if own else shared)


def test_down_waits_for_what_others_hold_and_forces_nothing(tell: Tell, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        release = await lifecycle.up(compiled(lifecycle, web(), "held"), wait_options=QUICK)
        where = "service", "web", "-n", release.identity.namespace
        kubectl("patch", *where, "-p", '{"metadata": {"finalizers": ["example.com/mine"]}}')
        (removal,) = await lifecycle.down(["held"], wait_options=WaitOptions(timeout=3), each=lambda removal: None)
        assert isinstance(removal.error, WaitTimeout)
        assert "Service web (finalizers: example.com/mine)" in removal.error.message
        (going,) = await lifecycle.status(name="held")
        assert going.state == "uninstalling"
        kubectl("patch", *where, "-p", '{"metadata": {"finalizers": null}}')
        (removal,) = await lifecycle.down(["held"], wait_options=QUICK, each=lambda removal: None)
        assert removal.error is None
        assert not await lifecycle.status(name="held")

    tell(story)
