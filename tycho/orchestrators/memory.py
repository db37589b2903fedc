"""An orchestrator that runs nothing: releases in a dictionary, ready at once.

It keeps to the same contract as the one that talks to a cluster, so programs that use Tycho can be tested without
any. What it holds is shared by all that name the same target in this process.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any, ClassVar

from tycho.chart import Chart, find_origin, find_user, without_origin
from tycho.choices import check_revision, is_exact
from tycho.errors import NotFound, NotSupported
from tycho.orchestrators import (
    NO_LABELS,
    Artifact,
    Connection,
    ExecRequest,
    Instance,
    LogRequest,
    Streams,
    Target,
    WaitOptions,
)
from tycho.orchestrators.charts import ChartVerbs
from tycho.orchestrators.memory_revisions import Stored, SystemRevisions
from tycho.orchestrators.moments import TimedSystems
from tycho.orchestrators.polling import PollingVerbs
from tycho.orchestrators.simulation import FIRST_PORT, has_labels, simulate_services
from tycho.release import Check, Event, Identity, Release, Revision
from tycho.stored import StoredRelease
from tycho.suspension import is_paused
from tycho.usernames import same_user, user_label

_CLUSTERS: dict[str, dict[str, SystemRevisions]] = {}


class MemoryOrchestrator(TimedSystems, ChartVerbs, PollingVerbs):
    """Keeps releases in memory.

    Args:
        target: `kubeconfig` and `context` name the memory, `namespace` is the one to share.
    """

    not_supported: ClassVar[frozenset[str]] = frozenset({"push", "exec", "ports", "forward"})

    def __init__(self, target: Target) -> None:
        self.target = target
        self._systems = _CLUSTERS.setdefault(f"{target.kubeconfig}:{target.context}", {})

    async def run(self, chart: Chart, instance: Instance, values: Mapping[str, Any]) -> Release:
        """Add a revision, unless nothing changed."""
        identity = instance.identity
        identity = identity.model_copy(update={"username": user_label(identity.username)})
        if identity.guid not in self._systems:
            port = max((system.port + 100 for system in self._systems.values()), default=FIRST_PORT)
            self._systems[identity.guid] = SystemRevisions(identity, datetime.now(UTC), port)
        system, text = self._systems[identity.guid], json.dumps(without_origin(values), sort_keys=True)
        last = system.revisions[-1] if system.revisions and system.identity == identity else None
        if last and last.chart.digest == chart.digest and last.values == text:
            system.moments.restarted = self.now()
            release = system.release(f"{identity.name} is up to date (revision {last.revision.revision})")
        else:
            done = "Upgrade complete" if system.revisions else "Install complete"
            system.identity, system.origin, system.user = identity, find_origin(values), find_user(values)
            release = system.release(*system.add(chart, text, simulate_services(chart, values, system.port), done))
        instance.wait_options.watch(release)
        return release

    async def list(
        self, *, name: str = "", username: str = "", labels: Mapping[str, str] = NO_LABELS, services: bool = True
    ) -> Sequence[Release]:
        """Every system, oldest first."""
        return [
            system.release()
            for system in self._systems.values()
            if (not name or system.identity.name == name)
            and (not username or same_user(system.identity.username, username))
            and (not labels or has_labels(system.revisions[-1].chart, system.revisions[-1].values, labels))
            and (not self.target.namespace or system.identity.namespace == self.target.namespace)
        ]

    async def find(self, id: str) -> Sequence[Release]:
        """The systems that an id names wholly."""
        return [release for release in await self.list() if is_exact(release.identity, id)]

    def keep_view(self, namespaces: Sequence[str] = ()) -> AbstractAsyncContextManager[None]:
        """Nothing to keep up with: a look at a memory costs nothing."""
        return nullcontext()

    async def status(self, identity: Identity) -> Release:
        """One system, with its services."""
        return self._system(identity).release()

    async def down(
        self, identity: Identity, wait_options: WaitOptions, *, keep_volumes: bool = False, revision: int = 0
    ) -> Release:
        """Forget a system."""
        release = self._system(identity).release()
        check_revision(identity, revision, release.revision)
        del self._systems[identity.guid]
        return release

    async def history(self, identity: Identity) -> Sequence[Revision]:
        """The revisions, oldest first."""
        return [stored.revision for stored in self._system(identity).revisions]

    async def contents(self, identity: Identity, revision: int = 0) -> StoredRelease:
        """A revision's chart and values."""
        return self._revision(identity, revision or len(self._system(identity).revisions)).release

    async def chart(self, identity: Identity, revision: int = 0) -> Mapping[str, bytes]:
        """The files of a revision's chart."""
        number = revision or len(self._system(identity).revisions)
        return self._revision(identity, number).chart.contents_by_path

    async def find_good_revision(self, identity: Identity) -> int:
        """The revision before the running one that is not paused."""
        former = [entry for entry in self._system(identity).revisions[:-1] if not is_paused(entry.release.values)]
        return self._revision(identity, former[-1].revision.revision if former else 0).revision.revision

    async def rollback(self, identity: Identity, revision: int, wait_options: WaitOptions) -> Release:
        """Add a revision that is an earlier one again."""
        system = self._system(identity)
        number = revision or await self.find_good_revision(identity)
        again = self._revision(identity, number)
        notes = system.add(again.chart, again.values, again.services, f"Rollback to {number}")
        release = system.release(f"rolled back to revision {number} (now revision {len(system.revisions)})", *notes)
        wait_options.watch(release)
        return release

    async def change_values(
        self, identity: Identity, values: Mapping[str, Any], wait_options: WaitOptions, *, revision: int
    ) -> Release:
        """Add a revision of the same chart with other values, unless nothing changed."""
        system = self._system(identity)
        last, text = system.revisions[-1], json.dumps(without_origin(values), sort_keys=True)
        check_revision(identity, revision, last.revision.revision)
        if last.values == text:
            return system.release(f"{identity.name} is up to date (revision {revision})")
        services = simulate_services(last.chart, values, system.port)
        release = system.release(*system.add(last.chart, text, services, "Upgrade complete"))
        wait_options.watch(release)
        return release

    async def push(self, artifact: Artifact, registry: str, *, plain_http: bool = False) -> str:
        """Nothing leaves a memory."""
        raise NotSupported("the memory orchestrator has no way to a registry", hint="use -b helm")

    async def logs(self, identity: Identity, query: LogRequest) -> AsyncIterator[str]:
        """Nothing runs, so nothing is written."""
        self._check(identity, query.services)
        for line in tuple[str]():
            yield line

    async def user(self) -> str:
        """It knows nobody."""
        return ""

    async def events(self, identity: Identity, services: tuple[str, ...], *, follow: bool) -> AsyncIterator[Event]:
        """Yield one event for each service of each revision; nothing else ever happens here."""
        self._check(identity, services)
        for stored in self._system(identity).revisions:
            for service in stored.services:
                if not services or service.name in services:
                    yield Event(
                        time=stored.revision.updated or datetime.now(UTC),
                        service=service.name,
                        object=f"{service.kind}/{service.name}",
                        type="Normal",
                        reason="Started",
                        message=f"revision {stored.revision.revision}",
                    )
        for event in self._system(identity).moments.events if not services else ():
            yield event

    async def restart(self, identity: Identity, services: tuple[str, ...], wait_options: WaitOptions) -> Release:
        """Look at the system: what does not run need not run anew."""
        self._check(identity, services)
        release = self._system(identity).release()
        wait_options.watch(release)
        return release

    async def exec(self, identity: Identity, service: str, program: ExecRequest, streams: Streams) -> int:
        """There is no container."""
        self._check(identity, (service,))
        raise NotSupported(f"no container of {service} runs", hint="use -b helm: memory runs no containers")

    async def ports(self, identity: Identity, service: str) -> tuple[int, ...]:
        """There is no container."""
        self._check(identity, (service,))
        raise NotSupported(f"no container of {service} runs", hint="use -b helm: memory runs no containers")

    async def forward(self, identity: Identity, service: str, port: int, connection: Connection) -> None:
        """There is no container."""
        await self.ports(identity, service)

    async def ping(self) -> None:
        """It is always there."""

    def gauges(self) -> Mapping[str, float]:
        """Nothing is at work here."""
        return {}

    async def doctor(self) -> Sequence[Check]:
        """It needs nothing."""
        return [Check(name="memory", level="ok", message=f"{len(self._systems)} systems")]

    async def close(self) -> None:
        """Nothing to let go of."""

    def _system(self, identity: Identity) -> SystemRevisions:
        if identity.guid not in self._systems:
            raise NotFound(f'no system "{identity.release}" runs here', hint="`tycho status` lists what runs")
        return self._systems[identity.guid]

    def _revision(self, identity: Identity, number: int) -> Stored:
        known = {stored.revision.revision: stored for stored in self._system(identity).revisions}
        if number not in known:
            listed = ", ".join(map(str, known))
            raise NotFound(f"{identity.name} has no revision {number or 'before this'}", hint=f"it has: {listed}")
        return known[number]

    def _check(self, identity: Identity, services: tuple[str, ...]) -> None:
        """Refuse services that a system does not have."""
        known = [service.name for service in self._system(identity).release().services]
        unknown = [service for service in services if service not in known]
        if unknown:
            raise NotFound(f"{identity.name} has no service {', '.join(unknown)}", hint=f"it has: {', '.join(known)}")
