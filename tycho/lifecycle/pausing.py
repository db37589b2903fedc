"""The verbs on how much of a system runs: all of it or nothing, single services or not, and how many replicas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tycho.choices import check_revision, check_running
from tycho.errors import UsageError
from tycho.lifecycle.operations import Operations
from tycho.orchestrators import WaitOptions
from tycho.ownership import Caller, describe_revision
from tycho.release import Release
from tycho.time_limit import within_timeout

if TYPE_CHECKING:
    from tycho.modification import Modified

STOPS_ALL = "name some; `tycho pause` stops all"
STARTS_ALL = "name some; `tycho up` starts all"


class Pausing(Operations):
    """Verbs that leave a system's chart, volumes and addresses as they are, and change what runs of it."""

    @within_timeout
    async def pause(
        self,
        id: str,
        *,
        revision: int = 0,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Have nothing of a system run, until `resume`; an `up` in between changes it and leaves it paused.

        Args:
            id: Which system.
            revision: The revision that the caller has seen; 0 is any.
            force: Do it to somebody else's system, too.
            caller: Who asks, and from where.
            wait_options: Whether and how long to wait until its pods are gone, and who is told.

        Raises:
            NotFound: No such system.
            Conflict: It is somebody else's, or was started by a Tycho that could not pause.
            PreconditionFailed: It has another revision by now.
            WaitTimeout: A pod was not gone in time.
        """
        release = await self._find_to_change(id, caller, revision, force=force)
        return await self.orchestrator.pause(release.identity, wait_options, revision=revision)

    @within_timeout
    async def resume(
        self,
        id: str,
        *,
        revision: int = 0,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Have a paused system run again; services that were stopped by themselves stay so.

        Args:
            id: Which system.
            revision: The revision that the caller has seen; 0 is any.
            force: Do it to somebody else's system, too.
            caller: Who asks, and from where.
            wait_options: Whether and how long to wait, and who is told.

        Raises:
            NotFound: No such system.
            Conflict: It is somebody else's.
            PreconditionFailed: It has another revision by now.
            StartFailed: A service cannot become ready.
            WaitTimeout: It did not become ready in time.
        """
        release = await self._find_to_change(id, caller, revision, force=force)
        return await self.orchestrator.resume(release.identity, wait_options, revision=revision)

    @within_timeout
    async def stop(
        self,
        id: str,
        services: Sequence[str],
        *,
        revision: int = 0,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Have services of a system not run, until `start` or the next `up`.

        Args:
            id: Which system.
            services: Which of its services.
            revision: The revision that the caller has seen; 0 is any.
            force: Do it to somebody else's system, too.
            caller: Who asks, and from where.
            wait_options: Whether and how long to wait until their pods are gone, and who is told.

        Raises:
            NotFound: No such system, or no such service.
            Conflict: It is somebody else's, or was started by a Tycho that could not stop services.
            UsageError: No service is named, or one runs in the pod of another.
            PreconditionFailed: It has another revision by now.
            WaitTimeout: A pod was not gone in time.
        """
        release = await self._find_to_change(id, caller, revision, force=force)
        check_named(services, STOPS_ALL)
        return await self.orchestrator.stop(release.identity, _list_once(services), wait_options, revision=revision)

    @within_timeout
    async def start(
        self,
        id: str,
        services: Sequence[str],
        *,
        revision: int = 0,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Have services that were stopped run again, with as many replicas as before.

        Args:
            id: Which system.
            services: Which of its services.
            revision: The revision that the caller has seen; 0 is any.
            force: Do it to somebody else's system, too.
            caller: Who asks, and from where.
            wait_options: Whether and how long to wait, and who is told.

        Raises:
            NotFound: No such system, or no such service.
            Conflict: It is somebody else's.
            UsageError: No service is named, or one runs in the pod of another.
            PreconditionFailed: It has another revision by now.
            StartFailed: A service cannot become ready.
            WaitTimeout: It did not become ready in time.
        """
        release = await self._find_to_change(id, caller, revision, force=force)
        check_named(services, STARTS_ALL)
        return await self.orchestrator.start(release.identity, _list_once(services), wait_options, revision=revision)

    @within_timeout
    async def scale(
        self,
        id: str,
        replicas: Mapping[str, int],
        *,
        revision: int = 0,
        dry_run: bool = False,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Modified:
        """Have another number of replicas of services, until the next `up`.

        Args:
            id: Which system.
            replicas: How many, by service.
            revision: The revision that the caller has seen; 0 is any.
            dry_run: Tell what would change, and change nothing.
            force: Do it to somebody else's system, too.
            caller: Who asks, and from where.
            wait_options: Whether and how long to wait, and who is told.

        Raises:
            NotFound: No such system.
            Conflict: It is somebody else's.
            UsageError: With every service that cannot have so many.
            PolicyDenied: A policy of the operator's refuses the system with this change.
            PreconditionFailed: It has another revision by now.
            StartFailed: A service cannot become ready.
            WaitTimeout: It did not become ready in time.
        """
        from tycho.modification import Modification, Modified, ServiceChange

        check_named(list(replicas), "say how many: web=3")
        with describe_revision(f"scale {' '.join(f'{name}={count}' for name, count in replicas.items())}"):
            modified = await self.modify(
                id,
                Modification(services={name: ServiceChange(replicas=count) for name, count in replicas.items()}),
                revision=revision,
                dry_run=dry_run,
                force=force,
                caller=caller,
                wait_options=wait_options,
            )
        return Modified(tell_paused(modified.release), modified.differences)

    async def _find_to_change(self, id: str, caller: Caller | None, revision: int, *, force: bool) -> Release:
        release = check_running(await self._finder.find_own(id, caller, force=force))
        check_revision(release.identity, revision, release.revision)
        return release


def tell_paused(release: Release) -> Release:
    """Note on a system that was changed while it is paused that nothing of it runs."""
    if not release.paused:
        return release
    name = release.identity.name
    return release.model_copy(update={"notes": (*release.notes, f"{name} stays paused: `tycho resume {name}` runs it")})


def check_named(services: Sequence[str], hint: str) -> None:
    """Refuse a verb on services that names none.

    Raises:
        UsageError: With this hint.
    """
    if not services:
        raise UsageError("no service is named", hint=hint)


def _list_once(services: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(services))
