"""An orchestrator whose cluster is one pod, and a server of the test that speaks with its containers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from tycho.orchestrators import Target
from tycho.orchestrators.helm import HelmOrchestrator
from tycho.release import Identity

IDENTITY = Identity(guid="0" * 32, name="s", release="s-0", namespace="s-0")
POD = "/api/v1/namespaces/s-0/pods/web-1"
Ask = Callable[[HelmOrchestrator], Awaitable[Any]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_pod(*containers: dict[str, Any]) -> dict[str, Any]:
    """Make the pod, of the service `web`."""
    annotations = {"tycho.dev/service": "web"}
    metadata = {"name": "web-1", "creationTimestamp": "2026-01-01T00:00:00Z", "annotations": annotations}
    return {"metadata": metadata, "spec": {"containers": [*containers]}, "status": {"phase": "Running"}}


def ask_cluster(pod: dict[str, Any], subresource: str, handler: Handler, folder: Path, ask: Ask) -> Any:
    """Ask an orchestrator whose cluster has this pod.

    Args:
        pod: Its only one.
        subresource: What of the pod the handler answers for: `exec`, `portforward`.
        handler: Speaks with its containers.
        folder: Where a kubeconfig may lie.
        ask: What is asked.
    """

    async def list_objects(request: web.Request) -> web.Response:
        return web.json_response({"items": [pod] if request.path.endswith("/pods") else []})

    async def whole() -> Any:
        app = web.Application()
        app.router.add_get(f"{POD}/{subresource}", handler)
        app.router.add_get("/{path:.*}", list_objects)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server = f"http://127.0.0.1:{runner.addresses[0][1]}"
        config = {
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "contexts": [{"name": "c", "context": {"cluster": "c"}}],
            "current-context": "c",
        }
        (folder / "config").write_text(json.dumps(config))
        orchestrator = HelmOrchestrator(Target(kubeconfig=str(folder / "config")))
        try:
            return await ask(orchestrator)
        finally:
            await orchestrator.close()
            await runner.cleanup()

    return asyncio.run(whole())
