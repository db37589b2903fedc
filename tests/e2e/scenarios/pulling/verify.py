"""An image that cannot be pulled ends `up` with its service, name and reason; the right one heals the system."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.system import System
from tycho.errors import StartFailed, WaitTimeout

SHOWS = ("image",)
SECONDS = 70
NOBODY = "127.0.0.1:9"


def verify(system: System) -> None:
    image = f"{NOBODY}/shop/web:2"
    why = f"image {image}: its registry cannot be reached: connection refused"
    fail(system, image, 60, StartFailed.exit_code, f"cannot start: web: {why}")
    with keep_silent() as address:
        image = f"{address}/shop/web:2"
        why = f"pulling image {image}"
        fail(system, image, 20, WaitTimeout.exit_code, f"is not ready after 20 s: web ({why})")
        before = system.names("web")
        system.up()
        assert not set(before) & set(system.names("web"))


def fail(system: System, image: str, timeout: int, code: int, message: str) -> None:
    """Start it with an image that never comes: `up` says so once, and `status` the same."""
    refused = system.run("up", "--name", system.name, "-q", "--timeout", str(timeout), env={"IMAGE": image})
    assert (refused.returncode, refused.stdout) == (code, ""), refused.stderr
    first, *hints = refused.stderr.splitlines()
    assert first == f"{system.name} {message}"
    assert [line for line in hints if not line.startswith("  ")] == []
    if not system.release:
        system.find()
    (release,) = json.loads(system.tycho("status", system.guid, "-o", "json"))
    (why,) = [service["why"] for service in release["services"] if service["name"] == "web"]
    assert message.endswith((f": {why}", f" ({why})"))


@contextmanager
def keep_silent() -> Iterator[str]:
    """Be a registry that takes connections and never answers; containerd calls that an error after 30 seconds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        yield f"{host}:{port}"
