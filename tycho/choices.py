"""Which system an id means, and whether it is as a verb needs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tycho.errors import Ambiguous, Conflict, NotFound, PreconditionFailed
from tycho.release import Identity, Release, label_value

LISTED = 8  # systems that a hint names


class VolumesKept(NotFound):
    """Nothing of a system is left but its volumes."""


def find_release(
    releases: Sequence[Release], id: str, *, prefers: Callable[[Identity], bool] = lambda identity: True
) -> Release:
    """Find the release that an id means: a GUID, a unique prefix, `<name>-<guid>`, a release's or a project's name.

    Args:
        releases: All that there are.
        id: Which.
        prefers: Which of several of one name is meant.

    Raises:
        NotFound: Nothing fits.
        Ambiguous: Several fit; the hint lists them.
    """
    for fits in (is_exact, _is_prefix, _is_project):
        if matches := [release for release in releases if id and fits(release.identity, id)]:
            preferred = [release for release in matches if prefers(release.identity)]
            return choose_only(preferred if len(preferred) == 1 else matches, id)
    raise NotFound(f'no system "{id}" runs here', hint=list_running(releases))


def list_running(releases: Sequence[Release]) -> str:
    """List the systems that run, for the hint of a message: the names of the first few."""
    names = list(dict.fromkeys(release.identity.name for release in releases))
    if not names:
        return "nothing runs"
    more = [f"and {len(names) - LISTED} more (`tycho status` lists all)"] if len(names) > LISTED else []
    return f"running: {', '.join([*names[:LISTED], *more])}"


def find_same(releases: Sequence[Release], guid: str, name: str) -> Release | None:
    """Find the release with a GUID, which is to be one of this project.

    Raises:
        Conflict: It is another project's.
    """
    release = next((release for release in releases if release.identity.guid == guid), None)
    if release and label_value(release.identity.name) != label_value(name):  # a label may hold less than the name
        raise Conflict(f"this GUID belongs to another system, {release.identity.name}")
    return release


def choose_only(releases: Sequence[Release], id: str) -> Release:
    """Return the one release that an id fits.

    Raises:
        Ambiguous: There are several; the hint lists them.
    """
    if len(releases) == 1:
        return releases[0]
    raise Ambiguous(f'"{id}" fits {len(releases)} systems', hint=f"say which: {list_candidates(releases)}")


def check_removable(release: Release) -> Release:
    """Return a release of which more is left than volumes that are kept.

    Raises:
        VolumesKept: Nothing else is; says which volumes, and what to do with them.
    """
    if release.state == "kept":
        raise VolumesKept(
            f"{release.identity.name} does not run; its volumes are kept: {', '.join(release.volumes)}",
            hint=f"`tycho up` starts it and uses them again, `tycho down {release.identity.guid[:8]}` deletes them",
        )
    return release


def check_running(release: Release) -> Release:
    """Return a release that runs, or was made to.

    Raises:
        NotFound: Only its volumes or its namespace are left; says what to do with them.
    """
    name, guid = check_removable(release).identity.name, release.identity.guid[:8]
    if release.state == "uninstalling" and not release.revision:
        raise NotFound(f"{name} does not run; it is being removed", hint="`tycho up` starts it, once it is gone")
    if release.state == "lost" and not release.revision:
        raise NotFound(
            f"{name} does not run; a start or removal of it was cut short",
            hint=f"`tycho up` starts it, `tycho down {guid}` removes what is left of it",
        )
    return release


def check_revision(identity: Identity, seen: int, current: int) -> None:
    """Check that a system has the revision that a caller has seen.

    Args:
        identity: Which system.
        seen: That revision; 0 is any.
        current: The running one.

    Raises:
        PreconditionFailed: It has another one.
    """
    if seen and seen != current:
        raise PreconditionFailed(f"{identity.name} has revision {current} by now, not {seen}", hint="look again")


def list_candidates(releases: Sequence[Release]) -> str:
    """List systems for a choice among them, each with its GUID, its release, and whose it is."""
    identities = [release.identity for release in releases]
    return ", ".join(
        f"{identity.guid} ({identity.release}{f' of {identity.username}' if identity.username else ''})"
        for identity in identities
    )


def is_exact(identity: Identity, id: str) -> bool:
    """Return whether an id names a system and can name no other: its GUID, its release, or `<name>-<guid>`."""
    return id in (identity.guid, identity.release, f"{identity.name}-{identity.guid}")


def _is_prefix(identity: Identity, id: str) -> bool:
    return len(id) >= 4 and identity.guid.startswith(id)


def _is_project(identity: Identity, id: str) -> bool:
    return identity.name == id
