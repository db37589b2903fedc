"""The verbs as a REST service: `create_app(lifecycle)` for any ASGI server, `serve` for this one.

Every answer is the envelope `{status, result, message}`, with the HTTP status that its error has.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from tycho import __version__
from tycho.api.guard import bindable, refused
from tycho.api.routes import router
from tycho.errors import TychoError
from tycho.lifecycle import Lifecycle

__all__ = ["create_app", "serve"]
log = logging.getLogger("tycho.api")


def create_app(lifecycle: Lifecycle) -> FastAPI:
    """The service over a lifecycle.

    Args:
        lifecycle: The verbs; closed with the app.
    """

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        yield
        await lifecycle.orchestrator.close()

    app: FastAPI = FastAPIOffline(
        title="Tycho",
        version=__version__,
        summary="Run Docker Compose systems on Kubernetes as Helm releases.",
        redoc_url=None,
        lifespan=living,
    )
    app.state.lifecycle = lifecycle
    app.include_router(router)
    app.add_exception_handler(TychoError, _tycho)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        error = refused(request.method, request.headers)
        return _told(error) if error else await call_next(request)

    @app.get("/apidocs", include_in_schema=False)
    async def apidocs() -> RedirectResponse:
        return RedirectResponse("/docs")

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Whether the service lives."""
        return {"status": "success"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        """Whether it reaches its cluster."""
        await lifecycle.orchestrator.list(services=False)
        return {"status": "success"}

    return app


def serve(lifecycle: Lifecycle, *, host: str = "127.0.0.1", port: int = 5000, debug: bool = False) -> None:
    """Serve until interrupted.

    Args:
        lifecycle: The verbs.
        host: Loopback address to listen on.
        port: TCP port.
        debug: Log each request and what is done for it.

    Raises:
        UsageError: The address is not loopback.
    """
    import uvicorn

    bindable(host)
    uvicorn.run(
        create_app(lifecycle), host=host, port=port, log_level="debug" if debug else "info", server_header=False
    )


def _told(error: TychoError) -> JSONResponse:
    problems = [
        {key: getattr(problem, key) for key in ("path", "message", "file", "line", "hint")}
        for problem in error.problems
    ]
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    return _error(error.http_status, message, {"problems": problems} if problems else {})


async def _tycho(request: Request, error: Any) -> JSONResponse:
    return _told(error)


async def _invalid(request: Request, error: Any) -> JSONResponse:
    problems = [
        {"path": ".".join(str(step) for step in one["loc"][1:]), "message": one["msg"]} for one in error.errors()
    ]
    malformed = any(one["type"] == "json_invalid" for one in error.errors())
    said = "; ".join(f"{one['path']}: {one['message']}" if one["path"] else one["message"] for one in problems)
    return _error(400 if malformed else 422, said, {"problems": problems})


async def _http(request: Request, error: Any) -> JSONResponse:
    return _error(error.status_code, str(error.detail), {})


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    return _error(500, f"unexpected {type(error).__name__}; the service's log says more", {})


def _error(status: int, message: str, result: Any) -> JSONResponse:
    return JSONResponse({"status": "error", "result": result, "message": message}, status)
