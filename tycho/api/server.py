"""The service on a port."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from types import FrameType

from tycho.access import Authority
from tycho.api.listening import Listening
from tycho.lifecycle import Lifecycle
from tycho.settings import settings


def serve(
    lifecycle: Lifecycle,
    *,
    authority: Authority | None = None,
    listening: Listening | None = None,
    debug: bool = False,
) -> None:
    """Serve until interrupted.

    Args:
        lifecycle: The verbs.
        authority: Who may; by default any program of this machine.
        listening: Where, and how; by default on loopback.
        debug: Log what is done for each request.

    Raises:
        UsageError: Callers could not be told apart there, or would be overheard; or the port is taken.
    """
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    from tycho.api import create_app
    from tycho.api.ending import Server

    log_config = deepcopy(LOGGING_CONFIG)
    log_config["handlers"]["access"]["stream"] = "ext://sys.stderr"
    log_config["formatters"]["bare"] = {"format": "%(message)s"}
    log_config["handlers"]["audit"] = {**log_config["handlers"]["default"], "formatter": "bare"}
    log_config["loggers"]["tycho.audit"] = {"handlers": ["audit"], "level": "INFO", "propagate": False}
    log_config["loggers"]["tycho.access"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    authority, listening = authority or Authority(), listening or Listening()
    listening.check(authenticated=authority.required)
    with listening.listen() as listener:
        app, known = create_app(lifecycle, authority), settings()
        config = uvicorn.Config(
            app,
            log_config=log_config,
            log_level="debug" if debug else "info",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=round(known.api_grace),
            **listening.tls,
        )
        server = Server(app, config, listening.url(listener), known.api_drain)
        with contextlib.suppress(KeyboardInterrupt), _hang_up(server.handle_exit):
            server.run(sockets=[listener])


@contextlib.contextmanager
def _hang_up(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have a terminal that goes away end the service as Ctrl-C does, unless that is ignored (nohup)."""
    former = signal.getsignal(signal.SIGHUP)
    heeded = former is not signal.SIG_IGN and threading.current_thread() is threading.main_thread()
    if heeded:
        signal.signal(signal.SIGHUP, handle)
    try:
        yield
    finally:
        if heeded:
            signal.signal(signal.SIGHUP, former)
