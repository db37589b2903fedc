"""Who asks, as far as that was proved, and the scopes that say what he may do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct

from tycho.errors import Unauthorized, UsageError
from tycho.text import is_text, printable
from tycho.usernames import is_hashed, user_label

VERBS = ("start", "status", "delete", "modify", "history", "rollback", "restart", "touch", "logs", "events", "compile")
LONGEST = 256  # characters of a name
SCOPE = re.compile(r"systems:(\*|[a-z]+)((?:![a-z]+=[^!]+)*)")
PATTERN = re.compile(r"[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?")


class Place(Struct, frozen=True):
    """Which systems a question of rights is about.

    Args:
        owner: Whose, as a label holds it; "" for systems that nobody owns.
        namespace: The namespace that systems share; "" for those that have one of their own.
    """

    owner: str
    namespace: str = ""


class Scope(Struct, frozen=True):
    """One thing that a token is for: `systems:VERB!user=NAME!namespace=PATTERN`.

    Args:
        verb: One of Tycho's verbs, or "*" for all.
        user: Whose systems; "me" for the caller's own, "" for anybody's.
        namespace: In which shared namespaces, with `*` for any characters; "" for any, and for own ones.
    """

    verb: str
    user: str = ""
    namespace: str = ""

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read a scope.

        Raises:
            UsageError: It is none; says what is wrong with it.

        Example:
            >>> Scope.parse("systems:start!user=me")
            Scope(verb='start', user='me', namespace='')
        """
        if not (match := SCOPE.fullmatch(text)):
            raise UsageError(
                f'"{printable(text)}" is not a scope',
                hint="write systems:VERB or systems:*, then !user= or !namespace=",
            )
        verb, filters = match[1], [part.partition("=")[::2] for part in match[2].split("!")[1:]]
        if verb not in ("*", *VERBS):
            raise UsageError(f'there is no verb "{verb}"', hint=f"known: {', '.join(VERBS)}")
        values = dict(filters)
        if unknown := sorted(values.keys() - {"user", "namespace"}):
            raise UsageError(f'there is no filter "{unknown[0]}"', hint="known: user, namespace")
        if len(values) < len(filters):
            raise UsageError(f'"{printable(text)}" filters twice by the same', hint="write two scopes")
        if (namespace := values.get("namespace", "")) and not PATTERN.fullmatch(namespace):
            raise UsageError(f'"{printable(namespace)}" fits no namespace', hint="write a-z, 0-9, - and *")
        return cls(verb, values.get("user", ""), namespace)

    def names(self, verb: str) -> bool:
        """Return whether it is for a verb, whatever its filters say."""
        return self.verb in ("*", verb)

    def allows(self, verb: str, place: Place, me: str) -> bool:
        """Return whether it allows a verb on systems.

        Args:
            verb: Which verb.
            place: Which systems.
            me: The caller's label.
        """
        owner = me if self.user == "me" else user_label(self.user)
        whose = not self.user or owner == place.owner
        return self.names(verb) and whose and (not self.namespace or fnmatchcase(place.namespace, self.namespace))

    def __str__(self) -> str:
        filters = (("user", self.user), ("namespace", self.namespace))
        return f"systems:{self.verb}" + "".join(f"!{key}={value}" for key, value in filters if value)


OWN = (Scope("*", "me"),)
"""What a user may do whose name a proxy says: all with his own systems."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A caller whose name was proved.

    Args:
        name: Any text, `a@b.org` or `system:serviceaccount:lab:robot`.
        how: What proved it.
        scopes: What a token's or a proxy's caller may do; None where the cluster is asked.
        groups: As the cluster knows them.
        uid: As the cluster knows it.
        extra: What else the cluster knows of him, for its own decisions.
        token: The token's name in the token file.
    """

    name: str
    how: Literal["token file", "token review", "proxy"]
    scopes: tuple[Scope, ...] | None = None
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    token: str = ""

    def __post_init__(self) -> None:
        """Check the name.

        Raises:
            Unauthorized: It cannot be told from another's where systems are labelled.
        """
        if problem := name_problem(self.name):
            raise Unauthorized(f"this caller's name cannot be used: {problem}")

    @property
    def label(self) -> str:
        """The name as a label holds it: unique."""
        return user_label(self.name)


def name_problem(name: str) -> str:
    """Return what is wrong with a user's name; "" where nothing is."""
    if not name or name != name.strip() or not name.isprintable() or not is_text(name):
        return "it is empty, or holds what cannot be printed"
    if len(name) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if is_hashed(name):
        return "it ends as the label of another name does, with - and 20 hexadecimal digits"
    return ""
