"""Compose text -> System: `load(Sources.from_disk(["compose.yaml"], env=…))`.

texts -> gather -> schema -> bind -> profiles -> side files -> consistency -> System
"""

from __future__ import annotations

from tycho.compose.loading import load
from tycho.compose.source import Sources

__all__ = ["Sources", "load"]
