"""Compose paths such as `services.web.ports[0].target`: their first steps, and the way up."""

from __future__ import annotations

SECTIONS = ("services", "jobs", "networks", "volumes", "configs", "secrets")


def parent_path(path: str) -> str:
    """Return the path without its last key or index.

    Example:
        >>> parent_path("services.web.ports[0]"), parent_path("services")
        ('services.web.ports', '')
    """
    return path[: max(path.rfind("."), path.rfind("["), 0)]
