"""What comes before a start: whether it was made already, and what it would change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from msgspec import structs

from tycho.chart import RouteContext, list_urls
from tycho.compilation import Compiled
from tycho.errors import Conflict, KeyReused, NotFound, NotSupported, UsageError
from tycho.lifecycle.operations import Operations
from tycho.orchestrators import Instance, Target, WaitOptions
from tycho.ownership import NOBODY, Caller, owner_name
from tycho.release import Identity, Release

if TYPE_CHECKING:
    from datetime import datetime

    from tycho.urls import UrlOptions

_TAKEN: dict[str, str] = {}  # URLs of systems that this process is starting, and their GUIDs


class Starting(Operations):
    """Verbs on a start that is asked for, and not made yet."""

    target: Target
    urls: UrlOptions | None

    async def find_start(self, compiled: Compiled, guid: str) -> Release | None:
        """Find the system that the same start has made already; None where there is none.

        Args:
            compiled: What is to run.
            guid: The start's GUID.

        Raises:
            KeyReused: Another start has this GUID.
        """
        try:
            release = await self.orchestrator.status((await self.find(guid)).identity)
        except NotFound:
            return None
        if release.state in ("kept", "lost", "uninstalling"):
            return None
        instance = self.make_instance(compiled, release.identity, NOBODY, upgrade=True)
        if not await self.orchestrator.is_start_of(compiled.artifact, instance):
            raise KeyReused(
                f"this key came with another request before, which started {release.identity.name}",
                hint="send a new Idempotency-Key with a new request",
            )
        return release

    def make_instance(
        self,
        compiled: Compiled,
        identity: Identity,
        caller: Caller,
        wait_options: WaitOptions | None = None,
        *,
        upgrade: bool = False,
        paused: bool = False,
    ) -> Instance:
        """Make the instance of a compiled system that a start would run."""
        return Instance(
            identity,
            compiled.policy_result.system,
            compiled.metadata,
            owner=owner_name(identity, caller),
            origin=caller.origin,
            directory=compiled.directory,
            urls=self.urls,
            service_account=compiled.service_account,
            upgrade=upgrade,
            paused=paused,
            wait_options=wait_options or WaitOptions(),
        )

    @asynccontextmanager
    async def reserve_urls(self, instance: Instance) -> AsyncIterator[None]:
        """Keep the URLs of a system its own while it is started.

        With a GUID in them nobody else has them. Without one, two starts of one user and name would.

        Raises:
            Conflict: Another system has one of them.
        """
        if self.urls is None or "guid" in self.urls.template.placeholders:
            yield
            return
        identity = instance.identity
        urls = list_urls(instance.project, instance.metadata, RouteContext(self.urls, identity))
        mine = {url for url in urls if _TAKEN.setdefault(url, identity.guid) == identity.guid}
        try:
            if mine != urls:
                raise _taken(min(urls - mine), identity.name)
            for release in await self.orchestrator.list():
                if release.identity.guid == identity.guid:
                    continue
                if shared := urls.intersection(service.url for service in release.services):
                    raise _taken(min(shared), release.identity.release)
            yield
        finally:
            for url in mine:
                _TAKEN.pop(url, None)

    async def _keep_images(self, compiled: Compiled, running: Release) -> Compiled:
        """Have services run on with the images built or pulled for them, where this start brings no others."""
        if running.state == "kept":
            return compiled
        try:
            return keep_images(compiled, await self.orchestrator.built_images(running.identity))
        except NotFound:  # its revisions were lost
            return compiled


def keep_images(compiled: Compiled, running: Mapping[str, Mapping[str, Any]]) -> Compiled:
    """Add the images that were built or pulled for what runs to a start that brings no others.

    Args:
        compiled: What is to run.
        running: The images that services run now, as values have them.
    """
    if not running:
        return compiled
    from tycho.building import add_images, find_kept_images  # Docker's part of Tycho: only for those who build

    project = compiled.policy_result.system

    kept = find_kept_images(project, compiled.metadata, running)
    return structs.replace(compiled, metadata=add_images(compiled.metadata, kept))


def announce_expiry(release: Release, now: datetime) -> Release:
    """Add to what is said of a system that was started how long it runs, where that has an end.

    Args:
        release: The system.
        now: The moment.
    """
    if release.expiry is None:
        return release
    return release.model_copy(update={"notes": (*release.notes, release.expiry.announce(now))})


def _taken(url: str, name: str) -> Conflict:
    return Conflict(
        f"{url} is the URL of another system, {name}",
        hint="upgrade that one, or remove it; with {guid} in TYCHO_URL_TEMPLATE every system has a URL of its own",
    )


def check_rollback(wait_options: WaitOptions, not_supported: Collection[str]) -> None:
    """Refuse to undo an upgrade that nobody waits for, or where there are no revisions.

    Args:
        wait_options: Of a start.
        not_supported: What the back end does not do.

    Raises:
        UsageError: Nobody would learn that it fails.
        NotSupported: There is nothing to go back to.
    """
    if not wait_options.rollback:
        return
    if not wait_options.wait:
        raise UsageError("rollback on failure: it takes waiting to know of a failure", hint="leave one of them out")
    if "rollback" in not_supported:
        raise NotSupported("rollback on failure: this back end keeps no revisions", hint="leave it out, or use -b helm")
