"""An engine that builds, and a registry that it pushes to and the node pulls from, both at a loopback address.

    engine's network: dockerd -> 127.0.0.1:5000 ─┐
                                                 ├─ one store
    node's network: containerd <- 127.0.0.1:5000 ┘

The two networks have loopback interfaces of their own: so the registry is two processes that share a folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import processes as process
from tests.behaviour import engine as engines
from tests.behaviour.programs import programs
from tests.compose.oracle import program as compose
from tests.e2e.images import images
from tests.e2e.node import Node
from tests.e2e.room import ROOM
from tycho.toolchain.files import Progress, no_progress

ADDRESS = "127.0.0.1:5000"
PREFIX = f"{ADDRESS}/team"
NEEDS = {"docker": "Docker's command line", "docker-registry": "the package docker-registry"}
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {store}}}, cache: {{}}}}
http: {{addr: {address}}}
"""
INSIDE = ("nsenter", "--net=/run/netns/engine")


@dataclass(frozen=True, slots=True)
class Engine:
    """What a user of the engine has.

    Args:
        env: Variables by which Docker's command line finds it.
    """

    env: dict[str, str]


def fetch(progress: Progress) -> None:
    """Get all that an engine takes, where there is a network."""
    programs(progress)


@contextmanager
def engine(node: Node) -> Iterator[Engine]:
    """Bring up an engine with the node's own images, and the registry; end them."""
    absent = [needed for name, needed in NEEDS.items() if not shutil.which(name)]
    if absent:
        pytest.skip(f"building takes {' and '.join(absent)}")
    paths = programs(no_progress)
    running = engines.start(paths, images(node.programs, no_progress))
    config = ROOM / "registry.yml"
    config.write_text(CONFIG.format(store=ROOM / "registry", address=ADDRESS))
    doors = [_serve(config, *INSIDE), _serve(config)]
    try:
        yield Engine(_prepare())
    finally:
        process.stop(doors)
        running.stop()


def _serve(config: Path, *inside: str) -> process.Process:
    """Start one process of the registry, and wait until it listens."""
    argv = ["/usr/bin/env", *inside, shutil.which("docker-registry") or "", "serve", config]
    door = process.start(argv, ROOM / f"registry-{'engine' if inside else 'node'}.log")
    table = Path(f"/proc/{door.pid}/net/tcp")
    assert process.until(lambda: f":{5000:04X} 00000000:0000 0A" in table.read_text(), 20)
    return door


def _prepare() -> dict[str, str]:
    """Give Docker's command line its Compose, and the programs' folder Docker's command line."""
    home = ROOM / "docker"
    plugins = home / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-compose").symlink_to(compose())
    (ROOM / "bin/docker").symlink_to(shutil.which("docker") or "")
    return {"DOCKER_HOST": f"unix://{engines.SOCKET}", "DOCKER_CONFIG": str(home)}
