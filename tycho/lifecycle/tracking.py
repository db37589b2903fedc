"""The verbs that follow what runs: waiting until it is ready, and looking on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from tycho.choices import check_running
from tycho.lifecycle.finder import Finder
from tycho.orchestrators import NO_LABELS, Orchestrator, WaitOptions
from tycho.time_limit import within_timeout
from tycho.usernames import same_user

if TYPE_CHECKING:
    from tycho.release import Identity, Release


class Tracking:
    """Verbs that change nothing, and take a while."""

    orchestrator: Orchestrator

    _finder: Finder

    @within_timeout
    async def wait(self, id: str, services: Sequence[str] = (), *, wait_options: WaitOptions) -> Release:
        """Wait until a system is ready, or some of its services are.

        Args:
            id: Which system.
            services: These services alone; all when empty.
            wait_options: How long to wait, and who is told.

        Raises:
            NotFound: No such system, or no such service.
            StartFailed: A service that is waited for cannot become ready.
            WaitTimeout: They did not become ready in time.
        """
        release = check_running(await self._finder.find(id, await self._finder.identify(None)))
        return await self.orchestrator.wait(release.identity, tuple(services), wait_options)

    async def follow(
        self, ids: Sequence[str] = (), *, name: str = "", username: str = "", labels: Mapping[str, str] = NO_LABELS
    ) -> AsyncIterator[Sequence[Release]]:
        """Yield looks at systems, when something may have changed; the first at once. It goes on until nobody asks.

        Args:
            ids: These systems; all when empty.
            name: Of all, only those of this project.
            username: Of all, only this user's.
            labels: Of all, only those of which a service has these labels.

        Raises:
            NotFound: One of the ids fits nothing, or what it named is gone.
        """
        caller, listing = await self._finder.identify(None), self._finder.list_once()
        chosen = [(await self._finder.find(id, caller, listing)).identity for id in ids]
        alone = chosen[0] if len(chosen) == 1 else None
        guids = {identity.guid for identity in chosen}

        def fits(identity: Identity) -> bool:
            if ids:
                return identity.guid in guids
            return name in ("", identity.name) and (not username or same_user(identity.username, username))

        async with aclosing(self.orchestrator.follow(alone, labels=labels)) as looks:  # type: ignore[type-var]
            async for releases in looks:
                yield [release for release in releases if fits(release.identity)]
