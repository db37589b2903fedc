"""The verbs as a REST service: `create_app(lifecycle)` for any ASGI server, `serve` for this one.

    request -> who asks -> guard -> message -> sandbox -> lifecycle -> envelope

Every answer is the envelope `{status, result, message}`, with the HTTP status that its error has.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from tycho import __version__
from tycho.access import Authority
from tycho.api.access import Access
from tycho.api.correlation import Correlation
from tycho.api.guard import Guard
from tycho.api.metrics import Meter
from tycho.api.openapi import declare
from tycho.api.reaping import reaping
from tycho.api.responses import HANDLERS
from tycho.api.routes import router
from tycho.api.server import serve
from tycho.lifecycle import Lifecycle
from tycho.sandbox import Sandbox

__all__ = ["create_app", "serve"]


def create_app(lifecycle: Lifecycle, authority: Authority | None = None) -> FastAPI:
    """Create the service over a lifecycle.

    Args:
        lifecycle: The verbs; its orchestrator is closed with the app.
        authority: Who may; by default whoever reaches it by a loopback name.
    """
    sandbox, authority = Sandbox(lifecycle), authority or Authority()

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        sandbox.warm()
        try:
            async with lifecycle.orchestrator.keep_view(), reaping(lifecycle):
                yield
        finally:
            await app.state.guard.end()
            sandbox.close()
            authority.close()
            await lifecycle.orchestrator.close()

    app = FastAPIOffline(
        title="Tycho",
        version=__version__,
        summary="Run Docker Compose systems on Kubernetes as Helm releases.",
        redoc_url=None,
        lifespan=living,
        exception_handlers=HANDLERS,
    )
    app.state.lifecycle, app.state.sandbox, app.state.ending = lifecycle, sandbox, False
    app.state.authority = authority
    app.include_router(router)
    app.add_middleware(Guard, any_host=authority.required)
    app.add_middleware(Access, authority=authority)
    app.add_middleware(Correlation)  # around all that answers: what is refused has an id, too
    app.add_middleware(Meter)
    declare(app)
    return app
