"""An orchestrator as one caller may see it for one verb: systems that are not his to touch are not there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tycho.access.subject import Place
from tycho.errors import Conflict, Forbidden, NotFound
from tycho.release import Identity
from tycho.usernames import same_user, user_label

if TYPE_CHECKING:
    from tycho.comparison import Comparison
    from tycho.model import PolicyResult
    from tycho.orchestrators import Artifact, Instance, Orchestrator
    from tycho.release import Release

STREAMS = ("logs", "events")
May = Callable[[Place], Awaitable[bool]]


class Guarded:
    """Wraps an orchestrator.

    Whatever takes a system's identity is passed on once that identity was checked; all else is not offered.

    Args:
        inner: The orchestrator.
        may: Whether the caller may do what he is about to.
        forbidden: The error for what he may not.
        namespace: Only systems in this shared namespace; "" for all.
    """

    def __init__(
        self, inner: Orchestrator, may: May, forbidden: Callable[[Place], Forbidden], namespace: str = ""
    ) -> None:
        self._inner: Any = inner
        self._may = may
        self._forbidden = forbidden
        self._namespace = namespace

    def compile(self, policy_result: PolicyResult, *, strict: bool = False, version: str = "") -> Artifact:
        """Make what runs of a project with its policies applied."""
        artifact: Artifact = self._inner.compile(policy_result, strict=strict, version=version)
        return artifact

    async def list(self, **options: Any) -> Sequence[Release]:
        """The caller's systems, oldest first."""
        return await self._visible(await self._inner.list(**options))

    async def find(self, id: str) -> Sequence[Release]:
        """Those of the caller's that an id names."""
        return await self._visible(await self._inner.find(id))

    async def follow(self, identity: Identity | None = None, **options: Any) -> AsyncIterator[Sequence[Release]]:
        """Looks at one of the caller's systems, or at all of them: what he may not see any more, he does not."""
        async with aclosing(self._inner.follow(identity, **options)) as looks:
            async for releases in looks:
                if identity is not None:
                    await self._check(identity)
                yield await self._visible(releases)

    async def up(self, artifact: Artifact, instance: Instance) -> Release:
        """Start or upgrade a system.

        Raises:
            Forbidden: The caller may not start it there, or as that user.
            Conflict: Somebody else's has this identity.
        """
        identity = instance.identity
        if identity.namespace.startswith("kube-"):
            raise Forbidden(
                "namespaces that begin with kube- are the cluster's own", hint="give the project a new name"
            )
        if not await self._may(place := _place(identity)):
            raise self._forbidden(place)
        if not instance.upgrade:
            await self._check_free(identity)
        release: Release = await self._inner.up(artifact, instance)
        return release

    async def diff(self, artifact: Artifact, instance: Instance) -> Comparison:
        """Tell what `up` would change."""
        if instance.upgrade:
            await self._check(instance.identity)
        comparison: Comparison = await self._inner.diff(artifact, instance)
        return comparison

    async def is_start_of(self, artifact: Artifact, instance: Instance) -> bool:
        """Tell whether a system was started from this artifact and instance."""
        await self._check(instance.identity)
        same: bool = await self._inner.is_start_of(artifact, instance)
        return same

    async def modify(self, release: Release, *args: Any, **kwargs: Any) -> Any:
        """Change what runs."""
        await self._check(release.identity)
        return await self._inner.modify(release, *args, **kwargs)

    def now(self) -> datetime:
        """The moment, by the clock of what runs the systems."""
        moment: datetime = self._inner.now()
        return moment

    async def user(self) -> str:
        """Nobody but the caller counts, and he is known."""
        return ""

    def __getattr__(self, name: str) -> Any:
        """Return a method that checks the identity which it is given."""
        if name.startswith("_") or name in ("close", "push", "doctor", "keep_view", "ports", "forward"):
            raise AttributeError(name)
        method = getattr(self._inner, name)

        async def checked(identity: Identity, *args: Any, **kwargs: Any) -> Any:
            await self._check(identity)
            return await method(identity, *args, **kwargs)

        async def streamed(identity: Identity, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            await self._check(identity)
            async with aclosing(method(identity, *args, **kwargs)) as members:
                async for member in members:
                    yield member

        return streamed if name in STREAMS else checked

    async def _check(self, identity: Identity) -> None:
        if not await self._may(_place(identity)):
            raise NotFound("no such system runs here", hint="`tycho status` lists what runs")

    async def _visible(self, releases: Sequence[Release]) -> Sequence[Release]:
        asked: dict[Place, bool] = {}
        visible = []
        for release in releases:
            place = _place(release.identity)
            if self._namespace not in ("", place.namespace):
                continue
            if place not in asked:
                asked[place] = await self._may(place)
            if asked[place]:
                visible.append(release)
        return visible

    async def _check_free(self, identity: Identity) -> None:
        """Refuse a first start under an identity that is taken: by its GUID, or by the name of its release."""
        taken = [*await self._inner.find(identity.guid), *await self._inner.find(identity.release)]
        if not all(same_user(release.identity.username, identity.username) for release in taken):
            raise Conflict("this GUID belongs to another system", hint="leave it out, and the system gets its own")


def _place(identity: Identity) -> Place:
    """Where a system is, for who asks what he may do with it."""
    return Place(user_label(identity.username), "" if identity.own_namespace else identity.namespace)
