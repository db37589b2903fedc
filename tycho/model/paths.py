"""What the text of a path tells."""

from __future__ import annotations

import re
from collections.abc import Mapping

REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@", "service:")


def is_bind(options: Mapping[str, object]) -> bool:
    """Whether a local volume's options make it a bind mount."""
    return options.get("o") == "bind" and isinstance(options.get("device"), str)


def is_windows(path: str) -> bool:
    """Whether a path is absolute on Windows."""
    return bool(re.match(r"[A-Za-z]:[\\/]|\\\\", path))


def is_local(path: str) -> bool:
    """Whether a build context is a folder, and no URL, image or service."""
    return "://" not in path and not path.startswith(REMOTE)
