"""The verbs on what runs: reading its logs and events, restarting its services, running a program in one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tycho.choices import check_revision, check_running
from tycho.errors import Conflict, PreconditionFailed
from tycho.lifecycle.tracking import Tracking
from tycho.orchestrators import Connection, ExecRequest, LogRequest, Streams, WaitOptions
from tycho.ownership import Caller, describe_revision
from tycho.stored import StoredRelease
from tycho.time_limit import within_timeout

if TYPE_CHECKING:
    from tycho.modification import Modification, Modified
    from tycho.release import Event, Release

MOST_TRIES = 5  # of a change that others are quicker than, where the caller has named no revision


class Operations(Tracking):
    """Verbs that leave a system's chart as it is."""

    policies: tuple[Path, ...]

    def now(self) -> datetime:
        """Tell the time of the clock that the moments of systems are of."""
        return self.orchestrator.now()

    async def find(self, id: str, *, caller: Caller | None = None) -> Release:
        """Find one system by GUID, unique prefix of it, release name, `<name>-<guid>`, or project name.

        Of several of one name the only one that the caller started from where he is, is meant.

        Raises:
            NotFound: Nothing fits.
            Ambiguous: Several fit; the hint lists them.
        """
        return await self._finder.find(id, await self._finder.identify(caller))

    async def check_owner(self, release: Release, id: str, caller: Caller) -> None:
        """Refuse to change a system that was found already.

        Args:
            release: Which system.
            id: As it was written.
            caller: Who asks, and from where.

        Raises:
            Conflict: It is somebody else's.
        """
        await self._finder.check_owner(release, id, caller)

    async def contents(self, id: str, revision: int = 0) -> StoredRelease:
        """Return what a system was made of: its values, and its chart with the compose file and the report.

        Args:
            id: Which system.
            revision: Of this revision; 0 is the running one.

        Raises:
            NotFound: No such system, or no such revision.
        """
        return await self.orchestrator.contents(check_running(await self.find(id)).identity, revision)

    async def chart(self, id: str, revision: int = 0) -> Mapping[str, bytes]:
        """Return the files of the chart that a system was made of, by path; secrets are in none of them.

        Args:
            id: Which system.
            revision: Of this revision; 0 is the running one.

        Raises:
            NotFound: No such system, or no such revision.
        """
        return await self.orchestrator.chart(check_running(await self.find(id)).identity, revision)

    @within_timeout
    async def modify(
        self,
        id: str,
        modification: Modification,
        *,
        revision: int = 0,
        dry_run: bool = False,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Modified:
        """Change labels, resources, replicas, images or variables of a system: the same chart with other values.

        Args:
            id: Which system.
            modification: What to change.
            revision: The revision that the caller has seen; 0 is any.
            dry_run: Tell what would change, and change nothing.
            force: Do it to somebody else's system, too.
            caller: Who asks, and from where.
            wait_options: Whether and how long to wait, and who is told.

        Raises:
            NotFound: No such system.
            Conflict: It is somebody else's.
            UsageError: With every problem of the change.
            PolicyDenied: A policy of the operator's refuses the system with this change.
            PreconditionFailed: It has another revision by now.
            StartFailed: A service cannot become ready.
            WaitTimeout: It did not become ready in time.
        """
        tries = 0
        while True:
            release = check_running(await self._finder.find_own(id, caller, force=force))
            try:
                return await self._modify(release, modification, wait_options, revision=revision, dry_run=dry_run)
            except PreconditionFailed:
                tries += 1
                if revision or tries == MOST_TRIES:
                    raise

    async def _modify(
        self, release: Release, modification: Modification, wait_options: WaitOptions, *, revision: int, dry_run: bool
    ) -> Modified:
        """Change a system as it is by now; PreconditionFailed where somebody else was quicker."""
        from tycho.lifecycle.approval import check_policies

        check_revision(release.identity, revision, release.revision)

        def approve(stored: StoredRelease) -> None:
            check_policies(release.identity.name, stored, modification, self.policies)

        with describe_revision(" ".join(("modify", *modification.services))):
            return await self.orchestrator.modify(release, modification, wait_options, approve=approve, dry_run=dry_run)

    async def logs(
        self,
        id: str,
        services: Sequence[str] = (),
        *,
        follow: bool = False,
        tail: int | None = 100,
        since: datetime | None = None,
        timestamps: bool = False,
        aligned: bool = False,
    ) -> AsyncIterator[str]:
        """Yield what a system's containers write, each line with its pod's name before it.

        Args:
            id: Which system.
            services: Of these services alone; of all when empty.
            follow: Go on as long as the containers run.
            tail: How many lines of each container to begin with; None for all. Default 100.
            since: Only what was written at this moment or later.
            timestamps: Write each line's moment before it.
            aligned: Pad the names before the lines to one width, with a bar behind them.

        Raises:
            NotFound: No such system, no such service, or none of these services has a pod.
        """
        identity = check_running(await self.find(id)).identity
        request = LogRequest(
            tuple(services), follow=follow, tail=tail, since=since, timestamps=timestamps, aligned=aligned
        )
        async for line in self.orchestrator.logs(identity, request):
            yield line

    async def events(self, id: str, services: Sequence[str] = (), *, follow: bool = False) -> AsyncIterator[Event]:
        """Yield what the cluster tells of a system's objects, oldest first.

        Args:
            id: Which system.
            services: Of these services alone; of the whole system when empty.
            follow: Go on until nobody asks any more.

        Raises:
            NotFound: No such system, or no such service.
        """
        identity = (await self.find(id)).identity
        async for event in self.orchestrator.events(identity, tuple(services), follow=follow):
            yield event

    @within_timeout
    async def restart(
        self,
        id: str,
        services: Sequence[str] = (),
        *,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Replace the pods of services by new ones of the same template, as their rollout allows.

        Args:
            id: Which system.
            services: These services alone; all that keep running when empty.
            force: Do it to somebody else's system, too.
            caller: Who asks, and from where.
            wait_options: Whether and how long to wait, and who is told.

        Raises:
            NotFound: No such system, or no such service.
            Conflict: It is somebody else's, or paused.
            UsageError: It is a job that is to be restarted: it runs once, or when its schedule says.
            StartFailed: A service cannot become ready again.
            WaitTimeout: It did not become ready in time.
        """
        release = check_running(await self._finder.find_own(id, caller, force=force))
        if release.paused:
            name = release.identity.name
            raise Conflict(f"{name} is paused: nothing of it runs", hint=f"`tycho resume {name}` starts it again")
        return await self.orchestrator.restart(release.identity, tuple(services), wait_options)

    async def touch(
        self, id: str, moment: datetime | None = None, *, force: bool = False, caller: Caller | None = None
    ) -> Release:
        """Note that a system is used: where it ends when nobody uses it, its idle time begins again.

        Args:
            id: Which system.
            moment: When it was used; now by default, and nothing later counts.
            force: Do it to somebody else's system, too.
            caller: Who asks, and from where.

        Raises:
            NotFound: No such system.
            Conflict: It is somebody else's.
        """
        release = check_running(await self._finder.find_own(id, caller, force=force))
        await self.orchestrator.touch(release.identity, moment)
        return await self.orchestrator.status(release.identity)

    async def exec(
        self,
        id: str,
        service: str,
        program: ExecRequest,
        streams: Streams,
        *,
        force: bool = False,
        caller: Caller | None = None,
    ) -> int:
        """Run a program in a container of a service, and wait for its end.

        Args:
            id: Which system.
            service: Which service.
            program: What to run, and how.
            streams: What it reads from and writes to.
            force: Do it in somebody else's system, too.
            caller: Who asks, and from where.

        Returns:
            The program's exit code; 126 or 127 when it cannot be run, as a shell says it.

        Raises:
            NotFound: No such system or service, or no container of it runs.
            Conflict: It is somebody else's.
        """
        release = check_running(await self._finder.find_own(id, caller, force=force))
        return await self.orchestrator.exec(release.identity, service, program, streams)

    async def ports(self, release: Release, service: str) -> tuple[int, ...]:
        """List the TCP ports that a running container of a service is known to listen at.

        Args:
            release: Which system.
            service: Which service.

        Raises:
            NotFound: No such service, or no container of it runs.
        """
        return await self.orchestrator.ports(release.identity, service)

    async def forward(self, release: Release, service: str, port: int, connection: Connection) -> None:
        """Carry the bytes of a connection to a port of a service's container, and back, until either side ends.

        Args:
            release: Which system; that the caller may is checked before.
            service: Which service.
            port: The container's port.
            connection: Whose bytes; closing it is the caller's.

        Raises:
            NotFound: No such service, or no container of it runs.
            OrchestratorError: Nothing listens there.
        """
        await self.orchestrator.forward(release.identity, service, port, connection)
