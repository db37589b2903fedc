"""The verbs on how much of a system runs, asked of a service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from tycho.cli.remote_reading import RemoteReading
from tycho.client import AsyncTychoClient
from tycho.lifecycle.pausing import STARTS_ALL, STOPS_ALL, check_named
from tycho.wire import to_release

if TYPE_CHECKING:
    from tycho.orchestrators import WaitOptions
    from tycho.ownership import Caller
    from tycho.release import Release
    from tycho.wire import System


class RemotePausing(RemoteReading):
    """Systems of a service, of which less runs, or more."""

    client: AsyncTychoClient

    async def pause(
        self,
        id: str,
        *,
        revision: int = 0,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Have nothing of a system run."""
        return await self._ask(self.client.pause, id, (), revision, caller, wait_options, force=force)

    async def resume(
        self,
        id: str,
        *,
        revision: int = 0,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Have a paused system run again."""
        return await self._ask(self.client.resume, id, (), revision, caller, wait_options, force=force)

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
        """Have services of a system not run."""
        check_named(services, STOPS_ALL)
        return await self._ask(self.client.stop, id, (services,), revision, caller, wait_options, force=force)

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
        """Have services that were stopped run again."""
        check_named(services, STARTS_ALL)
        return await self._ask(self.client.start_services, id, (services,), revision, caller, wait_options, force=force)

    async def _ask(
        self,
        verb: Callable[..., Awaitable[System]],
        id: str,
        words: tuple[Sequence[str], ...],
        revision: int,
        caller: Caller | None,
        wait_options: WaitOptions,
        *,
        force: bool,
    ) -> Release:
        guid = (await self.find(id, caller=caller)).identity.guid
        tag = f'"{guid}.{revision}"' if revision else ""
        asked = await self.describe_caller(caller, force)
        system = await verb(guid, *words, wait=0, if_match=tag, asked=asked)
        return await self.finish(to_release(system), wait_options)

    async def finish(self, release: Release, wait_options: WaitOptions) -> Release:
        """Wait until a system is ready, as the service tells of it."""
        raise NotImplementedError
