"""What those ask who keep the service alive: whether it lives, whether it is ready, and how much it does."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from tycho.api.messages import Empty
from tycho.api.metrics import CONTENT_TYPE
from tycho.api.responses import Envelope, failed
from tycho.api.routes.shared import FAILURES
from tycho.errors import ClusterUnreachable

ENDING = 503
router = APIRouter(responses=FAILURES)


@router.get("/healthz")
async def healthz() -> Envelope[Empty]:
    """Report whether the service lives."""
    return Envelope(result=Empty())


@router.get("/readyz", response_model=Envelope[Empty])
async def readyz(request: Request) -> Envelope[Empty] | Response:
    """Report whether the service reaches its cluster, by one cheap question, and is not about to end."""
    if request.app.state.ending:
        return failed(ClusterUnreachable("the service is ending", hint="ask another replica"), ENDING)
    await request.app.state.lifecycle.orchestrator.ping()
    return Envelope(result=Empty())


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Requests, their times, and what is at work, as Prometheus reads it."""
    state = request.app.state
    text = state.meter.expose(state.lifecycle.orchestrator.gauges())
    return PlainTextResponse(text, media_type=CONTENT_TYPE)
