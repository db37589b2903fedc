"""The verbs of a lifecycle, bound to whoever asks: each checks what he may do, and says who did it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from tycho.access import audit
from tycho.access.guarded import Guarded
from tycho.access.subject import Place
from tycho.errors import Forbidden, NotFound, TychoError
from tycho.lifecycle import Lifecycle, Removal
from tycho.ownership import DESCRIPTION, Caller
from tycho.release import Release
from tycho.slots import CALLER
from tycho.usernames import same_user, user_label

if TYPE_CHECKING:
    from tycho.access.authority import Authority
    from tycho.access.subject import Subject
    from tycho.orchestrators import Orchestrator, Target
    from tycho.sandbox import Sandbox

VERBS = {
    "up": "start",
    "find_start": "start",
    "diff": "start",
    "drift": "history",
    "diff_revision": "rollback",
    "runs": "status",
    "running_services": "status",
    "find": "status",
    "status": "status",
    "down": "delete",
    "history": "history",
    "contents": "history",
    "chart": "history",
    "rollback": "rollback",
    "restart": "restart",
    "modify": "modify",
    "touch": "touch",
    "scale": "modify",
    "pause": "modify",
    "resume": "modify",
    "stop": "modify",
    "start": "modify",  # of services; the start of a system is `up`
    "logs": "logs",
    "events": "events",
    "wait": "status",
    "follow": "status",
}
"""Of each method of a lifecycle that callers have, the verb that they must be allowed."""
CHANGING = ("up", "down", "modify", "rollback", "restart", "scale", "pause", "resume", "stop", "start")
"""The methods that change something: the audit tells of each."""
WITHHELD = (
    "compile", "explain", "push", "exec", "forward", "ports", "identify", "check_owner",
    "reserve_urls", "make_instance",
)  # fmt: skip
"""The methods that no caller of the service has."""


class Bound:
    """A lifecycle's verbs for one request; whatever is not in `VERBS` is not there.

    Args:
        lifecycle: The verbs.
        authority: Who decides.
        subject: Who asks; None where nobody has to say who he is, and anybody may do anything.
        source: What the audit says of the request.
        namespace: The shared namespace that the request names; "" for what the service was told.

    Raises:
        Forbidden: He may not name this namespace.
    """

    def __init__(
        self,
        lifecycle: Lifecycle,
        authority: Authority,
        subject: Subject | None,
        source: audit.AuditedRequest,
        namespace: str = "",
    ) -> None:
        self._lifecycle = lifecycle
        self._authority = authority
        self._subject = subject
        self._source = source
        self._target: Target = lifecycle.target
        if namespace and namespace != self._target.namespace:
            authority.check_namespace(subject, namespace)
            self._target = replace(self._target, namespace=namespace)

    def now(self) -> datetime:
        """Tell the time of the clock that the moments of systems are of; everybody may ask."""
        return self._lifecycle.now()

    def __getattr__(self, name: str) -> Any:
        """Return a verb.

        Raises:
            Forbidden: It is not offered.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in VERBS:
            raise Forbidden(f"the service does not offer {name}")
        method = getattr(Lifecycle, name)
        return partial(self._stream if inspect.isasyncgenfunction(method) else self._call, name)

    async def _call(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        verb = VERBS[name]
        if name not in CHANGING or kwargs.get("dry_run"):
            return await self._do(name, verb, args, kwargs)
        word = name if verb == "modify" else verb
        token = DESCRIPTION.set(self._describe(word))
        try:
            done = await self._do(name, verb, args, kwargs)
        except BaseException as error:
            for system in _asked(args):
                audit.write(self._source, word, system=system, error=error)
            raise
        finally:
            DESCRIPTION.reset(token)
        self._log_done(word, args, done)
        return done

    async def _stream(self, name: str, /, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        verb = VERBS[name]
        await self._enter(verb)
        if self._subject is not None and (asked := kwargs.get("username")):
            await self._check_name(verb, asked)
        async with aclosing(getattr(self._as(verb), name)(*args, **kwargs)) as members:
            async for member in members:
                yield member

    async def _do(self, name: str, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        await self._enter(verb)
        if self._subject is not None and "caller" in inspect.signature(getattr(Lifecycle, name)).parameters:
            kwargs["caller"] = await self._as_caller(verb, kwargs.get("caller"))
        if self._subject is not None and (asked := kwargs.get("username")):
            await self._check_name(verb, asked)
        try:
            done = await getattr(self._as(verb), name)(*args, **kwargs)
        except NotFound:
            if args and isinstance(args[0], str) and (refusal := await self._find_refusal(verb, args[0])):
                raise refusal from None
            raise
        return await self._explain_removals(verb, done) if name == "down" else done

    async def _enter(self, verb: str) -> None:
        if self._subject is not None:
            await self._authority.require(self._subject, verb, self._target.namespace)

    def _as(self, verb: str) -> Lifecycle:
        """The lifecycle as the caller may see it for a verb."""
        if self._subject is None and self._target == self._lifecycle.target:
            return self._lifecycle
        subject, authority = self._subject, self._authority

        async def may(place: Place) -> bool:
            return subject is None or await authority.may(subject, verb, place)

        def forbidden(place: Place) -> Forbidden:
            return authority.forbidden(cast("Subject", subject), verb, place)

        guarded = Guarded(self._lifecycle.orchestrator, may, forbidden, self._target.namespace)
        caller = Caller(subject.name) if subject else Caller()
        policies, urls = self._lifecycle.policies, self._lifecycle.urls
        return Lifecycle(cast("Orchestrator", guarded), self._target, policies=policies, caller=caller, urls=urls)

    async def _as_caller(self, verb: str, caller: Caller | None) -> Caller:
        """Who asks: the one who proved his name, whatever the request says, unless he may act for the other, too."""
        subject = cast("Subject", self._subject)
        if caller is None or not caller.username or caller.assumed or same_user(caller.username, subject.name):
            return replace(caller or Caller(), username=subject.name, login="", assumed=False)
        await self._check_name(verb, caller.username)
        return caller

    async def _check_name(self, verb: str, name: str) -> None:
        """Refuse the name of another user in a request.

        Raises:
            Forbidden: The caller may not do this with that user's systems.
        """
        subject = cast("Subject", self._subject)
        place = Place(user_label(name), self._target.namespace)
        if not same_user(name, subject.name) and not await self._authority.may(subject, verb, place):
            refused = self._authority.forbidden(subject, verb, place)
            raise Forbidden(
                f"the request says that {name} asks, and {subject.name} does: {refused.message}", hint=refused.hint
            )

    async def _find_refusal(self, verb: str, id: str) -> Forbidden | None:
        """Return why the caller may not do something to what he may look at; None where he may, or may not look."""
        if self._subject is None or verb in ("status", "start"):
            return None
        try:
            identity = (await self._as("status").find(id)).identity
        except TychoError:
            return None
        place = Place(user_label(identity.username), "" if identity.own_namespace else identity.namespace)
        if await self._authority.may(self._subject, verb, place):
            return None
        return self._authority.forbidden(self._subject, verb, place)

    async def _explain_removals(self, verb: str, removals: Sequence[Removal]) -> list[Removal]:
        """Say of what was not found, and may be looked at, that it may not be removed."""
        return [
            replace(removal, error=await self._find_refusal(verb, removal.id) or removal.error)
            if isinstance(removal.error, NotFound)
            else removal
            for removal in removals
        ]

    def _describe(self, verb: str) -> str:
        """What Helm is to keep with the revision; nothing where nobody had to say who he is."""
        if self._subject is None:
            return ""
        return f"{verb} by {self._subject.name} (request {self._source.request_id})"

    def _log_done(self, verb: str, args: tuple[Any, ...], done: Any) -> None:
        results = done if isinstance(done, list | tuple) else [done]
        for result in results:
            release, error = getattr(result, "release", result), getattr(result, "error", None)
            if isinstance(release, Release):
                identity = release.identity
                audit.write(
                    self._source, verb, system=f"{identity.name}-{identity.guid}", namespace=identity.namespace,
                    owner=identity.username, error=error,
                )  # fmt: skip
            else:
                system = result.id if isinstance(result, Removal) else "; ".join(_asked(args))
                audit.write(self._source, verb, system=system, error=error)


class BoundSandbox:
    """The compiler of a service, for one request.

    Args:
        sandbox: What compiles.
        authority: Who decides.
        subject: Who asks; None where anybody may.
        namespace: Where systems are to run; "" for namespaces of their own.
    """

    def __init__(self, sandbox: Sandbox, authority: Authority, subject: Subject | None, namespace: str = "") -> None:
        self._sandbox = sandbox
        self._authority = authority
        self._subject = subject
        self._namespace = namespace

    async def compile(self, *args: Any, **kwargs: Any) -> Any:
        """Compile a document, for who may compile or start one."""
        if self._subject is not None:
            CALLER.set(self._subject.name)  # whatever name the request says
            try:
                await self._authority.require(self._subject, "compile", self._namespace)
            except Forbidden:
                await self._authority.require(self._subject, "start", self._namespace)
        return await self._sandbox.compile(*args, **kwargs)


def _asked(args: tuple[Any, ...]) -> Iterable[str]:
    """The systems that a call names: ids, or the project that it starts."""
    first = args[0] if args else ""
    if isinstance(first, str):
        return [first]
    if isinstance(first, list | tuple):
        return [str(id) for id in first]
    return [first.policy_result.system.name] if hasattr(first, "policy_result") else [""]
