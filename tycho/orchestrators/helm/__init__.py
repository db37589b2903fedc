"""Kubernetes through Helm: every system is a release, and the cluster is the only memory.

up:   lease -> recover -> namespace -> helm install|upgrade -> leftovers -> watch
down: lease -> helm uninstall -> leftovers -> volumes -> namespace
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tycho.chart import Chart, emit, values_yaml
from tycho.errors import Conflict, Forbidden, NotFound, OrchestratorError
from tycho.model import Woven
from tycho.orchestrators import Patience, Target
from tycho.orchestrators.helm import (
    cluster,
    lease,
    leavings,
    logs,
    namespaces,
    recovery,
    registry,
    releases,
    waiting,
)
from tycho.orchestrators.helm.api import Api
from tycho.orchestrators.helm.checks import checks
from tycho.orchestrators.helm.process import Helm
from tycho.release import Check, Identity, Release, Revision

HISTORY = "10"  # revisions that helm keeps


class HelmOrchestrator:
    """Runs charts as Helm releases.

    A first start that fails is left in place, so that one can look; the next `up` goes on from it, `down` removes it.

    Args:
        target: Kubeconfig, context, and the namespace to share.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.api = Api(target)
        self.helm = Helm(target)

    def compile(self, woven: Woven, *, strict: bool = False, version: str = "") -> Chart:
        """A woven system as a chart."""
        return emit(woven, strict=strict, version=version)

    async def up(
        self,
        chart: Chart,
        identity: Identity,
        values: Mapping[str, Any],
        patience: Patience,
        *,
        upgrade: bool,
    ) -> Release:
        """Install a chart, or upgrade what runs under this identity to it.

        Raises:
            StartFailed: A service cannot become ready.
            Deadline: It did not become ready in time.
            Busy: Somebody else is changing this release.
        """
        text = values_yaml(values).encode()
        said = releases.labels(
            identity,
            compose=_annotation(chart, "compose"),
            policies=_annotation(chart, "policies"),
            chart=f"{chart.name}-{chart.version}",
            values=hashlib.sha256(chart.digest.encode() + text).hexdigest(),
        )
        await namespaces.ensure(self.api, identity)
        async with lease.held(self.api, identity):
            notes, last = await recovery.recover(self.api, self.helm, identity) if upgrade else ((), None)
            if last is not None and releases.same(last, said):
                release = await self.status(identity)
                return release.model_copy(
                    update={"notes": (f"{identity.name} is up to date (revision {release.revision})",)}
                )
            await namespaces.unhijacked(self.api, identity, chart)
            before = await leavings.prepare(self.api, self.helm, identity, chart, text) if last is not None else ()
            with tempfile.TemporaryDirectory(prefix="tycho-chart-") as folder:
                archive = Path(folder) / "chart.tgz"
                archive.write_bytes(chart.archive())
                await self._install(identity, str(archive), text, said, patience, upgrade=last is not None)
            notes += await leavings.sweep(self.api, identity) if last is not None else ()
            return await self._settle(identity, patience, (*notes, *before))

    async def list(self, *, name: str = "", username: str = "", services: bool = True) -> Sequence[Release]:
        """Every system in the target, oldest first."""
        namespace = self.target.namespace
        if services:
            found, seen = await asyncio.gather(releases.every(self.api, namespace), cluster.look(self.api, namespace))
            found = [cluster.with_services(release, seen) for release in found]
        else:
            found = await releases.every(self.api, namespace)
        found += await namespaces.lost(self.api, found) if not namespace else []
        return [
            one
            for one in found
            if (not name or one.identity.name == name) and (not username or one.identity.username == username)
        ]

    async def status(self, identity: Identity) -> Release:
        """One system, with its services."""
        every, seen = await asyncio.gather(
            releases.every(self.api, identity.namespace),
            cluster.look(self.api, identity.namespace, f"app.kubernetes.io/instance={identity.release}"),
        )
        for release in every:
            if release.identity.guid == identity.guid:
                return cluster.with_services(release, seen)
        raise NotFound(f'no system "{identity.release}" runs here', hint="`tycho status` lists what runs")

    async def down(self, identity: Identity, patience: Patience, *, keep_volumes: bool = False) -> Release:
        """Remove a release, what it left, its volumes and its namespace.

        Raises:
            Deadline: Something would not go; it is named, with what holds it. Nothing is forced.
        """
        try:
            last = await self.status(identity)
        except NotFound:
            last = Release(identity=identity, state="lost")
        if await namespaces.going(self.api, identity):  # somebody else has begun: there is nothing left to hold
            await namespaces.remove(self.api, identity, patience)
            return last
        async with lease.held(self.api, identity):
            if last.state != "lost":
                await self._uninstall(identity, patience)
            kept = await leavings.remove(self.api, identity, patience, keep_volumes=keep_volumes)
        if identity.own_namespace and not kept:
            await namespaces.remove(self.api, identity, patience)
        notes = tuple(f"kept volume {claim} in namespace {identity.namespace}" for claim in kept)
        return last.model_copy(update={"notes": notes})

    async def history(self, identity: Identity) -> Sequence[Revision]:
        """The revisions that Helm keeps, oldest first."""
        return await releases.history(self.api, identity)

    async def rollback(self, identity: Identity, revision: int, patience: Patience) -> Release:
        """Make an earlier revision the running one, as a new revision.

        Raises:
            NotFound: No such revision, or none that was ever good.
        """
        async with lease.held(self.api, identity):
            notes, _ = await recovery.recover(self.api, self.helm, identity)
            known = await releases.revisions(self.api, identity)
            current = releases.number(known[-1])
            wanted = revision or releases.last_good(known, current)
            numbers = [releases.number(one) for one in known]
            if wanted not in numbers or wanted == 0:
                listed = ", ".join(map(str, numbers))
                raise NotFound(f"{identity.name} has no revision {revision or 'before this'}", hint=f"it has: {listed}")
            await leavings.prepare_rollback(self.api, identity, wanted)
            await self.helm.run(
                ["rollback", identity.release, str(wanted), "--namespace", identity.namespace,
                 "--history-max", HISTORY, "--timeout", f"{patience.timeout:g}s"],
                timeout=patience.timeout + 30,
            )  # fmt: skip
            notes += await leavings.sweep(self.api, identity)
            said = f"{identity.name}: revision {current} → {wanted}"
            return await self._settle(identity, patience, (said, *notes))

    async def push(self, archive: bytes, name: str, registry_url: str, *, plain_http: bool = False) -> str:
        """Send a packaged chart to a registry; returns `reference@digest`."""
        return await registry.push(self.helm, archive, name, registry_url, plain_http=plain_http)

    def logs(self, identity: Identity, services: tuple[str, ...], *, follow: bool, tail: int) -> AsyncIterator[str]:
        """Lines of the services' logs, prefixed with the pod's name."""
        return logs.lines(self.api, identity, services, follow=follow, tail=tail)

    async def doctor(self) -> Sequence[Check]:
        """Helm, the cluster, rights, metrics."""
        return await checks(self.api, self.helm)

    async def close(self) -> None:
        """Let go of connections and temporary files."""
        self.api.close()
        self.helm.close()

    async def _install(
        self,
        identity: Identity,
        archive: str,
        values: bytes,
        labels: Mapping[str, str],
        patience: Patience,
        *,
        upgrade: bool,
    ) -> None:
        """`helm install` or `helm upgrade`, which wait for nothing: it is Tycho that watches the pods."""
        verb = ["upgrade", identity.release, archive] if upgrade else ["install", identity.release, archive]
        if upgrade:
            verb += ["--history-max", HISTORY, "--reset-values"]
        said = ",".join(f"{key}={value}" for key, value in labels.items())
        await self.helm.run(
            [*verb, "--namespace", identity.namespace, "--values", "-", "--labels", said, "--output", "json",
             "--timeout", f"{patience.timeout:g}s"],
            input=values,
            timeout=patience.timeout + 30,
        )  # fmt: skip

    async def _uninstall(self, identity: Identity, patience: Patience) -> None:
        from tycho.orchestrators.helm.command import client

        try:
            await client(self.helm).uninstall_release(
                identity.release, namespace=identity.namespace, wait=True, timeout=f"{patience.timeout:g}s"
            )
        except NotFound:
            return
        except (Conflict, Forbidden):
            raise
        except OrchestratorError:
            # An earlier `down` may have been cut short after helm had begun: what is left is removed by label.
            if await releases.revisions(self.api, identity):
                raise

    async def _settle(self, identity: Identity, patience: Patience, notes: tuple[str, ...]) -> Release:
        release = await waiting.ready(lambda: self.status(identity), patience)
        return release.model_copy(update={"notes": notes})


def _annotation(chart: Chart, what: str) -> str:
    """A digest that the chart carries in its metadata: `tycho.dev/<what>: "…"`."""
    found = re.search(rf'^  tycho\.dev/{what}: "([0-9a-f]+)"$', str(chart.files["Chart.yaml"]), re.MULTILINE)
    return found[1] if found else ""
