"""One policy: what its file holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tycho.model import Json, Project
from tycho.model.compose_paths import parent_path
from tycho.policy.selector import Selector
from tycho.policy.yaml_source import Lines

Apply = Callable[[Project], Project]
ANY = Selector()


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy: the services that it selects, and what it does to them.

    Args:
        path: Its file.
        text: The file's bytes.
        description: What it does, in a sentence.
        match: Selects services; all of them when empty.
        unless: Exempts some of those.
        changes: What a service gets, by the verbs of `CHANGES`, as fields of the model.
        system: The same for the top level of the file, and its limit, emit, has and deny.
        emit: The template of an object for each service.
        templates: The templates beside the file that it names, and their bytes.
        deny: Why such a service is refused, or "".
        warn: The warning about such a service, or "".
        hint: What to write instead, or "".
        apply: A Python policy's function.
        lines: Line of each path in the file.
    """

    path: Path
    text: bytes = field(repr=False)
    description: str = ""
    match: Selector = ANY
    unless: Selector = ANY
    changes: Mapping[str, Json] = field(default_factory=dict)
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

    def find_line(self, verbs: Sequence[str], path: str) -> int:
        """Return the line at which one of these verbs changes a path, or the nearest one above it; 0 for none."""
        while path:
            for verb in verbs:
                if line := self.lines.get(f"{verb}.{path}"):
                    return line
            path = parent_path(path)
        return next((line for verb in (*verbs, "apply") if (line := self.lines.get(verb))), 0)
