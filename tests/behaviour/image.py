"""What an image of the judge says: what its files are, whose they are, and what it tells the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class File:
    """A file or folder of an image.

    Args:
        owner: Its user and group.
        mode: Its rights.
        content: What it holds; None makes it a folder.
    """

    owner: tuple[int, int] = (0, 0)
    mode: int = 0o755
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """An image.

    Args:
        config: Beside the entrypoint, which is the probe, and its default word.
        files: What it has beside the probe, by path.
        busybox: Whether it has a shell and what goes with it.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    busybox: bool = False
