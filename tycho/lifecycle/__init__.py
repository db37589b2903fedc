"""The verbs, over one orchestrator: what the CLI, the API and a Python program all call.

    compose text -> load -> apply_policies -> compile -> artifact
    artifact + instance (identity, variables, metadata) -> orchestrator.up -> release

A system is named by its GUID, a unique prefix of it, its release's name, or its project's name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from tycho.chart import check_start
from tycho.choices import check_running
from tycho.compilation import Compilation, Compiled, Metadata
from tycho.errors import TychoError, WaitTimeout
from tycho.lifecycle.comparing import Comparing
from tycho.lifecycle.finder import Finder, keep_identity, new_identity
from tycho.lifecycle.pausing import Pausing, tell_paused
from tycho.lifecycle.starting import announce_expiry, check_rollback
from tycho.orchestrators import NO_LABELS, Orchestrator, Target, WaitOptions, check_registry
from tycho.ownership import NOBODY, Caller
from tycho.release import Origin, Release, Revision
from tycho.slots import REMOVALS, run_some
from tycho.time_limit import time_left, within_timeout

if TYPE_CHECKING:
    from tycho.urls import UrlOptions

__all__ = ["Compiled", "Lifecycle", "Metadata", "Removal"]


class Removal(Struct, frozen=True):
    """What became of one `down`: the last look at the system, or the error that kept it."""

    id: str
    release: Release | None = None
    error: TychoError | None = None


class Lifecycle(Compilation, Comparing, Pausing):
    """Starts, watches and stops systems on one orchestrator.

    Args:
        orchestrator: The back end.
        target: Where it acts; `target.namespace` decides whether systems share one.
        policies: Folders of policies, after the shipped one.
        caller: Who asks, where a verb is not told.
        urls: What the operator says of the URLs of systems; None for no URLs.
    """

    def __init__(
        self,
        orchestrator: Orchestrator,
        target: Target,
        *,
        policies: Sequence[Path] = (),
        caller: Caller = NOBODY,
        urls: UrlOptions | None = None,
    ) -> None:
        super().__init__(orchestrator, policies=policies, urls=urls)
        self.orchestrator = orchestrator
        self.target = target
        self._finder = Finder(orchestrator, target, caller)

    @within_timeout
    async def up(
        self,
        compiled: Compiled,
        *,
        guid: str = "",
        new: bool = False,
        replace: bool = False,
        force_conflicts: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Run a compiled system: a first start, or, when its project runs already, an upgrade of it.

        Args:
            compiled: What to run.
            guid: The system's GUID, when the caller has one: the same GUID again is the same start.
            new: Start another instance even when the project runs already.
            replace: Upgrade it even if somebody else started it, or it was started from elsewhere.
            force_conflicts: Take back the fields of its objects that others have changed.
            caller: Who asks, and from where.
            wait_options: Whether and how long to wait, and who is told.

        Raises:
            Ambiguous: Several instances of the project run; say which by `guid`.
            Conflict: The GUID belongs to a system of another name; or the project runs, and is not the caller's; or its
                URL is another system's.
            ComposeError: A config or a secret has no content: its file is absent, or its variable not set.
            StartFailed: It was made, and cannot become ready; it is left for a look, or undone.
        """
        if force_conflicts:
            wait_options = structs.replace(wait_options, force_conflicts=True)
        check_start(compiled.policy_result.system)
        check_rollback(wait_options, self.orchestrator.not_supported)
        name = compiled.policy_result.system.name
        caller = await self._finder.identify(caller)
        guid, running = await self._finder.find_for_up(name, guid, caller, new=new)
        if running and not replace:
            await self._finder.check_replacement(running, caller)
        if running:
            compiled = await self._keep_images(compiled, running)
        identity = keep_identity(running.identity, caller) if running else new_identity(name, guid, self.target, caller)
        paused = running is not None and running.paused
        instance = self.make_instance(compiled, identity, caller, wait_options, upgrade=bool(running), paused=paused)
        async with self.reserve_urls(instance):
            release = await self.orchestrator.up(compiled.artifact, instance)
        release = announce_expiry(release, self.orchestrator.now())
        return tell_paused(release) if paused else release

    async def runs(self, compiled: Compiled, *, guid: str = "", caller: Caller | None = None) -> bool:
        """Return whether the project runs already, so that `up` would be an upgrade."""
        caller = await self._finder.identify(caller)
        return await self._finder.find_running(compiled.policy_result.system.name, guid, caller) is not None

    async def running_services(self, name: str, caller: Caller | None = None) -> Sequence[str]:
        """List the services of a project that run already; none when it does not run."""
        running = await self._finder.find_running(name, "", await self._finder.identify(caller))
        if running is None:
            return ()
        return [service.name for service in (await self.orchestrator.status(running.identity)).services]

    async def status(
        self,
        ids: Sequence[str] = (),
        *,
        name: str = "",
        username: str = "",
        labels: Mapping[str, str] = NO_LABELS,
        services: bool = True,
    ) -> Sequence[Release]:
        """The systems that run, oldest first: all of them, or those asked for.

        Args:
            ids: Which; all when empty.
            name: Only of this project.
            username: Only this user's.
            labels: Only those of which a service has these labels.
            services: Whether to look at the services too, or at the releases alone.

        Raises:
            NotFound: One of the ids fits nothing.
        """
        if not ids:
            return await self.orchestrator.list(name=name, username=username, labels=labels, services=services)
        asker, listing = await self._finder.identify(None), self._finder.list_once()
        releases = [await self._finder.find(id, asker, listing) for id in ids]
        return list(await asyncio.gather(*(self.orchestrator.status(release.identity) for release in releases)))

    @within_timeout
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
        """Remove systems, each wholly; one that fails, or is somebody else's, does not keep the others.

        Args:
            ids: Which.
            wait_options: How long all may take together.
            keep_volumes: Keep the volumes' claims (and the namespace that holds them).
            force: Remove what is somebody else's, too.
            revision: The revision that the caller has seen, where there is one id; 0 is any.
            caller: Who asks, and from where.
            each: Told of every removal as it ends.
        """
        listing = self._finder.list_once()

        async def remove(id: str) -> Removal:
            try:
                if not time_left():
                    raise WaitTimeout(f"the time was over before {id} could go", hint="wait longer with --timeout")
                release = await self._finder.find_own(id, caller, force=force, listing=listing)
                last = await self.orchestrator.down(
                    release.identity, wait_options, keep_volumes=keep_volumes, revision=revision
                )
                done = Removal(id, last)
            except TychoError as error:
                done = Removal(id, error=error)
            each(done)
            return done

        return await run_some((partial(remove, id) for id in dict.fromkeys(ids)), REMOVALS)

    async def history(self, id: str) -> Sequence[Revision]:
        """The revisions of a system, oldest first."""
        return await self.orchestrator.history(check_running(await self.find(id)).identity)

    @within_timeout
    async def rollback(
        self,
        id: str,
        revision: int = 0,
        *,
        force: bool = False,
        caller: Caller | None = None,
        wait_options: WaitOptions,
    ) -> Release:
        """Make an earlier revision of a system the running one.

        Args:
            id: Which system.
            revision: Its number, or 0 for the last good one before this.
            force: Do it to somebody else's system, too.
            caller: Who asks, and from where.
            wait_options: Whether and how long to wait, and who is told.

        Raises:
            Conflict: It is somebody else's.
        """
        release = check_running(await self._finder.find_own(id, caller, force=force))
        return await self.orchestrator.rollback(release.identity, revision, wait_options)

    async def push(self, compiled: Compiled, registry: str, *, plain_http: bool = False) -> str:
        """Send an artifact to a registry.

        Args:
            compiled: What to send.
            registry: `oci://host/path`; the artifact's name and version are added to it.
            plain_http: Allow a registry without TLS; a loopback one needs no permission.

        Returns:
            The reference with its digest, `host/path/name:version@sha256:…`.
        """
        check_registry(registry)
        return await self.orchestrator.push(compiled.artifact, registry, plain_http=plain_http)

    async def identify(self, origin: Origin | None = None) -> Caller:
        """Return who asks, by the name that the cluster knows him by.

        Args:
            origin: What he would start a system from; None where there is no project.
        """
        return structs.replace(await self._finder.identify(None), origin=origin)
