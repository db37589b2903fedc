"""A real node for the stories, in the room that `bin/task e2e` makes, with images that stand in for well-known ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.behaviour.images import images
from tests.e2e import node as nodes
from tests.e2e.node import Node
from tycho.toolchain.files import Progress

STAND_IN = "docker.io/library/plain:1"  # a program that serves until it is ended
NAMES = (
    *(f"library/nginx:{tag}" for tag in ("1", "1.27", "2", "3", "7", "8", "9")),
    *(f"library/{name}" for name in ("postgres:16", "redis:7", "mailhog:1", "mailhog:latest", "proxy:latest")),
    *(f"library/busybox:{tag}" for tag in ("1", "latest")),
    *(f"shop/api:{tag}" for tag in ("1.4", "1.5", "1.6")),
)


@contextmanager
def run_node(progress: Progress) -> Iterator[Node]:
    """Bring up a node that has the images of the stories.

    Args:
        progress: Told what takes time.
    """
    node = nodes.start(progress)
    try:
        node.import_images(images(node.programs, progress))
        for name in NAMES:
            node.ctr("images", "tag", "--force", STAND_IN, f"docker.io/{name}")
        yield node
    finally:
        node.stop()
