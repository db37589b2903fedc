"""Who a request is from, and what he may do: the one place that knows every way of asking."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from tycho.access.limits import Limits
from tycho.access.proxy import Proxy
from tycho.access.reviews import GROUP, OTHERS, RESOURCE, Reviews
from tycho.access.subject import PATTERN, Place, Subject
from tycho.access.tokens import TokenFile
from tycho.errors import Forbidden, Unauthorized, UsageError
from tycho.text import printable
from tycho.usernames import user_namespace

OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
USER = "{user}"
FAILURES = 5.0  # tokens a second that one address may have refused, before the cluster is not asked any more
REMEDY = "send Authorization: Bearer TOKEN; the service's operator gives tokens"


class Authority:
    """Proves who asks, and decides what he may do.

    Args:
        tokens: The token file.
        reviews: The cluster's own accounts.
        proxy: A proxy that says who asks.
        namespaces: Which shared namespaces callers may name: names, or patterns with `*` and `{user}`.
        rate: Requests a second of one caller; 0 for any number.
        own_namespace: Where the service itself runs; "" outside a cluster.
        clock: Seconds that only grow.

    Raises:
        UsageError: A namespace can be none, or is never to be named.
    """

    def __init__(
        self,
        *,
        tokens: TokenFile | None = None,
        reviews: Reviews | None = None,
        proxy: Proxy | None = None,
        namespaces: Sequence[str] = (),
        rate: float = 0.0,
        own_namespace: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tokens = tokens
        self.reviews = reviews
        self.proxy = proxy
        self.namespaces = tuple(namespaces)
        self.own_namespace = own_namespace
        self.limits = Limits(rate, clock)
        self._failures = Limits(FAILURES, clock, burst=50)
        for pattern in self.namespaces:
            self._check_pattern(pattern)

    @property
    def required(self) -> bool:
        """Whether callers must prove who they are."""
        return any(way is not None for way in (self.tokens, self.reviews, self.proxy))

    def close(self) -> None:
        """Let go of connections."""
        if self.reviews:
            self.reviews.api.close()

    async def authenticate(self, headers: Sequence[tuple[bytes, bytes]], address: str) -> Subject:
        """Find who a request is from.

        Args:
            headers: As they came.
            address: Of whoever holds the connection.

        Raises:
            Unauthorized: It is from nobody that is known; says what to do.
            TooManyRequests: Too many tokens from there were refused.
        """
        if self.proxy and self.proxy.trusts(address) and (subject := self.proxy.read(headers)):
            return subject
        token = read_bearer(headers)
        if self.tokens and (subject := self.tokens.find(token)):
            return subject
        if not self.reviews:
            raise Unauthorized("nobody is known by this token", hint=REMEDY)
        try:
            return await self.reviews.find(token, lambda: self._failures.check(address))
        except Unauthorized:
            self._failures.spend(address)
            raise

    async def may(self, subject: Subject, verb: str, place: Place) -> bool:
        """Return whether a caller may do something with systems."""
        if subject.scopes is not None:
            return any(scope.allows(verb, place, subject.label) for scope in subject.scopes)
        own = place.owner == subject.label
        return self.reviews is not None and (
            await self.reviews.may(subject, verb, place.namespace, own=own)
            or (own and await self.reviews.may(subject, verb, place.namespace, own=False))
        )

    async def require(self, subject: Subject, verb: str, namespace: str) -> None:
        """Refuse a verb that a caller may do with no system at all.

        Args:
            subject: Who asks.
            verb: Which verb.
            namespace: The namespace that systems are asked for in; "" where none is named.

        Raises:
            Forbidden: Names what is missing.
        """
        if subject.scopes is not None:
            if not any(scope.names(verb) for scope in subject.scopes):
                has = ", ".join(map(str, subject.scopes)) or "none"
                raise Forbidden(
                    f"{subject.name} may not {verb} systems: the scope systems:{verb} is missing",
                    hint=f"ask the service's operator for more; this token has {has}",
                )
            return
        places = dict.fromkeys([namespace, *(() if namespace else self._listed(subject))])
        for place in places:
            if await self.may(subject, verb, Place(subject.label, place)):
                return
        raise self.forbidden(subject, verb, Place(subject.label, namespace))

    def forbidden(self, subject: Subject, verb: str, place: Place) -> Forbidden:
        """Say what a caller lacks to do something with systems."""
        whose = "own systems" if place.owner == subject.label else "systems of others"
        where = f"in the namespace {place.namespace}" if place.namespace else "with namespaces of their own"
        if subject.scopes is not None:
            has = ", ".join(map(str, subject.scopes)) or "none"
            return Forbidden(
                f"{subject.name} may not {verb} {whose} {where}",
                hint=f"ask the service's operator for more; this token has {has}",
            )
        resource = RESOURCE if place.owner == subject.label else f"{RESOURCE}/{OTHERS}"
        kind = f"a Role in {place.namespace}" if place.namespace else "a ClusterRole"
        rule = f"{{apiGroups: [{GROUP}], resources: [{resource}], verbs: [{verb}]}}"
        return Forbidden(
            f"{subject.name} may not {verb} {whose} {where}: the verb {verb} on {resource}.{GROUP} is missing",
            hint=f"ask an administrator for {kind} with the rule {rule}, and a binding to {subject.name}",
        )

    def check_namespace(self, subject: Subject | None, namespace: str) -> None:
        """Refuse a namespace that a caller may not name.

        Args:
            subject: Who asks; None for anybody of this machine.
            namespace: The name, as it was sent.

        Raises:
            Forbidden: It is none of those that the operator listed for him.
        """
        if not self._is_reserved(namespace):
            for pattern in self.namespaces:
                if USER in pattern and subject is None:
                    continue
                if fnmatchcase(namespace, pattern.replace(USER, user_namespace(subject.name) if subject else "")):
                    return
        listed = ", ".join(self._shown(subject)) or "none"
        raise Forbidden(f'the namespace "{printable(namespace)}" is not yours to name', hint=f"name one of: {listed}")

    def _listed(self, subject: Subject) -> Iterator[str]:
        """The namespaces that a caller may name and that are known by name."""
        return (pattern for pattern in self._shown(subject) if "*" not in pattern)

    def _shown(self, subject: Subject | None) -> Iterator[str]:
        for pattern in self.namespaces:
            if subject is not None:
                yield pattern.replace(USER, user_namespace(subject.name))
            elif USER not in pattern:
                yield pattern

    def _is_reserved(self, namespace: str) -> bool:
        return namespace.startswith("kube-") or namespace == self.own_namespace

    def _check_pattern(self, pattern: str) -> None:
        if not PATTERN.fullmatch(pattern.replace(USER, "user")):
            raise UsageError(
                f'"{printable(pattern)}" fits no namespace', hint="write a-z, 0-9 and -, * for any characters, {user}"
            )
        if self._is_reserved(pattern):
            raise UsageError(
                f"no caller may name the namespace {pattern}", hint="leave out kube-* and the service's own"
            )


def read_bearer(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """Read a request's token.

    Raises:
        Unauthorized: There is none, or more than one.
    """
    values = [value for name, value in headers if name.lower() == b"authorization"]
    if not values:
        raise Unauthorized("this service needs to know who asks", hint=REMEDY)
    scheme, _, token = values[0].partition(b" ")
    token = token.strip()
    if len(values) > 1 or scheme.lower() != b"bearer" or not token or not token.isascii() or b" " in token:
        raise Unauthorized("the Authorization header holds no bearer token", hint=REMEDY)
    return token.decode("ascii")


def find_own_namespace() -> str:
    """Find the namespace that this process runs in; "" outside a cluster."""
    try:
        return OWN_NAMESPACE.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
