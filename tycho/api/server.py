"""The service on a port of this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from types import FrameType

from tycho.api.guard import loopback
from tycho.errors import UsageError
from tycho.lifecycle import Lifecycle
from tycho.settings import settings


def serve(lifecycle: Lifecycle, *, host: str = "127.0.0.1", port: int = 5000, debug: bool = False) -> None:
    """Serve until interrupted.

    Args:
        lifecycle: The verbs.
        host: Loopback address to listen on.
        port: TCP port; 0 is any free one, which the log names.
        debug: Log what is done for each request.

    Raises:
        UsageError: The address is not loopback, or the port is taken.
    """
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    from tycho.api import create_app
    from tycho.api.ending import Server

    log_config = deepcopy(LOGGING_CONFIG)
    log_config["handlers"]["access"]["stream"] = "ext://sys.stderr"
    with listen(host, port) as listener:
        app, known = create_app(lifecycle), settings()
        config = uvicorn.Config(
            app,
            log_config=log_config,
            log_level="debug" if debug else "info",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=round(known.api_grace),
        )
        name, number = listener.getsockname()[:2]
        url = f"http://[{name}]:{number}" if ":" in name else f"http://{name}:{number}"
        logging.getLogger("uvicorn.error").info("Tycho answers at %s, with a page to try it at %s/docs", url, url)
        server = Server(app, config, known.api_drain)
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


def listen(host: str, port: int) -> socket.socket:
    """A listening socket of this machine alone.

    Raises:
        UsageError: The address is not loopback, or the port is taken.
    """
    if not loopback(host):
        raise UsageError(
            f"{host} would let anybody on the network start systems",
            hint="there is no authentication yet: bind 127.0.0.1, and let `kubectl port-forward` or ssh carry it",
        )
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OverflowError:
        raise UsageError(f"{port} is not a port", hint="0 is any free one, 65535 the last") from None
    except OSError as error:
        said = os.strerror(error.errno or 0)
        raise UsageError(f"cannot listen on {host}, port {port}: {said}", hint="-p names another") from error
