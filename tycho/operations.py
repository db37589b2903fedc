"""The verbs on what runs: reading its logs and events, restarting its services, running a program in one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tycho.orchestrators import LogQuery, Orchestrator, Patience, Program, Streams

if TYPE_CHECKING:
    from tycho.release import Event, Release

__all__ = ["Operations"]


class Operations:
    """Verbs that leave a system's chart as it is."""

    orchestrator: Orchestrator

    async def find(self, id: str) -> Release:
        """Find the one system that an id means."""
        raise NotImplementedError

    async def logs(
        self,
        id: str,
        services: Sequence[str] = (),
        *,
        follow: bool = False,
        tail: int | None = 100,
        since: datetime | None = None,
        timestamps: bool = False,
    ) -> AsyncIterator[str]:
        """Yield what a system's containers write, each line with its pod's name before it.

        Args:
            id: Which system.
            services: Of these services alone; of all when empty.
            follow: Go on as long as the containers run.
            tail: How many lines of each container to begin with; None for all. Default 100.
            since: Only what was written at this moment or later.
            timestamps: Write each line's moment before it.

        Raises:
            NotFound: No such system, no such service, or none of these services has a pod.
        """
        identity = (await self.find(id)).identity
        query = LogQuery(tuple(services), follow=follow, tail=tail, since=since, timestamps=timestamps)
        async for line in self.orchestrator.logs(identity, query):
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

    async def restart(self, id: str, services: Sequence[str] = (), *, patience: Patience) -> Release:
        """Replace the pods of services by new ones of the same template, as their rollout allows.

        Args:
            id: Which system.
            services: These services alone; all that keep running when empty.
            patience: Whether and how long to wait, and who is told.

        Raises:
            NotFound: No such system, or no such service.
            UsageError: It is a job that is to be restarted: it runs once, or when its schedule says.
            StartFailed: A service cannot become ready again.
            Deadline: It did not become ready in time.
        """
        return await self.orchestrator.restart((await self.find(id)).identity, tuple(services), patience)

    async def exec(self, id: str, service: str, program: Program, streams: Streams) -> int:
        """Run a program in a container of a service, and wait for its end.

        Args:
            id: Which system.
            service: Which service.
            program: What to run, and how.
            streams: What it reads from and writes to.

        Returns:
            The program's exit code; 126 or 127 when it cannot be run, as a shell says it.

        Raises:
            NotFound: No such system or service, or no container of it runs.
        """
        return await self.orchestrator.exec((await self.find(id)).identity, service, program, streams)
