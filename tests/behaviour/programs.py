"""The programs of a Docker engine, beside those of the node: from the cache, else built once."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tests.e2e import programs as node
from tycho.settings import settings
from tycho.toolchain.build import build
from tycho.toolchain.files import Progress, exclusive_lock
from tycho.toolchain.programs import Program

MOBY = "2.0.0-beta.24"
ENGINE = (
    Program("dockerd", MOBY, (2,), (3,), "github.com/moby/moby/v2", "/cmd/dockerd", seconds=300),
    Program("docker-proxy", MOBY, (2,), (3,), "github.com/moby/moby/v2", "/cmd/docker-proxy", seconds=5),
    # Debian's is too old for this engine ("namespace time does not exist"), and seccomp takes a C library.
    Program(
        "runc", "1.5.2", (1, 5), (2,), "github.com/opencontainers/runc", "", (), 30,
        tags=("seccomp", "netgo", "osusergo"),
    ),
)  # fmt: skip


def programs(progress: Progress) -> dict[str, Path]:
    """Build every program of a node and of an engine that is not cached.

    Args:
        progress: Told what takes time.

    Raises:
        ToolMissing: One can be neither found nor downloaded nor built.
    """
    paths = node.programs(progress)
    with exclusive_lock(settings().cache_dir / "bin", progress):
        absent = [program for program in ENGINE if not program.cached.exists()]
        for _, some in groupby(absent, key=lambda program: program.module):
            build(list(some), progress)
    return {**paths, **{program.name: program.cached for program in ENGINE}}
