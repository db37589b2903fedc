"""How two states of a system that runs a chart differ: in its compose file, and in its objects."""

from __future__ import annotations

from typing import NamedTuple

from tycho.comparison import Change, Comparison, ObjectChange, find_restarts
from tycho.comparison.compose_changes import NOWHERE, list_changes, list_unused
from tycho.release import Identity
from tycho.stored import StoredRelease

__all__ = ["NOWHERE", "ObjectsCompared", "compare"]


class ObjectsCompared(NamedTuple):
    """How the objects of two states of a system differ.

    Args:
        objects: What comes, goes, or is another.
        restarts: Services that run on and get new pods.
        notes: What cannot be changed in place.
    """

    objects: tuple[ObjectChange, ...]
    restarts: tuple[str, ...]
    notes: tuple[str, ...] = ()


def compare(
    identity: Identity, before: StoredRelease, after: StoredRelease, compared: ObjectsCompared | None
) -> Comparison:
    """Compare two releases of a system.

    Args:
        identity: Which system.
        before: The one that runs; `NOWHERE` for none.
        after: The one that is to run.
        compared: How their objects differ, where there are any.
    """
    notes = compared.notes if compared else ()
    if before.revision and not before.compose:
        changes: tuple[Change, ...] = ()
        notes = (f"revision {before.revision} has no compose file in its chart: its objects alone are compared", *notes)
    else:
        changes = list_changes(before, after)
    return Comparison(
        name=identity.name,
        revision=before.revision,
        changes=changes,
        objects=compared.objects if compared else (),
        restarts=compared.restarts if compared else find_restarts(changes),
        unused=list_unused(before, after),
        notes=notes,
    )
