"""An orchestrator that runs nothing: releases in a dictionary, ready at once.

It keeps to the same contract as the one that talks to a cluster, so programs that use Tycho can be tested without
any. What it holds is shared by all that name the same target in this process.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tycho.chart import Chart, emit
from tycho.errors import NotFound
from tycho.model import Woven
from tycho.orchestrators import Patience, Target
from tycho.release import Check, Endpoint, Identity, Release, Revision, ServiceStatus

ADDRESS = "127.0.0.1"
FIRST_PORT = 30000


@dataclass(frozen=True, slots=True)
class Stored:
    """One revision, and what it was made of."""

    revision: Revision
    chart: Chart
    values: str


@dataclass(slots=True)
class System:
    """One system's revisions, oldest first."""

    identity: Identity
    created: datetime
    revisions: list[Stored] = field(default_factory=list)


_CLUSTERS: dict[str, dict[str, System]] = {}


class MemoryOrchestrator:
    """Keeps releases in memory.

    Args:
        target: `kubeconfig` and `context` name the memory, `namespace` is the one to share.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._systems = _CLUSTERS.setdefault(f"{target.kubeconfig}:{target.context}", {})

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
        """Add a revision, unless nothing changed."""
        system = self._systems.setdefault(identity.guid, System(identity, datetime.now(UTC)))
        said = json.dumps(values, sort_keys=True)
        if system.revisions and (last := system.revisions[-1]).chart.digest == chart.digest and last.values == said:
            note = f"{identity.name} is up to date (revision {last.revision.revision})"
            return self._release(system).model_copy(update={"notes": (note,)})
        self._add(system, chart, said, "Upgrade complete" if upgrade else "Install complete")
        release = self._release(system)
        patience.watch(release)
        return release

    async def list(self, *, name: str = "", username: str = "", services: bool = True) -> Sequence[Release]:
        """Every system, oldest first."""
        return [
            self._release(system)
            for system in self._systems.values()
            if (not name or system.identity.name == name)
            and (not username or system.identity.username == username)
            and (not self.target.namespace or system.identity.namespace == self.target.namespace)
        ]

    async def status(self, identity: Identity) -> Release:
        """One system, with its services."""
        return self._release(self._system(identity))

    async def down(self, identity: Identity, patience: Patience, *, keep_volumes: bool = False) -> Release:
        """Forget a system."""
        release = self._release(self._system(identity))
        del self._systems[identity.guid]
        return release

    async def history(self, identity: Identity) -> Sequence[Revision]:
        """The revisions, oldest first."""
        return [stored.revision for stored in self._system(identity).revisions]

    async def rollback(self, identity: Identity, revision: int, patience: Patience) -> Release:
        """Add a revision that is an earlier one again."""
        system = self._system(identity)
        current = system.revisions[-1].revision.revision
        wanted = revision or current - 1
        for stored in system.revisions:
            if stored.revision.revision == wanted:
                self._add(system, stored.chart, stored.values, f"Rollback to {wanted}")
                said = f"{identity.name}: revision {current} → {wanted}"
                return self._release(system).model_copy(update={"notes": (said,)})
        listed = ", ".join(str(stored.revision.revision) for stored in system.revisions)
        raise NotFound(f"{identity.name} has no revision {revision or 'before this'}", hint=f"it has: {listed}")

    async def push(self, archive: bytes, name: str, registry: str, *, plain_http: bool = False) -> str:
        """Nothing leaves a memory."""
        raise NotFound("the memory orchestrator has no way to a registry", hint="use -b helm")

    async def logs(
        self, identity: Identity, services: tuple[str, ...], *, follow: bool, tail: int
    ) -> AsyncIterator[str]:
        """Nothing runs, so nothing is written."""
        self._system(identity)
        for line in tuple[str]():
            yield line

    async def doctor(self) -> Sequence[Check]:
        """It needs nothing."""
        return [Check(name="memory", level="ok", said=f"{len(self._systems)} systems")]

    async def close(self) -> None:
        """Nothing to let go of."""

    def _system(self, identity: Identity) -> System:
        if identity.guid not in self._systems:
            raise NotFound(f'no system "{identity.release}" runs here', hint="`tycho status` lists what runs")
        return self._systems[identity.guid]

    def _add(self, system: System, chart: Chart, values: str, description: str) -> None:
        if system.revisions:
            last = system.revisions[-1]
            system.revisions[-1] = Stored(
                last.revision.model_copy(update={"state": "superseded"}), last.chart, last.values
            )
        number = len(system.revisions) + 1
        revision = Revision(
            revision=number,
            state="deployed",
            updated=datetime.now(UTC),
            chart=f"{chart.name}-{chart.version}",
            description=description,
        )
        system.revisions.append(Stored(revision, chart, values))

    def _release(self, system: System) -> Release:
        last = system.revisions[-1]
        port = FIRST_PORT + 100 * list(self._systems).index(system.identity.guid)
        services = []
        for name, said in _values(last.chart)["services"].items():
            targets = [one["targetPort"] for one in said.get("publish", {}).get("ports", {}).values()]
            endpoints = []
            for target in targets:
                endpoints.append(Endpoint(service=name, ip_address=ADDRESS, port=port, target=target))
                port += 1
            services.append(
                ServiceStatus(name=name, kind="Deployment", ready=1, wanted=1, done=True, endpoints=tuple(endpoints))
            )
        return Release(
            identity=system.identity,
            revision=last.revision.revision,
            created=system.created,
            updated=last.revision.updated,
            chart=last.revision.chart,
            services=tuple(services),
            simulated=True,
        )


def _values(chart: Chart) -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.safe_load(chart.files["values.yaml"])
    return found
