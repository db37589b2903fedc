"""Pausing a system on an engine, and stopping single services of it: its containers stay, with volumes and addresses.

What stands still is written into the system's record, for a container that was stopped looks like one that has ended.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from tycho.docker_cli import DockerCli
from tycho.errors import NotSupported, UsageError
from tycho.orchestrators.docker import labels, records
from tycho.orchestrators.docker.containers import is_new, is_running
from tycho.orchestrators.docker.records import Record, list_names
from tycho.orchestrators.instance import WaitOptions
from tycho.orchestrators.waiting import Deadline, wait_until_ready
from tycho.release import Identity, Release

NOTHING = ","  # what a record says of a system of which nothing ran when it was paused


class EnginePauseVerbs(ABC):
    """The verbs after which less runs, or more of what was there already, or the same anew."""

    docker: DockerCli

    async def pause(self, identity: Identity, wait_options: WaitOptions, *, revision: int = 0) -> Release:
        """Stop all containers of a system.

        Raises:
            NotSupported: A revision is named.
        """
        record = await self._begin(identity, revision)
        paused = labels.PAUSED in record.labels
        running = ",".join(await self._list_services(identity, running=True))
        if not paused:  # first, so that who finds it in the middle knows that it is to stand still
            await records.mark_record(self.docker, record, {labels.PAUSED: running or NOTHING})
        await self._run_compose(identity, ["stop"], Deadline(wait_options))
        release = await self.status(identity)
        return release.model_copy(update={"notes": (f"{identity.name} is paused already",) if paused else ()})

    async def resume(self, identity: Identity, wait_options: WaitOptions, *, revision: int = 0) -> Release:
        """Start the containers that ran when a system was paused, and those that it got since.

        Raises:
            NotSupported: A revision is named.
            StartFailed: A service cannot become ready.
            WaitTimeout: It did not become ready in time.
        """
        record = await self._begin(identity, revision)
        stopped = list_names(record, labels.STOPPED)
        notes: tuple[str, ...] = ()
        if stopped:
            notes = (f"still stopped: {', '.join(stopped)} (`tycho start {identity.name} {' '.join(stopped)}`)",)
        if labels.PAUSED not in record.labels:
            release = await self.status(identity)
            return release.model_copy(update={"notes": (f"{identity.name} is not paused", *notes)})
        ran, new = list_names(record, labels.PAUSED), await self._list_services(identity, created=True)
        await records.mark_record(self.docker, record, {labels.PAUSED: ""})
        there = await self._list_services(identity)
        services = [name for name in there if name in (*ran, *new) and name not in stopped]
        release = await self._start(identity, services, wait_options)
        return release.model_copy(update={"notes": notes})

    async def stop(
        self, identity: Identity, services: Sequence[str], wait_options: WaitOptions, *, revision: int = 0
    ) -> Release:
        """Stop the containers of services.

        Raises:
            NotSupported: A revision is named.
        """
        record = await self._begin(identity, revision)
        await self._check_services(identity, tuple(services))
        stopped = list_names(record, labels.STOPPED)
        await records.mark_record(self.docker, record, {labels.STOPPED: ",".join(sorted({*stopped, *services}))})
        await self._run_compose(identity, ["stop", *services], Deadline(wait_options))
        notes = tuple(f"{name} is stopped already" for name in services if name in stopped)
        return (await self.status(identity)).model_copy(update={"notes": notes})

    async def start(
        self, identity: Identity, services: Sequence[str], wait_options: WaitOptions, *, revision: int = 0
    ) -> Release:
        """Start the containers of services that were stopped.

        Raises:
            NotSupported: A revision is named.
            StartFailed: A service cannot become ready.
            WaitTimeout: It did not become ready in time.
        """
        record = await self._begin(identity, revision)
        await self._check_services(identity, tuple(services))
        stopped = list_names(record, labels.STOPPED)
        left = [name for name in stopped if name not in services]
        notes = tuple(f"{name} is not stopped" for name in services if name not in stopped)
        await records.mark_record(self.docker, record, {labels.STOPPED: ",".join(left)})
        chosen = [name for name in services if name in stopped]
        if chosen and labels.PAUSED in record.labels:
            notes += (f"{identity.name} is paused: they start with `tycho resume {identity.name}`",)
            ran = {*list_names(record, labels.PAUSED), *chosen}
            record = await self._read_record(identity)
            await records.mark_record(self.docker, record, {labels.PAUSED: ",".join(sorted(ran))})
            chosen = []
        release = await self._start(identity, chosen, wait_options)
        return release.model_copy(update={"notes": notes})

    async def restart(self, identity: Identity, services: tuple[str, ...], wait_options: WaitOptions) -> Release:
        """Restart the containers of services; those that have done their work are left alone.

        Raises:
            UsageError: One of the services that are named does not keep running.
        """
        await self._check_services(identity, services)
        running = {
            container["Config"]["Labels"][labels.SERVICE]
            for container in await records.read_containers(self.docker, identity.guid)
            if is_running(container) or container["HostConfig"]["RestartPolicy"]["Name"] not in ("", "no")
        }
        running -= set(list_names(await self._read_record(identity), labels.STOPPED))
        if ended := sorted(set(services) - running):
            raise UsageError(f"{', '.join(ended)} does not run, and nothing starts it again", hint="run `tycho up`")
        deadline = Deadline(wait_options)
        await self._run_compose(identity, ["restart", *(services or sorted(running))], deadline)
        return await wait_until_ready(lambda: self.status(identity), deadline)

    async def _begin(self, identity: Identity, revision: int) -> Record:
        if revision:
            raise NotSupported("docker keeps no revisions", hint="leave out the revision")
        return await self._read_record(identity)

    async def _start(self, identity: Identity, services: Sequence[str], wait_options: WaitOptions) -> Release:
        deadline = Deadline(wait_options)
        if not services:
            return await self.status(identity)
        await self._run_compose(identity, ["start", *services], deadline)
        return await wait_until_ready(lambda: self.status(identity), deadline)

    async def _list_services(self, identity: Identity, *, running: bool = False, created: bool = False) -> list[str]:
        """List the services that have containers; those with one that runs, or was never started, alone."""
        return sorted(
            {
                str(container["Config"]["Labels"][labels.SERVICE])
                for container in await records.read_containers(self.docker, identity.guid)
                if (not running or is_running(container)) and (not created or is_new(container))
            }
        )

    @abstractmethod
    async def status(self, identity: Identity) -> Release:
        """Look at a system, with its services."""

    @abstractmethod
    async def _read_record(self, identity: Identity) -> Record: ...

    @abstractmethod
    async def _check_services(self, identity: Identity, services: tuple[str, ...]) -> None: ...

    @abstractmethod
    async def _run_compose(self, identity: Identity, words: Sequence[str], deadline: Deadline) -> None: ...
