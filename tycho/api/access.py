"""Finds out who a request is from, before anything of it is read; what nobody may forge is taken off it."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from tycho.access import Authority, Subject
from tycho.api.responses import Json, failed
from tycho.errors import TychoError, Unauthorized
from tycho.ownership import Caller

OPEN = ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/apidocs")
"""What whoever reaches the service may read: whether it lives, and what its routes are called."""
UNLIMITED = OPEN[:3]
ASSETS = "/static-offline-docs/"
CHALLENGE = 'Bearer realm="tycho"'


class Access:
    """Lets in who may ask.

    `request.state.subject` is the caller who proved his name, `request.state.caller` the same
    for ownership; both are None where nobody has to.

    Args:
        app: What answers.
        authority: Who decides.
    """

    def __init__(self, app: ASGIApp, authority: Authority) -> None:
        self.app = app
        self.authority = authority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        state = scope.setdefault("state", {})
        state["subject"], state["caller"], state["open"] = None, None, is_open(scope)
        address = (scope.get("client") or ("",))[0] or ""
        headers = list(scope["headers"])
        if proxy := self.authority.proxy:
            scope["headers"] = proxy.strip(headers)
        try:
            if self.authority.required and not state["open"]:
                subject = await self.authority.authenticate(headers, address)
                state["subject"], state["caller"] = subject, Caller(subject.name)
            if scope["path"] not in UNLIMITED:
                self.authority.limits.take(_name(state["subject"], address))
        except TychoError as error:
            return await refuse(error)(scope, receive, send)
        await self.app(scope, receive, send)


def is_open(scope: Scope) -> bool:
    """Return whether a request is answered to anybody."""
    return scope["method"] in ("GET", "HEAD") and (scope["path"] in OPEN or scope["path"].startswith(ASSETS))


def refuse(error: TychoError) -> Json:
    """Make the answer to who may not come in, with what HTTP wants beside it."""
    answer = failed(error)
    if error.http_status == Unauthorized.http_status:
        answer.headers["WWW-Authenticate"] = CHALLENGE
    return answer


def _name(subject: Subject | None, address: str) -> str:
    """Return the caller's name, as requests are counted; "" for an address."""
    return f"user {subject.name}" if subject else f"address {address}"
