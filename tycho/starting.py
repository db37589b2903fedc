"""What comes before a start: whether it was made already, and what it would change."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import yaml

from tycho.chart import COMPOSE_FILE, RouteContext, check_start, release_values
from tycho.compilation import Compiled
from tycho.differences import list_differences
from tycho.errors import Conflict, KeyReused, NotFound
from tycho.finder import keep_identity
from tycho.operations import Operations
from tycho.orchestrators import merge_values
from tycho.ownership import Caller
from tycho.release import Identity, Release
from tycho.urls import ANNOTATION

if TYPE_CHECKING:
    from tycho.model import Project
    from tycho.orchestrators import StoredRelease
    from tycho.urls import UrlOptions

_TAKEN: dict[str, str] = {}  # URLs of systems that this process is starting, and their GUIDs
OWN = ("variables", "services", "secrets", "secretFiles")  # parts of the values that a request decides


class Starting(Operations):
    """Verbs on a start that is asked for, and not made yet."""

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
            found = await self.orchestrator.status((await self.find(guid)).identity)
        except NotFound:
            return None
        if found.state in ("kept", "lost", "uninstalling"):
            return None
        first = (await self.orchestrator.history(found.identity))[0].revision  # what was changed since is no start
        if first > 1:  # after so many changes nobody knows the start any more; its GUID is of this key
            return found
        stored = await self.orchestrator.contents(found.identity, first)
        context = self.route_context(found.identity)
        values = release_values(compiled.policy_result.system, compiled.metadata, context=context)
        same = all((stored.values.get(part) or {}) == (values.get(part) or {}) for part in OWN)
        if not same or stored.compose != compiled.chart.files.get(COMPOSE_FILE, ""):
            raise KeyReused(
                f"this key came with another request before, which started {found.identity.name}",
                hint="a new request needs a new Idempotency-Key",
            )
        return found

    async def preview(
        self, compiled: Compiled, *, guid: str = "", new: bool = False, caller: Caller | None = None
    ) -> tuple[str, ...]:
        """Tell what a start would change; touches nothing.

        Args:
            compiled: What would run.
            guid: The system's GUID, when the caller has one.
            new: It is another instance even when the project runs already.
            caller: Who asks, and from where.

        Raises:
            Ambiguous: Several instances of the project run.
            Conflict: The GUID belongs to a system of another name.
            ComposeError: A config or a secret has no content.
        """
        system = compiled.policy_result.system
        check_start(system)
        caller = await self._finder.identify(caller)
        running = None if new and not guid else await self._finder.find_running(system.name, guid, caller)
        before: Mapping[str, Any] = {"services": {}, "variables": {}}
        context = self.route_context(keep_identity(running.identity, caller)) if running else None
        if running and running.state != "kept":
            stored = await self.orchestrator.contents(running.identity)
            before, compiled = stored.merged, keep_images(compiled, stored)
        defaults = await asyncio.to_thread(yaml.safe_load, str(compiled.chart.files["values.yaml"]))
        after = merge_values(defaults, release_values(system, compiled.metadata, context=context))
        parts = ("services", "variables")
        old, new_ = ({part: values.get(part) or {} for part in parts} for values in (before, after))
        return tuple(difference.words for difference in list_differences(old, new_))

    def route_context(self, identity: Identity) -> RouteContext | None:
        """Return what decides a system's URL; None where the operator has no template of URLs."""
        return RouteContext(self.urls, identity) if self.urls else None

    @asynccontextmanager
    async def reserve_urls(self, values: Mapping[str, Any], identity: Identity) -> AsyncIterator[None]:
        """Keep the URLs of a system its own while it is started.

        With a GUID in them nobody else has them. Without one, two starts of one user and name would.

        Args:
            values: Of its release.
            identity: Which system.

        Raises:
            Conflict: Another system has one of them.
        """
        if self.urls is None or "guid" in self.urls.template.placeholders:
            yield
            return
        annotations = (fields.get("workloadAnnotations", {}) for fields in values.get("services", {}).values())
        wanted = {fields[ANNOTATION] for fields in annotations if ANNOTATION in fields}
        mine = {url for url in wanted if _TAKEN.setdefault(url, identity.guid) == identity.guid}
        try:
            if mine != wanted:
                raise _taken(min(wanted - mine), identity.name)
            for release in await self.orchestrator.list():
                if release.identity.guid == identity.guid:
                    continue
                if shared := wanted.intersection(service.url for service in release.services):
                    raise _taken(min(shared), release.identity.release)
            yield
        finally:
            for url in mine:
                _TAKEN.pop(url, None)

    async def _keep_images(self, compiled: Compiled, running: Release) -> Compiled:
        """Have services run on with the images that were built for them, where this start brings no others."""
        if running.state == "kept" or not _builds(compiled.policy_result.system):
            return compiled
        try:
            return keep_images(compiled, await self.orchestrator.contents(running.identity))
        except NotFound:  # its revisions were lost
            return compiled


def keep_images(compiled: Compiled, stored: StoredRelease) -> Compiled:
    """Add the images that were built for what runs to a start that brings no others.

    Args:
        compiled: What is to run.
        stored: What runs.
    """
    project = compiled.policy_result.system
    if not _builds(project):
        return compiled
    from tycho.building import add_images, find_kept_images  # Docker's part of Tycho: only for those who build

    kept = find_kept_images(project, compiled.metadata, stored)
    return dataclasses.replace(compiled, metadata=add_images(compiled.metadata, kept))


def _builds(project: Project) -> bool:
    return any(service.build is not None for service in (*project.services.values(), *project.jobs.values()))


def _taken(url: str, name: str) -> Conflict:
    return Conflict(
        f"{url} is the URL of another system, {name}",
        hint="upgrade that one, or remove it; with {guid} in TYCHO_URL_TEMPLATE every system has a URL of its own",
    )
