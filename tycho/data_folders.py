"""Where the data folders are: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    """The Jinja sources of a chart."""
    return _folder("chart_templates")


def policies() -> Path:
    """The policies that are always in force."""
    return _folder("policies")


def _folder(name: str) -> Path:
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
