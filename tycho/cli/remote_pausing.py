"""The verbs on how much of a system runs, asked of a service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, NotRequired, TypedDict, Unpack

from tycho.cli.remote_reading import RemoteReading, describe
from tycho.cli.remote_tracking import RemoteTracking
from tycho.client import AsyncTychoClient
from tycho.lifecycle.pausing import STARTS_ALL, STOPS_ALL, check_named
from tycho.wire import to_release

if TYPE_CHECKING:
    from tycho.orchestrators import WaitOptions
    from tycho.ownership import Caller
    from tycho.release import Release
    from tycho.wire import System


class PausingOptions(TypedDict):
    """What the verbs take by name; `Lifecycle.pause` says what each of them is."""

    revision: NotRequired[int]
    force: NotRequired[bool]
    caller: NotRequired[Caller | None]
    wait_options: WaitOptions


class RemotePausing(RemoteTracking, RemoteReading):
    """Systems of a service, of which less runs, or more."""

    client: AsyncTychoClient

    async def pause(self, id: str, **options: Unpack[PausingOptions]) -> Release:
        """Have nothing of a system run."""
        return await self._change(self.client.pause, id, (), options)

    async def resume(self, id: str, **options: Unpack[PausingOptions]) -> Release:
        """Have a paused system run again."""
        return await self._change(self.client.resume, id, (), options)

    async def stop(self, id: str, services: Sequence[str], **options: Unpack[PausingOptions]) -> Release:
        """Have services of a system not run."""
        check_named(services, STOPS_ALL)
        return await self._change(self.client.stop, id, (services,), options)

    async def start(self, id: str, services: Sequence[str], **options: Unpack[PausingOptions]) -> Release:
        """Have services that were stopped run again."""
        check_named(services, STARTS_ALL)
        return await self._change(self.client.start_services, id, (services,), options)

    async def _change(
        self, verb: Callable[..., Awaitable[System]], id: str, words: tuple[Sequence[str], ...], options: PausingOptions
    ) -> Release:
        """Ask the service for a change, and wait for what it makes of the system."""
        caller, revision = options.get("caller"), options.get("revision", 0)
        guid = (await self.find(id, caller=caller)).identity.guid
        tag = f'"{guid}.{revision}"' if revision else ""
        asked = await self.describe_caller(caller, options.get("force", False)) | describe(options["wait_options"])
        system = await verb(guid, *words, wait=0, if_match=tag, asked=asked)
        return await self.finish(to_release(system), options["wait_options"])
