"""Whose a system is, and where it was started from: nothing of somebody else's is changed without being told to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from tycho.choices import is_exact, list_candidates
from tycho.errors import Ambiguous, Conflict
from tycho.release import Identity, Origin, Release, label_value
from tycho.usernames import same_user

FORCED = "--force does it anyway"


class Caller(Struct, frozen=True):
    """Who asks for a verb, and from where.

    Args:
        username: Who asks, as he calls himself or as the cluster knows him; "" when nobody said.
        login: The operating system's user: counts where the cluster knows nobody in particular.
        origin: What an `up` of the caller's would be started from; None where there is no project.
        assumed: Whether the name counts only where nobody has to prove who he is.
    """

    username: str = ""
    login: str = ""
    origin: Origin | None = None
    assumed: bool = False

    def named(self, username: str) -> Caller:
        """Return this caller under the name that the cluster knows him by, or else the system's."""
        return replace(self, username=username or self.login)

    def owns(self, identity: Identity) -> bool:
        """Return whether a system is the caller's; one without an owner is everybody's."""
        former = label_value(
            self.username
        )  # how systems were labelled before names of any kind had labels of their own
        return not identity.username or same_user(identity.username, self.username) or identity.username == former

    def started(self, identity: Identity) -> bool:
        """Return whether a system was started from where the caller is; one that does not know may have been."""
        return not identity.origin or identity.origin == origin_key(self.origin)

    def prefers(self, identity: Identity) -> bool:
        """Return whether the caller means this one of several of one name."""
        return self.owns(identity) and self.started(identity)


NOBODY = Caller()
DESCRIPTION: ContextVar[str] = ContextVar("description", default="")
"""What the history of a system is to say of the revision that is made: who asked for it, and by which request."""


@contextmanager
def describe_revision(text: str) -> Iterator[None]:
    """Have the history say what a verb does, where nobody has said more of it."""
    token = DESCRIPTION.set(DESCRIPTION.get() or text)
    try:
        yield
    finally:
        DESCRIPTION.reset(token)


def owner_name(identity: Identity, caller: Caller) -> str:
    """Return the name of the owner of a system that a caller starts: his own, where the system is his."""
    return caller.username if same_user(identity.username, caller.username) else identity.username


def origin_key(origin: Origin | None) -> str:
    """Return what tells origins apart, as a label can hold it: 40 hex digits, or "" where there is no origin.

    A project that its compose file names is one project in whichever folder a copy of the file lies.
    """
    if origin is None:
        return ""
    text = "name" if origin.named else f"{origin.user}@{origin.host}:{origin.folder}"
    return sha256(text.encode()).hexdigest()[:40]


def choose_running(instances: Sequence[Release], name: str, caller: Caller) -> Release | None:
    """Choose which running system an `up` of this project upgrades.

    Args:
        instances: The systems of this name.
        name: The project's name.
        caller: Who asks, and from where.

    Returns:
        The only one that the caller started from here, or the only one there is, whosever it is; None where none runs.
        One that is being removed counts only if it is the caller's and no other is: its removal is then finished first.

    Raises:
        Ambiguous: There are several, and which is meant is not clear.
    """
    own = [release for release in instances if caller.owns(release.identity) and caller.started(release.identity)]
    staying = [[release for release in group if release.state != "uninstalling"] for group in (own, instances)]
    own = staying[0] or own
    candidates = own or staying[1]
    if len(candidates) > 1:
        raise Ambiguous(
            f"{len(candidates)} systems {name} run" + ("" if own else ", and you started none of them from here"),
            hint=f"--new starts {'another' if own else 'yours'} beside them, --id ID{'' if own else ' --replace'}"
            f" upgrades one: {list_candidates(candidates)}",
        )
    return candidates[0] if candidates else None


def check_replacement(release: Release, caller: Caller) -> None:
    """Refuse to upgrade what somebody else started, or what was started from elsewhere.

    Raises:
        Conflict: Says who started it, from where, since when, and what to do instead.
    """
    identity = release.identity
    if caller.owns(identity) and caller.started(identity):
        return
    since = f" at {release.created:%Y-%m-%d %H:%M %Z}" if release.created else ""
    place = f"from {release.origin.text}" if release.origin else "from another place"
    whose = f"is {identity.username}'s, started {place}" if not caller.owns(identity) else f"was started {place}"
    if release.state == "kept":
        volumes = ", ".join(release.volumes)
        raise Conflict(
            f"the volumes of a system {identity.name} are kept here ({volumes}): it {whose}{since}",
            hint=f"--name NAME renames yours, --new gives it volumes of its own, --replace takes these over"
            f" (it is {identity.guid})",
        )
    raise Conflict(
        f"{identity.name} runs already: it {whose}{since}",
        hint=f"--name NAME renames yours, --new starts it beside that, --replace replaces that (it is {identity.guid})",
    )


def check_owner(release: Release, caller: Caller, id: str) -> None:
    """Refuse to change or remove what is not the caller's.

    A caller without a name (a program that asks the service, as its operator) must name the whole GUID of what has
    an owner. A project's name, asked for in another project of that name, means that one and no other.

    Args:
        release: What the id means.
        caller: Who asks, and from where.
        id: As it was written.

    Raises:
        Conflict: Says whose it is.
    """
    identity = release.identity
    begun = f"started at {release.created:%Y-%m-%d %H:%M %Z}" if release.created else "started before"
    if not caller.owns(identity) and (caller.username or not is_exact(identity, id)):
        hint = FORCED if caller.username else f"say as which user, or name the system {identity.guid}"
        raise Conflict(f"{identity.name} ({identity.guid}) is {identity.username}'s, {begun}, not yours", hint=hint)
    if caller.origin and id == identity.name == caller.origin.project and not caller.started(identity):
        place = f"from {release.origin.text}" if release.origin else "from another place"
        raise Conflict(
            f"{identity.name} ({identity.guid}) was {begun} {place}, not from here",
            hint=f"name it by its GUID; {FORCED}",
        )
