"""A service that ends gracefully: it says so first, and lets whoever sends requests to it hear of that."""

from __future__ import annotations

import logging
import signal
import socket
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI


class Server(uvicorn.Server):
    """Serves until a signal; SIGTERM lets it go on for a while, in which `/readyz` answers 503.

    Load balancers learn of that later than the service itself: what they send in the meantime is still answered.

    Args:
        app: The service.
        config: How it is served.
        url: Where it answers.
        drain: Seconds between SIGTERM and the end of listening.
    """

    def __init__(self, app: FastAPI, config: uvicorn.Config, url: str, drain: float) -> None:
        super().__init__(config)
        self.app = app
        self.url = url
        self.drain = drain
        self.closing: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say where: signals are heeded by now."""
        await super().startup(sockets)
        if self.started:
            say = logging.getLogger("uvicorn.error").info
            say("Tycho answers at %s, with a page to try it at %s/docs", self.url, self.url)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, as a signal has asked; asked a second time, end now."""
        self.app.state.ending = True
        if sig == signal.SIGTERM and self.drain and self.closing is None:
            self.closing = time.monotonic() + self.drain
            return
        self.closing = None
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Look ten times a second whether it is time to stop."""
        if self.closing is not None and time.monotonic() >= self.closing:
            self.handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)
