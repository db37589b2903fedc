"""What tells two states of a system apart: in Compose's words first, objects second. These are the wire types too."""

from __future__ import annotations

from typing import Literal

from tycho.model.node import Node

Action = Literal["added", "removed", "changed"]
SERVICES = ("services", "jobs")
IN_PLACE = ("stopped", "deploy.replicas", "scale", "ports", "deploy.update_config", "deploy.endpoint_mode")
"""Keys of a service that change nothing of its containers."""


class Change(Node):
    """One thing that differs, in Compose's words; nothing secret is in it.

    Args:
        action: Whether it comes, goes, or is another.
        section: `services`, `jobs`, `volumes`, …; `files` for those that services mount; "" for the whole system.
        name: Which entry of the section.
        path: Its key below, with dots; "" for the entry itself.
        before: What it was; None where there was nothing, or its content is not shown.
        after: What it is to be.
    """

    action: Action
    section: str
    name: str = ""
    path: str = ""
    before: str | None = None
    after: str | None = None

    @property
    def title(self) -> str:
        """The entry as a reader knows it: a service by its name, all else with what it is."""
        if self.section in SERVICES or not self.section:
            return self.name
        return f"{self.section.removesuffix('s')} {self.name}"

    @property
    def in_place(self) -> bool:
        """Whether it changes nothing of a service's containers."""
        return self.path.startswith(IN_PLACE)

    @property
    def value(self) -> str:
        """What became of it, without its name and path."""
        if self.action == "changed" and self.before != self.after:
            return f"{self.before or '(empty)'} → {self.after or '(empty)'}"
        if not self.path or self.action == "changed":
            return self.action
        if self.action == "added":
            return "" if self.after == "true" else self.after or "added"
        if self.before == "true":
            return ""
        entry = self.before if self.before and "." not in self.path else ""  # of a list; what has a name needs no value
        return f"{entry} removed".strip()

    @property
    def words(self) -> str:
        """As a line: `web: image nginx:1 → nginx:2`."""
        ends = self.action == "removed" and self.path and self.before == "true"
        text = f"no longer {self.path}" if ends else f"{self.path} {self.value}".strip()
        return f"{self.title}: {text}" if self.title else text


class FieldChange(Node):
    """A field of an object that differs.

    Args:
        path: With dots; an entry of a list that has a name stands in brackets.
        before: What it was; None where there was none.
        after: What it is to be; None where there is to be none.
    """

    path: str
    before: str | None = None
    after: str | None = None


class ObjectChange(Node):
    """An object of the back end's that differs.

    Args:
        action: Whether it comes, goes, or is another.
        kind: Its kind.
        name: Its name.
        fields: What differs, of one that stays.
    """

    action: Action
    kind: str
    name: str
    fields: tuple[FieldChange, ...] = ()


class Comparison(Node):
    """What a verb would change of a system.

    Args:
        name: The project's name.
        revision: The one that runs; 0 where none does.
        target: Of a rollback, the revision that it goes back to.
        changes: In Compose's words.
        objects: Objects of the back end's, where it makes any.
        restarts: Services that run on and get new containers.
        unused: Volumes that no service would have any more; they are kept.
        notes: What else there is to know.
    """

    name: str
    revision: int = 0
    target: int = 0
    changes: tuple[Change, ...] = ()
    objects: tuple[ObjectChange, ...] = ()
    restarts: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.changes or self.objects or self.notes)


def find_restarts(changes: tuple[Change, ...]) -> tuple[str, ...]:
    """Find the services that get new containers, as far as the compose file tells: a back end may know better."""
    names = (change.name for change in changes if change.section == "services" and change.path and not change.in_place)
    return tuple(dict.fromkeys(names))
