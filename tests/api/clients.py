"""Both clients as one whose verbs are called, and a service that gives what it is told to give."""

from __future__ import annotations

import asyncio
import http.server
import inspect
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Blocking:
    """A client whose verbs are called, whichever it is.

    The awaited one opens an event loop for each verb, and its watch is read to the end.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            given = member(*args, **kwargs)
            if inspect.isasyncgen(given):
                return asyncio.run(collect(given))
            return asyncio.run(wait(given)) if inspect.isawaitable(given) else given

        return call


async def wait(given: Any) -> Any:
    return await given


async def collect(given: Any) -> list[Any]:
    return [event async for event in given]


Make = Callable[..., Blocking]


@contextmanager
def canned(*replies: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, list[Any]]]:
    """A service that gives one reply after the other, and keeps what it was asked."""
    seen: list[Any] = []
    left = list(replies)

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((self.command, self.path, dict(self.headers)))
            status, headers, body = left.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    for method in ("GET", "POST", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def envelope(result: Any = None, **more: Any) -> bytes:
    return json.dumps({"status": "success", "result": result, "message": "", **more}).encode()


def failure(kind: str) -> bytes:
    return envelope({"error": kind, "message": "no"}, status="error", message="no")
