"""A portal on a Tycho service: users sign in with their tokens, start apps, watch, open and stop them.

    TYCHO_SERVICE=http://127.0.0.1:5000 uvicorn portal:app --app-dir examples/portal --port 8080

The portal holds no rights and no users: each call goes to the service with the token of who asks, and the service says
whose systems there are.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from fastapi import Body, Cookie, Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from tycho.client import AsyncTychoClient
from tycho.errors import TychoError

HERE = Path(__file__).parent
SERVICE = os.environ.get("TYCHO_SERVICE", "http://127.0.0.1:5000")
FOLDER = Path(os.environ.get("PORTAL_APPS", HERE / "apps"))
APPS: dict[str, dict[str, Any]] = {path.stem: yaml.safe_load(path.read_text()) for path in FOLDER.glob("*.yaml")}
POLICY = "default-src 'none'; connect-src 'self'; form-action 'none'; script-src 'self'; style-src 'self'"
app = FastAPI(title="Portal", docs_url=None, redoc_url=None, openapi_url=None)


def sign(token: Annotated[str, Cookie()] = "") -> AsyncTychoClient:
    """The service, as who asks may use it."""
    if not token:
        raise HTTPException(401, "sign in first")
    return AsyncTychoClient(SERVICE, token=token)


Client = Annotated[AsyncTychoClient, Depends(sign)]


@app.exception_handler(TychoError)
async def refuse(request: Request, error: TychoError) -> JSONResponse:
    """Say what the service says, with its hint."""
    return JSONResponse({"message": error.message, "hint": error.hint}, error.http_status)


@app.middleware("http")
async def restrain(request: Request, call_next: Any) -> Response:
    """Run no script but the portal's own, and do nothing that another page asks for: an app's, for one."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method == "POST" and site != "same-origin":
        return JSONResponse({"message": "another page asks", "hint": ""}, 403)
    answer: Response = await call_next(request)
    answer.headers.update({"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})
    return answer


@app.get("/")
async def page() -> FileResponse:
    """The page: it asks for a token, or lists what is the user's."""
    return FileResponse(HERE / "page.html")


@app.get("/{name}.{kind}")
async def part(name: str, kind: str) -> FileResponse:
    """The page's script and style."""
    if (file := f"{name}.{kind}") not in ("page.js", "page.css"):
        raise HTTPException(404, "no such file")
    return FileResponse(HERE / file)


@app.post("/sign-in")
async def sign_in(request: Request, token: Annotated[str, Body(embed=True)]) -> JSONResponse:
    """Keep a token that the service knows, out of reach of scripts and of other sites."""
    await AsyncTychoClient(SERVICE, token=token).systems()
    answer = JSONResponse({})
    answer.set_cookie("token", token, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return answer


@app.post("/sign-out")
async def sign_out() -> JSONResponse:
    """Forget the token."""
    answer = JSONResponse({})
    answer.delete_cookie("token")
    return answer


@app.get("/systems")
async def systems(client: Client) -> dict[str, Any]:
    """The apps there are, and the systems of who asks: how each is, and why it is not ready."""
    listed = [
        {"id": system.sid, "name": system.name, "ready": system.is_ready, "state": system.state, "url": system.url,
         "why": [f"{service.name}: {service.why}" for service in system.services if not service.done and service.why]}
        for system in await client.systems()
    ]  # fmt: skip
    return {"apps": sorted(APPS), "systems": listed}


@app.post("/start")
async def start(client: Client, kind: Annotated[str, Body(alias="app", embed=True)]) -> dict[str, str]:
    """Start an app; what happens to it is told by its events."""
    if kind not in APPS:
        raise HTTPException(404, "no such app")
    answer = await client.start({"name": kind, "system": APPS[kind]})
    if answer.error:
        raise answer.error
    return {"id": answer.identifier}


@app.get("/events/{id}")
async def events(client: Client, id: str) -> StreamingResponse:
    """What happens to a system until it is ready or has failed, as the service tells it."""
    await client.system(id)  # else a stream would have to say that there is none

    async def tell() -> AsyncIterator[str]:
        async for progress in client.watch(id):
            event = {"message": progress.message, "percent": progress.percent, "why": progress.why, "url": progress.url}
            yield f"event: {progress.kind}\ndata: {json.dumps(event)}\n\n"

    return StreamingResponse(tell(), media_type="text/event-stream")


@app.post("/stop/{id}")
async def stop(client: Client, id: str) -> dict[str, str]:
    """Remove a system, and all that belongs to it."""
    await client.remove(id)
    return {"id": id}
