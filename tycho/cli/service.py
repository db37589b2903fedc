"""The verbs of a service, with the interface that commands use on a cluster: they do not know the difference."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

from tycho.choices import check_revision, find_release
from tycho.cli.changes import ToldDifference, write_changes
from tycho.cli.remote_expiry import RemoteExpiry
from tycho.cli.remote_pausing import RemotePausing
from tycho.cli.remote_reading import describe
from tycho.client import AsyncTychoClient, TychoAnswer
from tycho.errors import TychoError, UsageError
from tycho.lifecycle import Removal
from tycho.modification import Modified
from tycho.orchestrators import NO_LABELS, ExecRequest, Orchestrator, Streams, Target, WaitOptions
from tycho.ownership import Caller, check_owner
from tycho.release import Event, Origin, Release
from tycho.slots import REMOVALS, run_some
from tycho.wire import read_system, to_release

if TYPE_CHECKING:
    from tycho.modification import Modification

GUID = re.compile("[0-9a-f]{32}")
LOOKS = 2.0  # seconds between looks at events that are followed


class Known(Caller, frozen=True):
    """A caller whom the service knows by his token: it shows him what is his, and says itself what is not."""

    def owns(self, identity: object) -> bool:
        """Leave it to the service."""
        return True


class NoCluster:
    """In the place of an orchestrator: a service has its own."""

    builds_in_place: ClassVar[bool] = False

    async def close(self) -> None:
        """Nothing to let go of."""

    def __getattr__(self, name: str) -> NoReturn:
        raise UsageError(
            f"{name} works on the cluster itself, and a service does not offer it",
            hint="leave out --service, or unset TYCHO_SERVICE",
        )


class RemoteLifecycle(RemotePausing, RemoteExpiry):
    """Starts, watches and stops systems by way of a service.

    Args:
        url: Where it answers.
        username: Who asks, where no token says it.
    """

    def __init__(self, url: str, username: str) -> None:
        super().__init__(cast("Orchestrator", NoCluster()), Target())
        self.client = AsyncTychoClient(url)
        self._username = username

    async def identify(self, origin: Origin | None = None) -> Caller:
        """Return who asks."""
        known = await asyncio.to_thread(self.client.find_token)
        return Known(origin=origin) if known else Caller(username=self._username, origin=origin)

    async def status(
        self,
        ids: Sequence[str] = (),
        *,
        name: str = "",
        username: str = "",
        labels: Mapping[str, str] = NO_LABELS,
        services: bool = True,
    ) -> Sequence[Release]:
        """List the systems that run, oldest first: all of them, or those asked for."""
        if ids:
            systems = await asyncio.gather(*map(self.client.system, ids))
        else:
            systems = await self.client.systems(name=name, username=username, labels=labels)
        return [to_release(system) for system in systems]

    async def find(self, id: str, *, caller: Caller | None = None) -> Release:
        """Find one system by any of its names."""
        if GUID.fullmatch(id):
            return to_release(await self.client.system(id))
        caller = caller or await self.identify()
        return find_release(await self.status(), id, prefers=caller.prefers)

    async def check_owner(self, release: Release, id: str, caller: Caller) -> None:
        """Refuse to change a system that was found already, if it is somebody else's."""
        check_owner(release, caller, id)

    async def events(self, id: str, services: Sequence[str] = (), *, follow: bool = False) -> AsyncIterator[Event]:
        """Yield what the cluster tells of a system's objects, oldest first."""
        seen: set[Event] = set()
        while True:
            for row in await self.client.events(id, services):
                event = Event.model_validate(row)
                if event not in seen:
                    seen.add(event)
                    yield event
            if not follow:
                return
            await asyncio.sleep(LOOKS)

    async def restart(
        self,
        id: str,
        services: Sequence[str] = (),
        *,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Replace the pods of services by new ones."""
        answer = await self.client.restart(
            {"name": id, "services": [*services], **await self.describe_caller(caller, force)}
        )
        return await self.finish(_succeed(answer), wait_options)

    async def rollback(
        self,
        id: str,
        revision: int = 0,
        *,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Make an earlier revision of a system the running one."""
        answer = await self.client.rollback(
            {"name": id, "revision": revision, **await self.describe_caller(caller, force), **describe(wait_options)}
        )
        return await self.finish(_succeed(answer), wait_options)

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
        """Change labels, resources, replicas, images or variables of a system."""
        asked = {**await self.describe_caller(caller, force), **describe(wait_options)}
        changes = {**write_changes(modification), **asked}
        lines = await self.client.preview(id, changes)
        differences = tuple(ToldDifference((line,), None, None, "replace") for line in lines)
        if dry_run:
            return Modified(to_release(await self.client.system(id)), differences)
        tag = f'"{(await self.client.system(id)).sid}.{revision}"' if revision else ""
        system = await self.client.modify(id, changes, wait=0, if_match=tag)
        return Modified(await self.finish(to_release(system), wait_options), differences)

    async def down(
        self,
        ids: Sequence[str],
        *,
        wait_options: WaitOptions,
        keep_volumes: bool = False,
        force: bool = False,
        revision: int = 0,
        caller: Caller | None = None,
        each: Callable[[Removal], None],
    ) -> list[Removal]:
        """Remove systems, each wholly; one that fails, or is somebody else's, does not keep the others."""
        caller = caller or await self.identify()

        async def remove(id: str) -> Removal:
            try:
                release = await self.find(id, caller=caller)
                check_revision(release.identity, revision, release.revision)
                if not force:
                    check_owner(release, caller, id)
                asked = {**await self.describe_caller(caller, force), "keep-volumes": keep_volumes}
                answer = await self.client.delete({"name": release.identity.guid, **asked})
                if answer.error:
                    raise answer.error
                notes = tuple(answer.message.split("\n")[1:])
                done = Removal(id, release.model_copy(update={"notes": notes}))
            except TychoError as error:
                done = Removal(id, error=error)
            each(done)
            return done

        return await run_some((partial(remove, id) for id in dict.fromkeys(ids)), REMOVALS)

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
        """Refuse: a service has no way into containers.

        Raises:
            UsageError: Always.
        """
        raise UsageError(
            "exec takes the cluster itself: a service runs no programs in containers",
            hint="leave out --service, or unset TYCHO_SERVICE",
        )

    async def send(self, request: Mapping[str, Any], caller: Caller, wait_options: WaitOptions) -> Release:
        """Start or upgrade what a request holds."""
        answer = await self.client.start({**request, **await self.describe_caller(caller, None)})
        if answer.error:
            raise answer.error
        release = to_release(await self.client.system(answer.identifier))
        notes = tuple(answer.result.get("notes", ()))
        return await self.finish(release.model_copy(update={"notes": notes}), wait_options)


def _succeed(answer: TychoAnswer) -> Release:
    if answer.error:
        raise answer.error
    return to_release(read_system(answer.result))
