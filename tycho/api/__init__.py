"""The verbs as a REST service: `create_app(lifecycle)` for any ASGI server, `serve` for this one.

    request -> guard -> message -> sandbox -> lifecycle -> envelope

Every answer is the envelope `{status, result, message}`, with the HTTP status that its error has.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from tycho import __version__
from tycho.api.answers import HANDLERS
from tycho.api.correlation import Correlation
from tycho.api.guard import Guard
from tycho.api.metrics import Meter
from tycho.api.openapi import declare
from tycho.api.routes import router
from tycho.api.server import serve
from tycho.lifecycle import Lifecycle
from tycho.sandbox import Sandbox

__all__ = ["create_app", "serve"]


def create_app(lifecycle: Lifecycle) -> FastAPI:
    """The service over a lifecycle.

    Args:
        lifecycle: The verbs; its orchestrator is closed with the app.
    """
    sandbox = Sandbox(lifecycle)

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        sandbox.warm()
        try:
            async with lifecycle.orchestrator.keep_view():
                yield
        finally:
            await app.state.guard.end()
            sandbox.close()
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
    app.include_router(router)
    app.add_middleware(Guard)
    app.add_middleware(Correlation)  # around all that answers: what is refused has an id, too
    app.add_middleware(Meter)
    declare(app)
    return app
