"""A Docker engine for the stories, in a room of its own, with images that stand in for well-known ones.

`bin/task e2e` makes the room. Outside of it there is no engine, and the stories say that they were not told to Docker.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.behaviour import engine as engines
from tests.behaviour.engine import SOCKET
from tests.behaviour.images import images
from tests.behaviour.programs import programs
from tests.compose.oracle import program as compose
from tests.e2e.room import ROOM
from tycho.toolchain.files import no_progress

STAND_IN = "plain:1"  # a program that serves until it is ended
NAMES = (
    "nginx:1", "nginx:2", "nginx:3", "nginx:7", "nginx:8", "postgres:16", "mailhog:latest", "proxy:latest",
    "busybox:latest",
)  # fmt: skip


@contextmanager
def run_engine() -> Iterator[Mapping[str, str]]:
    """Bring up an engine that has the images of the stories; yield the variables by which a command line finds it."""
    paths = programs(no_progress)
    running = engines.start(paths, images(paths, no_progress))
    try:
        for name in NAMES:
            repository, _, tag = name.partition(":")
            running.ask("POST", f"/images/{STAND_IN}/tag?repo={repository}&tag={tag}")
        yield point_to_engine()
    finally:
        running.stop()


def point_to_engine() -> dict[str, str]:
    """Give Docker's command line its Compose; return the variables by which it finds both."""
    home = ROOM / "docker-cli"
    plugins = home / "cli-plugins"
    if not plugins.exists():
        plugins.mkdir(parents=True)
        (plugins / "docker-compose").symlink_to(compose())
    return {"DOCKER_HOST": f"unix://{SOCKET}", "DOCKER_CONFIG": str(home)}


def find_lacking() -> str:
    """Return what an engine's command line lacks here; "" where there is one."""
    return "" if shutil.which("docker") else "Docker's command line"


def load_archive(archive: Path) -> None:
    """Give the engine further images.

    Args:
        archive: In the format of `docker save`.
    """
    with archive.open("rb") as content:
        message = engines.Engine(None).ask("POST", "/images/load", content, "application/x-tar")
    assert "rror" not in str(message), message
