"""What a route is given: the verbs and the sandbox, bound to whoever asks."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Query, Request

from tycho.access import Authority, Bound, BoundSandbox, Subject
from tycho.access.audit import AuditedRequest
from tycho.api.correlation import ASKED
from tycho.errors import Unauthorized
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import NAMESPACE
from tycho.sandbox import Sandbox
from tycho.slots import CALLER

Named = Annotated[
    str,
    Query(
        pattern=rf"^({NAMESPACE.pattern})?$",
        description="The shared namespace that is meant, of those that the operator lists for the caller.",
    ),
]


def _subject(request: Request) -> Subject | None:
    """Return the caller; None where that does not matter.

    Raises:
        Unauthorized: It does, and nobody has asked him.
    """
    subject: Subject | None = request.state.subject
    if subject is None and _authority(request).required and not request.state.open:
        raise Unauthorized("this service needs to know who asks")
    return subject


def _authority(request: Request) -> Authority:
    authority: Authority = request.app.state.authority
    return authority


def _lifecycle(request: Request, namespace: Named = "") -> Lifecycle:
    subject, address = _subject(request), request.client.host if request.client else ""
    source = AuditedRequest(
        who=subject.name if subject else CALLER.get(),
        how=subject.how if subject else "",
        token=subject.token if subject else "",
        address=address,
        request_id=ASKED.get().id,
    )
    # It has the methods of a lifecycle that a caller may use, and no others.
    return cast("Lifecycle", Bound(request.app.state.lifecycle, _authority(request), subject, source, namespace))


def _sandbox(request: Request, namespace: Named = "") -> Sandbox:
    authority = _authority(request)
    where = namespace or request.app.state.lifecycle.target.namespace
    return cast("Sandbox", BoundSandbox(request.app.state.sandbox, authority, _subject(request), where))


LifecycleDep = Annotated[Lifecycle, Depends(_lifecycle)]
SandboxDep = Annotated[Sandbox, Depends(_sandbox)]
