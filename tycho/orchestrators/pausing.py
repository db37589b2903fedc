"""Pausing a system that runs a chart, and stopping single services of it: the same chart with other values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tycho.errors import PreconditionFailed
from tycho.masking import masked, secret_values
from tycho.orchestrators.instance import WaitOptions
from tycho.ownership import describe_revision
from tycho.release import Identity, Release
from tycho.stored import StoredRelease
from tycho.suspension import Suspension, pause_values, resume_values, start_values, stop_values

MOST_TRIES = 5  # of a change that others are quicker than, where the caller has named no revision


class PauseVerbs(ABC):
    """The verbs after which less runs, or more of what was there already."""

    async def pause(self, identity: Identity, wait_options: WaitOptions, *, revision: int = 0) -> Release:
        """Have nothing of a system run; volumes and addresses stay."""
        return await self._suspend(identity, wait_options, revision, "pause", pause_values)

    async def resume(self, identity: Identity, wait_options: WaitOptions, *, revision: int = 0) -> Release:
        """Have a paused system run again."""
        return await self._suspend(identity, wait_options, revision, "resume", resume_values)

    async def stop(
        self, identity: Identity, services: Sequence[str], wait_options: WaitOptions, *, revision: int = 0
    ) -> Release:
        """Have services not run; their replicas are kept for `start`."""

        def change(stored: StoredRelease, name: str) -> Suspension:
            return stop_values(stored, name, services)

        return await self._suspend(identity, wait_options, revision, f"stop {' '.join(services)}", change)

    async def start(
        self, identity: Identity, services: Sequence[str], wait_options: WaitOptions, *, revision: int = 0
    ) -> Release:
        """Have services that were stopped run again."""

        def change(stored: StoredRelease, name: str) -> Suspension:
            return start_values(stored, name, services)

        return await self._suspend(identity, wait_options, revision, f"start {' '.join(services)}", change)

    async def _suspend(
        self,
        identity: Identity,
        wait_options: WaitOptions,
        revision: int,
        description: str,
        change: Callable[[StoredRelease, str], Suspension],
    ) -> Release:
        """Give the running chart the values that a change makes of what they are by now."""
        tries = 0
        with describe_revision(description):
            while True:
                stored = await self.contents(identity, revision)
                suspension = change(stored, identity.name)
                try:
                    with masked(secret_values(suspension.values, known=stored.files.values())):
                        release = await self.change_values(
                            identity, suspension.values, wait_options, revision=stored.revision
                        )
                except PreconditionFailed:
                    tries += 1
                    if revision or tries == MOST_TRIES:
                        raise
                    continue
                notes = suspension.notes or release.notes
                return release.model_copy(update={"notes": notes})

    @abstractmethod
    async def change_values(
        self, identity: Identity, values: Mapping[str, Any], wait_options: WaitOptions, *, revision: int
    ) -> Release:
        """Give the running chart other values."""

    @abstractmethod
    async def contents(self, identity: Identity, revision: int = 0) -> StoredRelease:
        """Return what a revision was made of; 0 is the running one."""
