"""The verbs that begin from what a release was made of: reading it back, and giving its chart other values."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tycho import workspace
from tycho.chart import find_ungranted, values_yaml
from tycho.choices import check_revision
from tycho.errors import NotFound, OrchestratorError, PreconditionFailed
from tycho.kube.objects import KubeObject
from tycho.model import Rights
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import lease, nodeports, prune, recovery, releases, snapshots
from tycho.orchestrators.helm.helm_program import program
from tycho.orchestrators.helm.observer import Observer
from tycho.orchestrators.helm.process import ENDING, Helm
from tycho.orchestrators.helm.rendering import refuse, split
from tycho.orchestrators.helm.stored import read_stored, rebuild_chart
from tycho.orchestrators.helm.tracking import TrackVerbs
from tycho.orchestrators.helm.waiting import Deadline
from tycho.release import Drift, Identity, Release
from tycho.stored import StoredRelease
from tycho.suspension import is_paused

HELM_LABELS = frozenset({"name", "owner", "status", "version", "createdAt", "modifiedAt"})  # which Helm itself sets


class ModifyVerbs(TrackVerbs):
    """The verbs of an orchestrator that begin from what a release was made of."""

    helm: Helm

    async def contents(self, identity: Identity, revision: int = 0) -> StoredRelease:
        """What a revision was made of; 0 is the running one.

        Raises:
            NotFound: There is no such revision.
        """
        known = [releases.read_number(secret) for secret in await releases.list_revisions(self.api, identity)]
        number = revision or max(known, default=0)
        if number not in known:
            listed = ", ".join(map(str, known))
            raise NotFound(f"{identity.name} has no revision {number}", hint=f"it has: {listed}")
        return await read_stored(self.api, identity, number)

    async def change_values(
        self, identity: Identity, values: Mapping[str, Any], wait_options: WaitOptions, *, revision: int
    ) -> Release:
        """Upgrade the release to its own chart with other values.

        Raises:
            PreconditionFailed: Somebody has changed it since the values were made.
            PolicyDenied: With these values it asks for more than it does now.
            OperationInProgress: Somebody else is changing this release.
        """
        await program()
        deadline = Deadline(wait_options)
        async with lease.hold_lease(self.api, identity, wait_options.tell):
            notes, last = await recovery.recover_release(self.api, self.helm, identity, wait_options)
            if last is None:
                raise PreconditionFailed(f"{identity.name} does not run any more", hint="look again")
            check_revision(identity, revision, releases.read_number(last))
            stored = await releases.read_payload(self.api, identity, revision)
            if _is_made_of(stored, last, values) and not await self._list_taken_back(identity, revision, wait_options):
                notes += (f"{identity.name} is up to date (revision {revision})",)
                observer = Observer()
            else:
                observer = Observer(await snapshots.list_pods(self.api, identity))
                notes += await self._upgrade(identity, stored, last, values, deadline)
        return await self._settle(identity, deadline, notes, observer)

    async def _list_taken_back(self, identity: Identity, revision: int, wait_options: WaitOptions) -> Sequence[Drift]:
        """List what others have changed, where that is to be taken back."""
        if not wait_options.force_conflicts:
            return ()
        from tycho.orchestrators.helm.drift import list_drift

        return await list_drift(self.api, identity, revision)

    async def _upgrade(
        self, identity: Identity, stored: KubeObject, last: KubeObject, values: Mapping[str, Any], deadline: Deadline
    ) -> tuple[str, ...]:
        """Upgrade a release to its own chart with other values, once what they make is judged."""
        chart, text = rebuild_chart(stored), values_yaml(values).encode()
        kept_labels = {
            key: value for key, value in (last["metadata"].get("labels") or {}).items() if key not in HELM_LABELS
        }
        kept_labels["tycho-values"] = releases.digest_values(values)
        kept_labels[releases.PAUSED] = "true" if is_paused(values) else "null"  # by which helm takes a label away
        labels = ",".join(f"{key}={value}" for key, value in kept_labels.items())
        with workspace.temporary("chart") as folder:
            path = folder / "chart.tgz"
            workspace.write(path, await asyncio.to_thread(chart.archive))
            rendered = await self._render(identity, stored, path, text)
            await nodeports.check_node_ports(self.api, identity, rendered)
            notes = await prune.prepare_upgrade(self.api, identity, rendered, deadline.wait_options.tell)
            argv = ["upgrade", identity.release, str(path), "--values", "-", "--labels", labels]
            await self._helm(argv, identity, deadline, text)
        return notes + await prune.prune_orphans(self.api, identity)

    async def _render(self, identity: Identity, stored: KubeObject, path: Path, text: bytes) -> list[KubeObject]:
        """Render a chart; what it asks for and the running revision does not is refused, for no policy is asked."""
        argv = ["template", identity.release, str(path), "--namespace", identity.namespace, "--values", "-"]
        documents = list(split((await self.helm.run(argv, input=text)).decode()))
        before = set(find_ungranted(Rights(), split(stored.get("manifest") or ""), lambda path: ("", 0)))
        refuse(set(find_ungranted(Rights(), documents, lambda path: ("", 0))) - before)
        return [dict(obj) for _, obj in documents]

    async def _helm(
        self, verb: Sequence[str], identity: Identity, deadline: Deadline, values: bytes | None = None
    ) -> None:
        """A verb of helm that waits for nothing: it is Tycho that watches the pods."""
        kept = await recovery.list_options(verb[0])
        kept += recovery.list_force(deadline.wait_options) if verb[0] != "install" else []
        options = ["--namespace", identity.namespace, "--timeout", f"{deadline.left:.3f}s", *kept]
        try:
            await self.helm.run([*verb, *options], input=values, timeout=deadline.left + ENDING)
        except OrchestratorError:
            await self.source.reach(identity)
            raise


def _is_made_of(stored: KubeObject, last: KubeObject, values: Mapping[str, Any]) -> bool:
    """Return whether a revision is good, and was made of these values: one that failed may have changed nothing."""
    same = (stored.get("config") or {}) == values and releases.is_paused(last) == is_paused(values)
    return same and releases.read_status(last) == "deployed"
