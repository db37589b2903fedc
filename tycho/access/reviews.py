"""What the cluster says of a token, and of what its bearer may do; each answer is believed for a minute at most."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tycho.access.cache import Cache
from tycho.access.subject import Subject
from tycho.errors import ClusterUnreachable, OrchestratorError, Unauthorized, WaitTimeout
from tycho.kube.reviews import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS

AUDIENCE = "tycho"
GROUP = "tycho.dev"
RESOURCE = "systems"
OTHERS = "others"
"""The subresource of systems that are not the caller's own."""
BELIEVED = 50.0  # seconds that a yes is believed: with the 10 that the API server remembers a token, a minute
REFUSED = 5.0  # seconds that a no is
LONGEST = 16 * 1024  # characters of a token


class Reviewer(Protocol):
    """The API server, as far as reviews need it."""

    async def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make an object; what the server made of it is returned."""

    def close(self) -> None:
        """Let go of connections."""


class Reviews:
    """Asks the cluster.

    Args:
        api: The API server, with the service's own credentials.
        clock: Seconds that only grow.
    """

    def __init__(self, api: Reviewer, clock: Callable[[], float]) -> None:
        self.api = api
        self._known: Cache[Subject | Unauthorized] = Cache(clock)
        self._allowed: Cache[bool] = Cache(clock)

    async def find(self, token: str, before: Callable[[], None] = lambda: None) -> Subject:
        """Find whose a token is.

        Args:
            token: As the request has it.
            before: Called before the cluster is asked; it may refuse.

        Raises:
            Unauthorized: It is nobody's, or was not made for Tycho.
        """
        if len(token) > LONGEST or not token.isascii() or not token.isprintable() or " " in token:
            raise Unauthorized("this is no token")
        key = hashlib.sha256(token.encode()).digest()
        if (known := self._known.get(key)) is None:
            before()
            try:
                known = await self._review(token)
            except Unauthorized as error:
                known = error
            self._known.put(key, known, BELIEVED if isinstance(known, Subject) else REFUSED)
        if isinstance(known, Unauthorized):
            raise Unauthorized(known.message, hint=known.hint)
        return known

    async def may(self, subject: Subject, verb: str, namespace: str, *, own: bool) -> bool:
        """Ask whether the cluster's roles allow a verb.

        Args:
            subject: Whom.
            verb: Tycho's verb.
            namespace: Of systems in this namespace; "" for all namespaces.
            own: With the caller's own systems, or with those of others.
        """
        key = (subject.name, subject.uid, subject.groups, _frozen(subject), verb, namespace, own)
        if (known := self._allowed.get(key)) is None:
            attributes = {"verb": verb, "group": GROUP, "resource": RESOURCE, "namespace": namespace}
            spec = {
                "user": subject.name,
                "groups": list(subject.groups),
                "uid": subject.uid,
                "extra": {name: list(values) for name, values in subject.extra.items()},
                "resourceAttributes": attributes if own else {**attributes, "subresource": OTHERS},
            }
            body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
            status = (await self._ask(SUBJECT_ACCESS_REVIEWS, body)).get("status") or {}
            known = status.get("allowed") is True and not status.get("denied")
            self._allowed.put(key, known, BELIEVED if known else REFUSED)
        return known

    async def _review(self, token: str) -> Subject:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [AUDIENCE]},
        }
        status = (await self._ask(TOKEN_REVIEWS, body)).get("status") or {}
        if not status.get("authenticated"):
            raise Unauthorized(
                "the cluster does not know this token, or it was not made for Tycho",
                hint=f"kubectl create token ACCOUNT --audience {AUDIENCE} makes one",
            )
        if AUDIENCE not in (status.get("audiences") or ()):
            raise Unauthorized(
                "this token is for the API server, and Tycho does not accept those",
                hint=f"kubectl create token ACCOUNT --audience {AUDIENCE} makes one",
            )
        user = status.get("user") or {}
        return Subject(
            name=str(user.get("username", "")),
            how="token review",
            groups=_texts(user.get("groups")),
            uid=str(user.get("uid", "")),
            extra={str(key): _texts(values) for key, values in (user.get("extra") or {}).items()},
        )

    async def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask the cluster; what it says of the service's own rights is no answer to the caller."""
        try:
            return await self.api.create(path, body)
        except (ClusterUnreachable, WaitTimeout):
            raise
        except OrchestratorError as error:
            raise OrchestratorError(
                "the service may not ask the cluster who its callers are",
                hint="let its account create tokenreviews and subjectaccessreviews",
                local=error.message,
            ) from error


def _texts(values: Sequence[object] | None) -> tuple[str, ...]:
    return tuple(map(str, values or ()))


def _frozen(subject: Subject) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((name, tuple(values)) for name, values in subject.extra.items()))
