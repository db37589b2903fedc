"""Finds the system that a caller means, among those that run, and gives a new one its identity."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from uuid import UUID, uuid4, uuid5

from tycho import ownership
from tycho.choices import find_release, find_same
from tycho.errors import Conflict, UsageError
from tycho.orchestrators import Orchestrator, Target
from tycho.ownership import Caller, choose_running, origin_key
from tycho.release import Identity, Release, label_value
from tycho.usernames import user_label

FIRST = UUID("6f2d1c6e-6d0b-4d43-9d6a-6a0f4d7b1f57")  # namespace of the GUIDs of first systems
GUID = re.compile(r"[0-9a-f]{32}")


class Listing:
    """All systems, listed for a verb when one of its ids needs that, and once for all of them.

    Args:
        orchestrator: The back end.
    """

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator
        self._lock = asyncio.Lock()
        self._listed: Sequence[Release] | None = None

    async def get(self) -> Sequence[Release]:
        """Return the list."""
        async with self._lock:
            if self._listed is None:
                self._listed = await self._orchestrator.list(services=False)
            return self._listed


class Finder:
    """Finds systems on one orchestrator.

    Args:
        orchestrator: The back end.
        target: Where it acts; `target.namespace` decides whether systems share one.
        caller: Who asks, where a verb is not told.
    """

    def __init__(self, orchestrator: Orchestrator, target: Target, caller: Caller) -> None:
        self.orchestrator = orchestrator
        self.target = target
        self.caller = caller

    async def identify(self, caller: Caller | None) -> Caller:
        """Return who asks, by the name that the cluster knows him by."""
        if caller is not None:
            return caller
        if not self.caller.username and self.caller.login:
            self.caller = self.caller.named(await self.orchestrator.user())
        return self.caller

    async def find(self, id: str, caller: Caller, listing: Listing | None = None) -> Release:
        """Find the system that an id means; of several of one name, the caller's own.

        Args:
            id: A whole one costs a request by label, a prefix or a project's name a list.
            caller: Who asks.
            listing: The list for all ids of a verb.

        Raises:
            NotFound: Nothing fits.
            Ambiguous: Several fit; the hint lists them.
        """
        named = await self.orchestrator.find(id)
        releases = named or await (listing or self.list_once()).get()
        return find_release(releases, id, prefers=caller.prefers)

    def list_once(self) -> Listing:
        """Return a list of all systems that is asked for when it is needed, and once."""
        return Listing(self.orchestrator)

    async def find_own(self, id: str, caller: Caller | None, *, force: bool, listing: Listing | None = None) -> Release:
        """Find a system that is to be changed or removed.

        Raises:
            Conflict: It is somebody else's, and this is not forced.
        """
        caller = await self.identify(caller)
        release = await self.find(id, caller, listing)
        if not force:
            await self.check_owner(release, id, caller)
        return release

    async def check_owner(self, release: Release, id: str, caller: Caller) -> None:
        """Refuse to change what is somebody else's.

        Raises:
            Conflict: Says whose it is, and where it was started.
        """
        try:
            ownership.check_owner(release, caller, id)
        except Conflict:  # once more, with what a look at the system tells of its origin
            ownership.check_owner(await self.orchestrator.status(release.identity), caller, id)
            raise

    async def find_running(self, name: str, guid: str, caller: Caller) -> Release | None:
        """Find the system that an `up` of a project upgrades; None where it is a first start.

        Args:
            name: The project's name.
            guid: Of the system that is meant, or "".
            caller: Who asks, and from where.

        Raises:
            Ambiguous: Several instances of the project run.
            Conflict: The GUID belongs to a system of another name.
        """
        if guid:
            return find_same(await self.orchestrator.find(guid), guid, name)
        return self._choose_running(await self.orchestrator.list(services=False), name, caller)

    def _choose_running(self, releases: Sequence[Release], name: str, caller: Caller) -> Release | None:
        """Choose the system that an `up` of a project upgrades among all that there are."""
        shared = self.target.namespace
        instances = [
            release
            for release in releases
            if label_value(release.identity.name) == label_value(name)
            and (release.identity.namespace == shared if shared else release.identity.own_namespace)
        ]
        return choose_running(instances, name, caller)

    async def find_for_up(self, name: str, guid: str, caller: Caller, *, new: bool) -> tuple[str, Release | None]:
        """Find what an `up` of a project is about: the system that it upgrades, or the GUID of a first start.

        Args:
            name: The project's name.
            guid: Of the system that is meant, or "".
            caller: Who asks, and from where.
            new: Whether it is another instance even when the project runs already.

        Returns:
            The GUID, "" for one that is drawn; and the system, None where it is a first start.

        Raises:
            Ambiguous: Several instances of the project run.
            Conflict: The GUID belongs to a system of another name.
        """
        if new and not guid:
            return "", None
        if guid:
            return guid, await self.find_running(name, guid, caller)
        releases = await self.orchestrator.list(services=False)
        running = self._choose_running(releases, name, caller)
        return ("", running) if running else self.choose_first(releases, name, caller)

    def choose_first(self, releases: Sequence[Release], name: str, caller: Caller) -> tuple[str, Release | None]:
        """Choose the GUID of a project's first system; with it that system, where it is there under another label.

        It follows from the project, so that two first starts at once make one release, and its Lease decides between
        them: nobody need look once more. Where somebody else has that GUID, the start gets another one.

        Args:
            releases: All systems that there are.
            name: The project's name.
            caller: Who asks, and from where.
        """
        parts = (caller.username, origin_key(caller.origin), name, self.target.namespace)
        guid = uuid5(FIRST, "\0".join(parts)).hex
        for release in releases:
            if release.identity.guid == guid:
                own = release.identity.name == name and caller.prefers(release.identity)
                return (guid, release) if own else ("", None)
        return guid, None

    async def check_replacement(self, running: Release, caller: Caller) -> None:
        """Refuse to upgrade what is somebody else's, or was started from elsewhere.

        Raises:
            Conflict: Says who started it, from where, since when.
        """
        try:
            ownership.check_replacement(running, caller)
        except Conflict:
            ownership.check_replacement(await self.orchestrator.status(running.identity), caller)
            raise


def keep_identity(identity: Identity, caller: Caller) -> Identity:
    """Return the identity of a system that is upgraded: it comes from where the caller is now, and may change hands."""
    changes = {"origin": origin_key(caller.origin) or identity.origin}
    if identity.username and caller.username:
        changes["username"] = user_label(caller.username)
    return identity.model_copy(update=changes)


def new_identity(name: str, guid: str, target: Target, caller: Caller) -> Identity:
    """Make the identity of a first start.

    Args:
        name: The project's name.
        guid: 32 hex digits, or "" for new ones.
        target: Where it shall run.
        caller: Who asks, and from where.

    Raises:
        UsageError: This is no GUID.
    """
    guid = guid or uuid4().hex
    if not GUID.fullmatch(guid):
        raise UsageError(f'"{guid}" is not a GUID', hint="write 32 hexadecimal digits")
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:20].strip("-") or "system"
    release = f"{label}-{guid[:8]}"
    return Identity(
        guid=guid,
        name=name,
        release=release,
        namespace=target.namespace or release,
        own_namespace=not target.namespace,
        username=user_label(caller.username),
        origin=origin_key(caller.origin),
    )
