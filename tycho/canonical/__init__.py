"""System -> text that Compose reads: the canonical form of a system, with its values or with its variables."""

from tycho.canonical.compose_file import to_compose_file
from tycho.canonical.project import to_canonical

__all__ = ["to_canonical", "to_compose_file"]
