"""What a request takes for granted: that a system is still as it was seen, or that a start was not made yet."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid5

from fastapi import Request

from tycho.errors import PreconditionFailed
from tycho.ownership import Caller
from tycho.release import Release
from tycho.wire import System

STARTS = UUID("6d1c6ca6-9f7c-5b6e-8a55-0f5d7b1f7c11")  # the space of GUIDs that keys stand for


def tag(system: System) -> str:
    """Return the ETag of a system: its revision, and what it looks like, for the same revision can become ready."""
    looks = system.model_copy(update={"notes": ()}).model_dump_json()
    return f'"{system.sid}.{system.revision}.{hashlib.sha256(looks.encode()).hexdigest()[:8]}"'


def tag_fits(header: str, etag: str) -> bool:
    """Return whether an `If-None-Match` names a tag."""
    tags = [part.strip().removeprefix("W/") for part in header.split(",")]
    return etag in tags or "*" in tags


def check_match(header: str, release: Release) -> int:
    """Return the revision that an `If-Match` means, 0 for any; what a revision looks like is of no importance.

    Raises:
        PreconditionFailed: The system has another one by now.
    """
    for part in header.split(","):
        text = part.strip()
        guid, _, revision_text = text.strip('"').partition(".")
        if text == "*":
            return 0
        if guid == release.identity.guid and revision_text.partition(".")[0] == str(release.revision):
            return release.revision
    raise PreconditionFailed(
        f"{release.identity.name} has revision {release.revision} by now", hint="look at it again, and then decide"
    )


def find_guid(request: Request, caller: Caller, key: str) -> str:
    """Return the GUID that a caller's key stands for: the same key again is the same start.

    Args:
        request: Who asks, where the service knows him.
        caller: Who he says that he is.
        key: His key.
    """
    known = getattr(request.state, "caller", None) or caller
    return uuid5(STARTS, f"{known.username}\n{key}").hex
