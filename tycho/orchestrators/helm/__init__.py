"""Kubernetes through Helm: every system is a release, and the cluster is the only memory.

up:   render -> judge -> namespace -> lease -> recover -> helm install|upgrade -> leftovers -> watch
down: lease -> helm uninstall -> leftovers -> volumes -> namespace
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from tycho import workspace
from tycho.chart import Chart, values_yaml
from tycho.errors import NotFound, OrchestratorError
from tycho.expiry import find_terms
from tycho.kube.client import KubeClient
from tycho.kube.reviews import read_user
from tycho.orchestrators import NO_LABELS, Instance, Target, WaitOptions
from tycho.orchestrators.charts import ChartVerbs
from tycho.orchestrators.helm import (
    entering,
    expiry_labels,
    going_back,
    lease,
    namespaces,
    nodeports,
    prune,
    recovery,
    releases,
    snapshots,
    systems,
    volumes,
)
from tycho.orchestrators.helm.comparing import CompareVerbs, choose_revision
from tycho.orchestrators.helm.expiry import ExpiryVerbs
from tycho.orchestrators.helm.facts import with_facts
from tycho.orchestrators.helm.helm_program import program
from tycho.orchestrators.helm.modification import ModifyVerbs
from tycho.orchestrators.helm.observer import Observer
from tycho.orchestrators.helm.process import Helm
from tycho.orchestrators.helm.reading import ReadVerbs
from tycho.orchestrators.helm.rendering import Packed
from tycho.orchestrators.helm.view import ClusterView
from tycho.orchestrators.helm.view_lists import ClusterLists, Source
from tycho.orchestrators.helm.waiting import Deadline
from tycho.release import Identity, Release
from tycho.usernames import same_user

ROOM = 1024 * 1024  # of the Secret that helm keeps a release in


class HelmOrchestrator(CompareVerbs, ExpiryVerbs, ModifyVerbs, ReadVerbs, ChartVerbs):
    """Runs charts as Helm releases.

    A first start that fails is left in place, so that one can look; the next `up` goes on from it, `down` removes it.

    Args:
        target: Kubeconfig, context, and the namespace to share.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.api = KubeClient(target.kubeconfig, target.context)
        self.helm = Helm(target)
        self.source: Source = ClusterLists(self.api)

    async def run(self, chart: Chart, instance: Instance, values: Mapping[str, Any]) -> Release:
        """Install a chart, or upgrade what runs under this identity to it.

        Raises:
            StartFailed: A service cannot become ready.
            WaitTimeout: It did not become ready in time.
            OperationInProgress: Somebody else is changing this release.
            OrchestratorError: Any of these, with what became of going back, where that was asked for.
            PolicyDenied: It asks for what no policy granted; nothing was made.
        """
        if chart.weight > ROOM:
            raise OrchestratorError(
                f"{chart.name} takes {chart.weight >> 10} KiB as a release, and helm has room for {ROOM >> 10}",
                hint="split the system, or copy files of the project into images",
            )
        await program()
        identity, deadline = instance.identity, Deadline(instance.wait_options)
        whole = await with_facts(self.api, chart, identity, values)
        with workspace.temporary("chart") as folder:
            packed = Packed(chart, folder / "chart.tgz", values_yaml(whole).encode())
            workspace.write(packed.path, chart.archive())
            if not instance.upgrade:
                await packed.render(self.helm, self.api, identity)
            observer = Observer(await snapshots.list_pods(self.api, identity) if instance.upgrade else None)
            undoes, made = going_back.asks_for_rollback(instance), 0
            before = await releases.find_newest(self.api, identity) if undoes else 0
            try:
                async with entering.enter_namespace(self.api, identity, deadline) as new:
                    notes = await self._change(packed, instance, whole, deadline, new=new)
                    made = await releases.find_newest(self.api, identity) if undoes else 0
                return await self._settle(identity, deadline, notes, observer)
            except OrchestratorError as error:
                if not undoes:
                    raise
                raise await going_back.undo_upgrade(self.api, instance, error, before, made, self.rollback) from error

    async def list(
        self, *, name: str = "", username: str = "", labels: Mapping[str, str] = NO_LABELS, services: bool = True
    ) -> Sequence[Release]:
        """Every system in the target, oldest first."""
        return [
            release
            for release in await systems.list_systems(
                self.source, self.target.namespace, services=services, labels=labels
            )
            if (not name or release.identity.name == name)
            and (not username or same_user(release.identity.username, username))
        ]

    async def find(self, id: str) -> Sequence[Release]:
        """The systems that a GUID, `<name>-<guid>` or a release's name means, without listing all."""
        return await systems.find_systems(self.source, self.target.namespace, id)

    @contextlib.asynccontextmanager
    async def keep_view(self, namespaces: Sequence[str] = ()) -> AsyncIterator[None]:
        """Keep up with what happens by watches; entering never fails, and what is not in sync is listed.

        Args:
            namespaces: In these alone, where one may not look at others; by default in the target's, or in all.
        """
        lists, view = self.source, ClusterView(self.api, tuple(namespaces) or (self.target.namespace,))
        async with view:
            self.source = view
            try:
                yield
            finally:
                self.source = lists

    async def status(self, identity: Identity) -> Release:
        """One system, with its services."""
        return await systems.read_system(self.source, identity, Observer())

    async def down(
        self, identity: Identity, wait_options: WaitOptions, *, keep_volumes: bool = False, revision: int = 0
    ) -> Release:
        """Remove a release, what it left, its volumes and its namespace.

        Raises:
            PreconditionFailed: It has another revision by now.
            WaitTimeout: Something would not go; it is named, with what holds it. Nothing is forced.
        """
        from tycho.orchestrators.helm import removal

        deadline = Deadline(wait_options)
        last = await self.status(identity)
        try:
            notes = await removal.remove_system(
                self.api, self.helm, last, deadline, keep_volumes=keep_volumes, revision=revision
            )
        finally:
            await self.source.reach(identity)
        return last.model_copy(update={"notes": notes})

    async def rollback(self, identity: Identity, revision: int, wait_options: WaitOptions) -> Release:
        """Make an earlier revision the running one, as a new revision.

        Raises:
            NotFound: No such revision, or none that was ever good.
        """
        await program()
        deadline = Deadline(wait_options)
        async with lease.hold_lease(self.api, identity, deadline.wait_options.tell):
            notes, last = await recovery.recover_release(self.api, self.helm, identity, wait_options)
            if last is None:
                raise NotFound(f"{identity.name} has no revision", hint="`tycho up` starts it")
            target = choose_revision(identity, await releases.list_revisions(self.api, identity), revision)
            observer = Observer(await snapshots.list_pods(self.api, identity))
            notes += await prune.prepare_rollback(self.api, identity, target)
            await self._helm(["rollback", identity.release, str(target)], identity, deadline)
            notes += await prune.prune_orphans(self.api, identity)
        release = await self._settle(identity, deadline, notes, observer)
        note = f"rolled back to revision {target} (now revision {release.revision})"
        return release.model_copy(update={"notes": (note, *release.notes)})

    async def restart(self, identity: Identity, services: tuple[str, ...], wait_options: WaitOptions) -> Release:
        """Roll the services' workloads out anew.

        Raises:
            UsageError: One of the services is a job.
            StartFailed: A service cannot become ready again.
            WaitTimeout: It did not become ready in time.
        """
        from tycho.orchestrators.helm import restart

        deadline = Deadline(wait_options)
        async with lease.hold_lease(self.api, identity, deadline.wait_options.tell):
            observer = Observer(await snapshots.list_pods(self.api, identity))
            notes = await restart.restart_workloads(self.api, identity, services)
        return await self._settle(identity, deadline, notes, observer)

    async def user(self) -> str:
        """Who the cluster takes the caller for; "" for its administrator."""
        return await read_user(self.api)

    async def ping(self) -> None:
        """Ask the API server for its version, which everybody may who has a name there."""
        await self.api.get("/version")

    def gauges(self) -> Mapping[str, float]:
        """Systems that are being changed, and helms that run or wait for their turn."""
        slots = self.helm.slots
        return {
            "systems_at_work": len(self.api.lease_holder.held),
            "helm_running": slots.held,
            "helm_waiting": slots.waiting,
        }

    async def close(self) -> None:
        """Let go of connections and temporary files, once helm does not write any more."""
        await self.helm.settle()
        self.api.close()
        self.helm.close()

    async def _change(
        self, packed: Packed, instance: Instance, whole: Mapping[str, Any], deadline: Deadline, *, new: bool
    ) -> tuple[str, ...]:
        """Make the cluster what the chart says; return what else was done.

        Args:
            packed: The chart, as helm takes it.
            instance: What to run, and how.
            whole: The values of the release.
            deadline: When the verb has to end.
            new: Whether the namespace was just made, and holds no revision.
        """
        chart, text, identity, options = packed.chart, packed.values, instance.identity, instance.wait_options
        notes, last = ((), None) if new else await recovery.recover_release(self.api, self.helm, identity, options)
        labels = releases.make_labels(identity, chart, whole, last, self.now())
        labels |= expiry_labels.make_labels(find_terms(whole), upgrade=last is not None)
        if last is not None and releases.is_unchanged(last, labels) and await self.is_made_of(identity, last, whole):
            number = releases.read_number(last)
            drifts = await self._list_taken_back(identity, number, options)
            missing = await prune.list_missing(self.api, identity, number)
            if not missing and not drifts:
                await self._restart_clock(identity, last)
                return (*notes, f"{identity.name} is up to date (revision {number})")
            notes += (f"made again what was gone: {', '.join(missing)}",) if missing else ()
            notes += tuple(dict.fromkeys(f"took back {drift.kind} {drift.name}" for drift in drifts if drift.path))
        rendered = await packed.render(self.helm, self.api, identity)
        warnings, _, _ = await asyncio.gather(
            volumes.explain_empty(self.api, chart),
            namespaces.refuse_name_clash(self.api, identity, chart, whole),
            nodeports.check_node_ports(self.api, identity, rendered),
        )
        notes += warnings
        words = ["--values", "-", "--labels", ",".join(f"{key}={value}" for key, value in labels.items())]
        if last is None:
            await self._helm(["install", identity.release, str(packed.path), *words], identity, deadline, text)
            return notes
        notes += await prune.prepare_upgrade(self.api, identity, rendered, deadline.wait_options.tell)
        await self._helm(["upgrade", identity.release, str(packed.path), *words], identity, deadline, text)
        return notes + await prune.prune_orphans(self.api, identity)
