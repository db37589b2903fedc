"""One policy, as its file says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tycho.model import Json, Project
from tycho.policy.select import Selector
from tycho.policy.source import Lines

Apply = Callable[[Project], Project]
ANY = Selector()


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy: which services it speaks of, and what it says.

    Args:
        path: Its file.
        text: The file's bytes.
        description: What it does, in a sentence.
        match: The services meant; all of them when empty.
        unless: The services that are not.
        default: What a service gets where its file said nothing, as fields of the model.
        add: What a service gets beside what its file said: entries of lists, keys of mappings.
        patch: What a service gets (RFC 7386).
        system: What becomes of the top level of the file, by verb: default, add, patch, emit, has and deny.
        emit: The template of an object for each service.
        templates: The templates beside the file that it names, and their bytes.
        deny: Why such a service is refused, or "".
        warn: What is said of such a service, or "".
        hint: What to write instead, or "".
        apply: A Python policy's function.
        lines: Line of each dotted path in the file.
    """

    path: Path
    text: bytes = field(repr=False)
    description: str = ""
    match: Selector = ANY
    unless: Selector = ANY
    default: Mapping[str, Json] = field(default_factory=dict)
    add: Mapping[str, Json] = field(default_factory=dict)
    patch: Mapping[str, Json] = field(default_factory=dict)
    system: Mapping[str, Json] = field(default_factory=dict)
    emit: str = ""
    templates: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    deny: str = ""
    warn: str = ""
    hint: str = ""
    apply: Apply | None = None
    lines: Lines = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The file's name, which is the policy's."""
        return self.path.name

    def line(self, verbs: Sequence[str], path: str) -> int:
        """Where the file says, with one of these verbs, what becomes of a path, or of one above it."""
        while path:
            for verb in verbs:
                if at := self.lines.get(f"{verb}.{path}"):
                    return at
            path = path.rpartition(".")[0]
        return self.lines.get("apply", 0)
